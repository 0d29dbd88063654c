import type { ErrorCode } from '@deadlatch/kernel';
import type { Pool } from '@deadlatch/postgres';

/** Work that dispatch-api committed together with its reason, and that nobody has done yet. */
export interface WaitingRow {
  readonly table: 'outbox' | 'timers';
  readonly tenant_id: string;
  readonly id: string;
  /** Of the outbox: what to do. Of timers: the command to send. */
  readonly kind: string;
  /** Message, turn or approval. */
  readonly ref_id: string;
  /** No two rows of one queue are worked on at the same time. */
  readonly queue: string;
  readonly turn_grant: string | null;
  /** Of the command that committed it; null for timers, which begin a trace of their own when they are due. */
  readonly traceparent: string | null;
  /** Tries so far. */
  readonly attempts: number;
}

/** How many rows of one kind one look answers at most. */
const BATCH = 20;
/** An outage that is over is noticed within a minute. */
const LONGEST_PAUSE_S = 60;

/**
 * Rows that are due by the database's clock, the oldest of each kind first.
 *
 * Messages of one order key go one after the other: only the oldest that waits is ever due, also while it waits for
 * another try. Turns of one conversation only never run at the same time, since one that was overtaken has ended.
 * @param busy queues that are being worked on
 * @source R.1, R.3
 */
export async function findDue(pool: Pool, busy: readonly string[]): Promise<WaitingRow[]> {
  const { rows } = await pool.query<WaitingRow>({ name: 'find_due', text: FIND_DUE, values: [busy, BATCH] });
  return rows;
}

// Each kind has a limit of its own: a thousand turns that wait must not hide one message.
const FIND_DUE = `
  with waiting as (
    select *, concat_ws(' ', kind, tenant_id, order_key) as queue from dispatch.outbox
     where delivered_at is null and abandoned_at is null
  ), messages as (
    select distinct on (tenant_id, order_key) * from waiting where kind = 'message.deliver'
     order by tenant_id, order_key, created_at, id
  ), turns as (
    select distinct on (tenant_id, order_key) * from waiting where kind = 'agent.wake' and next_try_at <= now()
     order by tenant_id, order_key, created_at, id
  ), timers as (
    select *, concat_ws(' ', 'timer', tenant_id, id) as queue from dispatch.timers
     where fired_at is null and abandoned_at is null and due_at <= now()
       and coalesce(next_try_at, due_at) <= now()
  ), due_messages as (
    select * from messages where next_try_at <= now() and queue <> all ($1::text[])
     order by created_at, id limit $2
  ), due_turns as (
    select * from turns where queue <> all ($1::text[]) order by created_at, id limit $2
  ), due_timers as (
    select * from timers where queue <> all ($1::text[]) order by due_at, id limit $2
  )
  select 'outbox' as table, tenant_id, id, kind, ref_id, queue, payload ->> 'turn_grant' as turn_grant,
         payload ->> 'traceparent' as traceparent, attempts
    from (select * from due_messages union all select * from due_turns) o
  union all
  select 'timers', tenant_id, id, kind, target_id, queue, null, null, attempts from due_timers`;

/** It was done. */
export function markDone(pool: Pool, row: WaitingRow): Promise<void> {
  const column = row.table === 'outbox' ? 'delivered_at' : 'fired_at';
  return update(pool, row, `${column} = now(), attempts = attempts + 1, last_error = null`);
}

/** It can never be done: whoever decides about it said no for good. */
export function markAbandoned(pool: Pool, row: WaitingRow, code: ErrorCode): Promise<void> {
  return update(pool, row, 'abandoned_at = now(), attempts = attempts + 1, last_error = $3', code);
}

/** It failed and waits for another try: 1, 2, 4 … seconds, at most a minute. */
export function markRetry(pool: Pool, row: WaitingRow, code: ErrorCode): Promise<void> {
  const pause = `least(${LONGEST_PAUSE_S}, power(2, least(attempts, 6))) * interval '1 second'`;
  return update(pool, row, `next_try_at = now() + ${pause}, attempts = attempts + 1, last_error = $3`, code);
}

/** What was settled stays settled, should a worker that lost the lead speak late. */
async function update(pool: Pool, row: WaitingRow, changes: string, ...values: string[]): Promise<void> {
  const done = row.table === 'outbox' ? 'delivered_at' : 'fired_at';
  await pool.query(
    `update dispatch.${row.table} set ${changes}
      where tenant_id = $1 and id = $2 and ${done} is null and abandoned_at is null`,
    [row.tenant_id, row.id, ...values],
  );
}
