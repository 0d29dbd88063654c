import { DispatchError } from '@deadlatch/kernel';
import { codeOf, traceOf } from '@deadlatch/telemetry';
import { pause, type RelayParts, relayUntil } from './relay.ts';

/** Any constant does; it only has to be ours. */
const LEADER_LOCK = 4_370_001;
const TRY_AGAIN_MS = 500;

export interface Leader {
  /** @throws DispatchError `unavailable` while this process is not the one that works */
  check(): Promise<void>;
  /** Ends what is under way, within seconds. */
  stop(): Promise<void>;
}

/**
 * Relays in one process at a time: the holder of an advisory lock. The lock ends with its connection, so what a dead
 * worker had under way is taken up at once, and nothing is ever marked as taken.
 *
 * Nothing of the database's failures leaves this: it leads again as soon as it can.
 * @source R.1, R.3
 */
export function startLeading(parts: RelayParts): Leader {
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
async function lead(parts: RelayParts, state: { isLeader: boolean }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await leadOnce(parts, state, signal);
    } catch (error) {
      const { error: name, place } = traceOf(error);
      parts.logger.event('service.not_ready', { code: codeOf(error), error: name, place });
    }
    await pause(TRY_AGAIN_MS, signal);
  }
}

async function leadOnce(parts: RelayParts, state: { isLeader: boolean }, signal: AbortSignal): Promise<void> {
  const connection = await parts.pool.connect();
  const lost = new AbortController();
  const lose = () => lost.abort();
  connection.on('error', lose).on('end', lose);
  let isHeld = false;
  try {
    const { rows } = await connection.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [
      LEADER_LOCK,
    ]);
    isHeld = rows[0]?.held === true;
    if (!isHeld) return;
    state.isLeader = true;
    await relayUntil(AbortSignal.any([signal, lost.signal]), parts);
  } finally {
    state.isLeader = false;
    connection.removeListener('error', lose).removeListener('end', lose);
    // Closing the connection gives the lock back, whatever state it is in.
    connection.release(isHeld || lost.signal.aborted);
  }
}
