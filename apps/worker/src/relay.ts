import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@deadlatch/postgres';
import { codeOf, type Logger, type Telemetry, traceOf } from '@deadlatch/telemetry';
import type { PerformTask, TaskOutcome } from './tasks.ts';
import { findDue, markAbandoned, markDone, markRetry, type WaitingRow } from './waiting.sql.ts';

/** How often is looked for work. A command's answer never waits for this. */
const POLL_MS = 75;
/** Turns are slow and deliveries are not: each has its own hands, so neither waits for the other. */
const TURNS_AT_ONCE = 4;
const OTHERS_AT_ONCE = 8;
/** What is under way gets this long to end; what is left is taken up by the next leader. */
const STOP_MS = 5_000;

export interface RelayParts {
  readonly pool: Pool;
  readonly perform: PerformTask;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, 'tracing' | 'metrics'>;
}

/**
 * Does what is due until told to stop. What was done is written after it was done, so a row is never lost: whoever
 * dies in between leaves it waiting, and the next one sends the same request again.
 *
 * Only the holder of the leader lock may run this: which rows are being worked on is known in memory alone.
 * @throws the driver's error when the database cannot be asked
 * @source R.1
 */
export async function relayUntil(signal: AbortSignal, parts: RelayParts): Promise<void> {
  const busy = new Map<string, { readonly isTurn: boolean; readonly ended: Promise<void> }>();
  const hasRoom = (isTurn: boolean) =>
    [...busy.values()].filter((one) => one.isTurn === isTurn).length <
    (isTurn ? TURNS_AT_ONCE : OTHERS_AT_ONCE);
  const begin = (row: WaitingRow): boolean => {
    const isTurn = row.kind === 'agent.wake';
    if (busy.has(row.queue) || !hasRoom(isTurn)) return false;
    const ended = traced(row, parts).finally(() => busy.delete(row.queue));
    busy.set(row.queue, { isTurn, ended });
    return true;
  };
  try {
    while (!signal.aborted) {
      const due = await findDue(parts.pool, [...busy.keys()]);
      if (due.filter(begin).length === 0) await pause(POLL_MS, signal);
    }
  } finally {
    await Promise.race([Promise.all([...busy.values()].map((one) => one.ended)), pause(STOP_MS)]);
  }
}

/** One try of one row, in the trace of the command that committed it. Never throws. */
async function traced(row: WaitingRow, parts: RelayParts): Promise<void> {
  const { tracing, metrics } = parts.telemetry;
  const about = { 'deadlatch.task': row.kind, 'deadlatch.attempts': row.attempts + 1 };
  await tracing.resume('outbox.relay', row.traceparent, about, async (annotate) => {
    const outcome = await parts.perform(row);
    if (outcome.kind !== 'done') annotate({ 'error.type': outcome.code });
    metrics.add('outbox_tries_total', { task: row.kind, outcome: outcome.kind });
    await writeDown(row, outcome, parts);
  });
}

/** Never throws: what could not be written down is simply found again. */
async function writeDown(row: WaitingRow, outcome: TaskOutcome, { pool, logger }: RelayParts): Promise<void> {
  const ids = { kind: row.table === 'timers' ? 'timer' : row.kind, outbox_id: row.id };
  try {
    if (outcome.kind === 'done') {
      await markDone(pool, row);
      logger.event('outbox.relayed', ids);
      return;
    }
    const { kind, code } = outcome;
    await (kind === 'abandoned' ? markAbandoned : markRetry)(pool, row, code);
    logger.event(kind === 'abandoned' ? 'outbox.abandoned' : 'outbox.retry', {
      ...ids,
      code,
      attempts: row.attempts + 1,
    });
  } catch (error) {
    const { error: name, place } = traceOf(error);
    logger.event('service.not_ready', { code: codeOf(error), error: name, place });
  }
}

/** Waits, or less when told to stop. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal && { signal }).catch(() => undefined);
}
