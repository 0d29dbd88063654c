import type { Pool } from '@deadlatch/postgres';

/** Rows handed over at once; a backlog takes several rounds. */
const BATCH = 50;
/** With a try a minute: a week. What fails for longer stays in the queue's table for a person to see. */
const MAX_ATTEMPTS = 10_000;
/** The queue doubles its patience without end; an outage that is over should be noticed within a minute. */
const LONGEST_PAUSE = '60 seconds';

/**
 * Moves what is due from the outbox and the timers into the job queue, each in the transaction that marks it as
 * moved: once, whatever dies when.
 *
 * Messages of one order key are handed over one at a time: the next one when the job of the one before is gone, since
 * the queue itself lets a job that waits for another try be overtaken. Turns of one conversation only never run at
 * the same time: a turn that was overtaken has ended.
 *
 * What is due is decided by the database's clock.
 * @returns how many rows were moved
 * @throws the driver's error; nothing was moved then
 * @source R.1, R.3
 */
export async function relayDue(pool: Pool): Promise<number> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const outbox = await client.query({
      name: 'relay_outbox',
      text: RELAY_OUTBOX,
      values: [BATCH, MAX_ATTEMPTS],
    });
    const timers = await client.query({
      name: 'relay_timers',
      text: RELAY_TIMERS,
      values: [BATCH, MAX_ATTEMPTS],
    });
    await client.query('commit');
    return (outbox.rowCount ?? 0) + (timers.rowCount ?? 0);
  } catch (error) {
    await client.query('rollback').catch((cause: Error) => {
      broken = cause;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

const RELAY_OUTBOX = `
  with heads as (
    select distinct on (tenant_id, order_key) tenant_id, id, kind || ' ' || order_key as queue
      from dispatch.outbox
     where delivered_at is null and abandoned_at is null and kind = 'message.deliver'
     order by tenant_id, order_key, created_at, id
  ), due as (
    select o.tenant_id, o.id, o.kind, o.ref_id, o.order_key, o.payload
      from dispatch.outbox o
     where o.delivered_at is null and o.abandoned_at is null
       and (o.kind <> 'message.deliver' or exists (
             select from heads h where h.tenant_id = o.tenant_id and h.id = o.id and not exists (
               select from jobs.jobs j where j.queue_name = h.queue and j.attempts < j.max_attempts)))
     order by o.created_at, o.id limit $1 for update of o skip locked
  ), moved as (
    select due.tenant_id, due.id, jobs.add_job(
      identifier := due.kind,
      payload := json_build_object('tenant_id', due.tenant_id, 'ref_id', due.ref_id, 'data', due.payload),
      queue_name := due.kind || ' ' || due.order_key,
      max_attempts := $2,
      job_key := due.id::text) as job from due
  )
  update dispatch.outbox o set delivered_at = now() from moved
   where o.tenant_id = moved.tenant_id and o.id = moved.id`;

const RELAY_TIMERS = `
  with due as (
    select tenant_id, id, kind, target_id from dispatch.timers
     where fired_at is null and abandoned_at is null and due_at <= now()
     order by due_at, id limit $1 for update skip locked
  ), moved as (
    select due.tenant_id, due.id, jobs.add_job(
      identifier := 'timer',
      payload := json_build_object('tenant_id', due.tenant_id, 'timer_id', due.id, 'command', due.kind,
                                   'target_id', due.target_id),
      max_attempts := $2,
      job_key := due.id::text) as job from due
  )
  update dispatch.timers t set fired_at = now() from moved
   where t.tenant_id = moved.tenant_id and t.id = moved.id`;

/**
 * The table in which the queue notes its own migrations, empty. Without it the queue would begin with
 * `create schema if not exists`, for which this role would need the right to create schemas even though it exists.
 * @source graphile-worker 0.18, dist/migrate.js, installSchema
 */
export async function makeMigrationsTable(pool: Pool): Promise<void> {
  await pool.query(`create table if not exists jobs.migrations (
    id int primary key, ts timestamptz default now() not null, breaking boolean not null default false)`);
}

/** Brings forward every job that would wait longer than a minute for its next try. */
export async function shortenWaits(pool: Pool): Promise<void> {
  await pool.query(
    `select count(jobs.reschedule_jobs(array[id], run_at := now() + $1::interval)) from jobs.jobs
      where locked_at is null and attempts between 1 and max_attempts - 1 and run_at > now() + $1::interval`,
    [LONGEST_PAUSE],
  );
}

/** Jobs that a worker which no longer exists had taken; only the holder of the leader lock may ask. */
export async function abandonedWorkers(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ locked_by: string }>(
    'select distinct locked_by from jobs.jobs where locked_by is not null',
  );
  return rows.map((row) => row.locked_by);
}
