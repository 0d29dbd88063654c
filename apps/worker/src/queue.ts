import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, DispatchError } from '@deadlatch/kernel';
import type { Pool } from '@deadlatch/postgres';
import { codeOf, type Logger, traceOf } from '@deadlatch/telemetry';
import { makeWorkerUtils, Logger as QueueLogger, type Runner, run, type TaskList } from 'graphile-worker';
import { abandonedWorkers, makeMigrationsTable, relayDue, shortenWaits } from './relay.sql.ts';

/** How often the outbox is looked at. A command's answer never waits for this. */
const POLL_MS = 75;
/** Turns are slow and deliveries are not: each kind has its own hands, so neither waits for the other. */
const CONCURRENT_TURNS = 4;
const CONCURRENT_OTHERS = 4;
const SCHEMA = 'jobs';
/** Any constant does; it only has to be ours. */
const LEADER_LOCK = 4_370_001;
const TRY_AGAIN_MS = 500;
const SHORTEN_WAITS_MS = 5_000;
/** Jobs under way get this long to end; what is left is taken up by the next leader. */
const STOP_MS = 5_000;

export interface Queue {
  /** @throws DispatchError `unavailable` while this process is not the one that works */
  check(): Promise<void>;
  stop(): Promise<void>;
}

interface QueueParts {
  readonly pool: Pool;
  readonly tasks: TaskList;
  readonly logger: Logger;
  readonly now: Clock;
}

/**
 * Runs the job queue in one process at a time: the holder of an advisory lock. Whoever comes to hold it knows that
 * every job still marked as taken was taken by a process that is gone, and frees it at once instead of waiting hours.
 *
 * Nothing of the database's failures leaves this: it leads again as soon as it can.
 * @source R.1, R.3
 */
export function startQueue(parts: QueueParts): Queue {
  const stopping = new AbortController();
  const state = { isLeader: false };
  const loop = lead(parts, state, stopping.signal);
  return {
    async check() {
      if (!state.isLeader) throw new DispatchError('unavailable', { detail: 'not the leading worker' });
    },
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

/** Leads, and after every failure of the database tries to lead again, until told to stop. */
async function lead(parts: QueueParts, state: { isLeader: boolean }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await leadOnce(parts, state, signal);
    } catch (error) {
      const { error: name, place } = traceOf(error);
      parts.logger.event('service.not_ready', { code: codeOf(error), error: name, place });
    }
    state.isLeader = false;
    await pause(TRY_AGAIN_MS, signal);
  }
}

async function leadOnce(parts: QueueParts, state: { isLeader: boolean }, signal: AbortSignal): Promise<void> {
  const { pool } = parts;
  const leader = await pool.connect();
  const lost = new AbortController();
  const lose = () => lost.abort();
  leader.on('error', lose);
  leader.on('end', lose);
  const runners: Runner[] = [];
  let isHeld = false;
  try {
    const text = 'select pg_try_advisory_lock($1) as held';
    const { rows } = await leader.query<{ held: boolean }>(text, [LEADER_LOCK]);
    isHeld = rows[0]?.held === true;
    if (!isHeld) return;
    await prepare(pool);
    for (const runner of await startRunners(parts)) {
      runners.push(runner);
      // A runner that gave up by itself leaves nobody to do the work.
      runner.promise.then(lose, lose);
    }
    state.isLeader = true;
    await relayUntil(AbortSignal.any([signal, lost.signal]), parts);
  } finally {
    state.isLeader = false;
    const stopped = Promise.all(runners.map((runner) => runner.stop().catch(() => undefined)));
    await Promise.race([stopped, pause(STOP_MS)]);
    leader.removeListener('error', lose);
    leader.removeListener('end', lose);
    // Closing the connection gives the lock back, whatever state it is in.
    leader.release(isHeld || lost.signal.aborted);
  }
}

/** Brings the queue's own tables up to date and frees what workers that are gone had taken. */
async function prepare(pool: Pool): Promise<void> {
  await makeMigrationsTable(pool);
  const utils = await makeWorkerUtils(sharedOptions(pool));
  try {
    await utils.migrate();
    await utils.forceUnlockWorkers(await abandonedWorkers(pool));
    // One row per conversation otherwise stays for ever.
    await utils.cleanup({ tasks: ['GC_JOB_QUEUES'] });
  } finally {
    await utils.release();
  }
}

async function startRunners({ pool, tasks }: QueueParts): Promise<Runner[]> {
  const { 'agent.wake': wake, ...others } = tasks;
  const start = (taskList: TaskList, concurrency: number) =>
    run({ ...sharedOptions(pool), taskList, concurrency, pollInterval: 500, noHandleSignals: true });
  const turns = await start(wake === undefined ? {} : { 'agent.wake': wake }, CONCURRENT_TURNS);
  return [turns, await start(others, CONCURRENT_OTHERS)];
}

async function relayUntil(signal: AbortSignal, { pool, now }: QueueParts): Promise<void> {
  let shortenedAt = now();
  while (!signal.aborted) {
    const moved = await relayDue(pool);
    if (now() - shortenedAt > SHORTEN_WAITS_MS) {
      await shortenWaits(pool);
      shortenedAt = now();
    }
    if (moved === 0) await pause(POLL_MS, signal);
  }
}

/** The queue's own log lines quote payloads and error texts; ours say what happened. */
function sharedOptions(pool: Pool) {
  return { pgPool: pool, schema: SCHEMA, logger: new QueueLogger(() => () => undefined) };
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal && { signal }).catch(() => undefined);
}
