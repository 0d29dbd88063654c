import { setTimeout as sleep } from 'node:timers/promises';
import { DispatchError } from '@deadlatch/kernel';
import type { Pool } from '@deadlatch/postgres';
import { codeOf, type Logger, traceOf } from '@deadlatch/telemetry';
import { makeWorkerUtils, Logger as QueueLogger, type Runner, run, type TaskList } from 'graphile-worker';
import { abandonedWorkers, relayDue } from './relay.sql.ts';

/** How often the outbox is looked at. A command's answer never waits for this. */
const POLL_MS = 75;
const CONCURRENT_JOBS = 6;
const SCHEMA = 'jobs';
/** Any constant does; it only has to be ours. */
const LEADER_LOCK = 4_370_001;
const TRY_AGAIN_MS = 500;

export interface Queue {
  /** @throws DispatchError `unavailable` while this process is not the one that works */
  check(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs the job queue in one process at a time: the holder of an advisory lock. Whoever comes to hold it knows that
 * every job still marked as taken was taken by a process that is gone, and frees it at once instead of waiting hours.
 */
export async function startQueue(options: {
  readonly pool: Pool;
  readonly tasks: TaskList;
  readonly logger: Logger;
}): Promise<Queue> {
  const stopping = new AbortController();
  const state = { isLeader: false };
  const loop = lead(options, state, stopping.signal);
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
async function lead(
  options: { readonly pool: Pool; readonly tasks: TaskList; readonly logger: Logger },
  state: { isLeader: boolean },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await leadOnce(options, state, signal);
    } catch (error) {
      const { error: name, place } = traceOf(error);
      options.logger.event('service.not_ready', { code: codeOf(error), error: name, place });
    }
    state.isLeader = false;
    await pause(TRY_AGAIN_MS, signal);
  }
}

async function leadOnce(
  { pool, tasks }: { readonly pool: Pool; readonly tasks: TaskList },
  state: { isLeader: boolean },
  signal: AbortSignal,
): Promise<void> {
  const leader = await pool.connect();
  let lost = false;
  leader.on('error', () => {
    lost = true;
  });
  let runner: Runner | undefined;
  try {
    const { rows } = await leader.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [
      LEADER_LOCK,
    ]);
    if (rows[0]?.held !== true) return;
    const shared = { pgPool: pool, schema: SCHEMA, logger: silent() };
    const utils = await makeWorkerUtils(shared);
    await utils.forceUnlockWorkers(await abandonedWorkers(pool));
    await utils.release();
    runner = await run({
      ...shared,
      taskList: tasks,
      concurrency: CONCURRENT_JOBS,
      pollInterval: 500,
      noHandleSignals: true,
    });
    state.isLeader = true;
    while (!signal.aborted && !lost) {
      const moved = await relayDue(pool);
      if (moved === 0) await pause(POLL_MS, signal);
    }
  } finally {
    state.isLeader = false;
    await runner?.stop().catch(() => undefined);
    // Closing the connection gives the lock back, whatever state it is in.
    leader.release(true);
  }
}

/** The queue's own log lines quote payloads and error texts; ours say what happened. */
function silent(): QueueLogger {
  return new QueueLogger(() => () => undefined);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
