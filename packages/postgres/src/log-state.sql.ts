import type { Pool } from './pool.ts';
import { sql } from './sql.ts';
import { withTenant } from './with-tenant.ts';

interface Row {
  readonly size: number;
  readonly note: Buffer | null;
  readonly now: Date;
  readonly oldest: Date | null;
}

/**
 * How far the Merkle log is, and since when the oldest event of this tenant has been waiting for its place in it.
 * @throws the driver's error
 */
export async function readLogState(pool: Pool, tenantId: string) {
  const row = await withTenant(pool, tenantId, (tx) =>
    tx.one<Row>(sql`
      select h.size, h.witnessed_note as note, clock_timestamp() as now,
             (select min(u.at) from audit.unsequenced u) as oldest
        from audit.log_head h`),
  );
  if (row === null) throw new RangeError('log_head has no row');
  const { size, note, now, oldest } = row;
  return { size, note, nowMs: now.getTime(), oldestWaitingMs: oldest?.getTime() ?? null };
}
