import type { Pool } from '@deadlatch/postgres';
import type { Metrics } from '@deadlatch/telemetry';

/**
 * Measures what waits, by the database's clock, whenever somebody asks: every worker knows it, the one that leads and
 * the others.
 */
export function measureWaiting(pool: Pool, metrics: Metrics): void {
  metrics.beforeRead(['outbox_oldest_age_seconds', 'outbox_waiting', 'timer_lateness_seconds'], async () => {
    const { rows } = await pool.query<Waiting>({ name: 'measure_waiting', text: MEASURE });
    const [found] = rows;
    if (found === undefined) throw new Error('nothing was measured');
    metrics.set('outbox_oldest_age_seconds', {}, Math.max(0, found.oldest_s));
    metrics.set('outbox_waiting', {}, found.waiting);
    metrics.set('timer_lateness_seconds', {}, Math.max(0, found.late_s));
  });
}

interface Waiting {
  readonly waiting: number;
  readonly oldest_s: number;
  readonly late_s: number;
}

const MEASURE = `
  select count(*) as waiting,
         coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest_s,
         (select coalesce(extract(epoch from now() - min(due_at)), 0)::float8 from dispatch.timers
           where fired_at is null and abandoned_at is null and due_at <= now()) as late_s
    from dispatch.outbox
   where delivered_at is null and abandoned_at is null`;
