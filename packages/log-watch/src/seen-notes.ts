import {
  parseNoteKey,
  verifyCheckpoint,
  verifyLogSignature,
  type WitnessedCheckpoint,
  witnessPolicy,
} from '@deadlatch/audit-log';
import type { TrustBundle } from '@deadlatch/http';
import { DispatchError } from '@deadlatch/kernel';

/** What a note proves about the log. */
export interface SeenNote {
  /** the log had so many entries, by its own signature */
  readonly size: number;
  /** when enough witnesses had seen that, milliseconds since the epoch; null when they have not */
  readonly witnessedAtMs: number | null;
}

/**
 * Reads a note of the pinned log, or `undefined` when it proves nothing.
 * @throws DispatchError `unavailable` when the pinned keys are unusable
 */
export function readSeenNote(
  note: Uint8Array,
  { log, witnesses }: Pick<TrustBundle, 'log' | 'witnesses'>,
): SeenNote | undefined {
  const logKey = parseNoteKey('log', log.key);
  const policy = witnessPolicy(witnesses.quorum, witnesses.keys);
  const witnessed = accepted(() => verifyCheckpoint(note, logKey, policy));
  if (witnessed !== undefined) {
    return { size: witnessed.size, witnessedAtMs: quorumTime(witnessed, policy.quorum) };
  }
  const signed = accepted(() => verifyLogSignature(note, logKey));
  return signed && { size: signed.size, witnessedAtMs: null };
}

/** The moment from which enough of them had cosigned. */
function quorumTime({ cosignatures }: WitnessedCheckpoint, quorum: number): number | null {
  const times = cosignatures.map(({ timeS }) => timeS * 1_000).sort((a, b) => b - a);
  return times[quorum - 1] ?? null;
}

function accepted<T>(verify: () => T): T | undefined {
  try {
    return verify();
  } catch (error) {
    if (error instanceof DispatchError && error.code === 'unauthenticated') return undefined;
    throw error;
  }
}
