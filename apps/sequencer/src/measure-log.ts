import type { Pool } from '@deadlatch/postgres';
import type { Metrics } from '@deadlatch/telemetry';

/** Measures how far the log is behind, by the database's clock, whenever somebody asks; also while nobody writes it. */
export function measureLog(pool: Pick<Pool, 'query'>, metrics: Metrics): void {
  metrics.beforeRead(['sequencing_lag_seconds', 'log_size', 'witnessed_size'], async () => {
    const { rows } = await pool.query<Measured>({ name: 'measure_log', text: MEASURE });
    const [found] = rows;
    if (found === undefined) throw new Error('nothing was measured');
    metrics.set('sequencing_lag_seconds', {}, Math.max(0, found.lag_s));
    metrics.set('log_size', {}, found.size);
    metrics.set('witnessed_size', {}, found.witnessed_size);
  });
}

interface Measured {
  readonly size: number;
  readonly witnessed_size: number;
  readonly lag_s: number;
}

const MEASURE = `
  select size, witnessed_size,
         (select coalesce(extract(epoch from now() - min(at)), 0)::float8 from audit.unsequenced) as lag_s
    from audit.log_head`;
