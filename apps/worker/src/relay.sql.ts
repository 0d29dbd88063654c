import type { Pool } from '@deadlatch/postgres';

/** Rows handed over at once; a backlog takes several rounds. */
const BATCH = 50;

/**
 * Moves what is due from the outbox and the timers into the job queue, each in the transaction that marks it as
 * moved: once, whatever dies when. Jobs of one order key run one after another.
 * @returns how many rows were moved
 */
export async function relayDue(pool: Pool): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const outbox = await client.query(
      `with due as (
         select tenant_id, id, kind, ref_id, order_key, payload from dispatch.outbox
         where delivered_at is null and abandoned_at is null order by created_at, id limit $1 for update skip locked
       ), moved as (
         select due.*, jobs.add_job(
           identifier := due.kind,
           payload := json_build_object('tenant_id', due.tenant_id, 'ref_id', due.ref_id, 'data', due.payload),
           queue_name := due.order_key,
           max_attempts := 25,
           job_key := due.id::text) as job from due
       )
       update dispatch.outbox o set delivered_at = now() from moved
       where o.tenant_id = moved.tenant_id and o.id = moved.id`,
      [BATCH],
    );
    const timers = await client.query(
      `with due as (
         select tenant_id, id, kind, target_id from dispatch.timers
         where fired_at is null and abandoned_at is null and due_at <= now() order by due_at limit $1 for update skip locked
       ), moved as (
         select due.*, jobs.add_job(
           identifier := 'timer',
           payload := json_build_object('tenant_id', due.tenant_id, 'timer_id', due.id, 'command', due.kind,
                                        'target_id', due.target_id),
           max_attempts := 25,
           job_key := due.id::text) as job from due
       )
       update dispatch.timers t set fired_at = now() from moved
       where t.tenant_id = moved.tenant_id and t.id = moved.id`,
      [BATCH],
    );
    await client.query('commit');
    return (outbox.rowCount ?? 0) + (timers.rowCount ?? 0);
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/** Jobs that a worker which no longer exists had taken; only the holder of the leader lock may ask. */
export async function abandonedWorkers(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ locked_by: string }>(
    'select distinct locked_by from jobs._private_jobs where locked_by is not null',
  );
  return rows.map((row) => row.locked_by);
}
