import {
  type NoteKey,
  parseNoteKey,
  signCheckpoint,
  type WitnessPolicy,
  witnessPolicy,
} from '@deadlatch/audit-log';
import type { TrustBundle } from '@deadlatch/http';
import { publicX, type ServiceKeyPair } from '@deadlatch/signing';
import { halt } from './halt.ts';

/** What everybody has pinned about the log. */
export interface LogTrust {
  /** named as the log's origin */
  readonly logKey: NoteKey;
  readonly policy: WitnessPolicy;
}

/** Signs the state of the log. @returns the note, with the log's signature alone */
export type SignTree = (size: number, root: Uint8Array) => string;

/** Reads what is pinned. @throws DispatchError `unavailable`, detail `trust_unusable` */
export function readLogTrust(trust: () => Pick<TrustBundle, 'log' | 'witnesses'>): LogTrust {
  try {
    const { log, witnesses } = trust();
    const logKey = parseNoteKey('log', log.key);
    if (logKey.name !== log.origin) return halt('trust_unusable');
    return { logKey, policy: witnessPolicy(witnesses.quorum, witnesses.keys) };
  } catch (error) {
    return halt('trust_unusable', error);
  }
}

/**
 * Takes the log's key into use.
 * @throws DispatchError `unavailable`, detail `log_key_unusable`, when there is none or it is not the pinned one
 * @invariant nothing is signed that nobody could verify
 */
export function logSigner(readKey: () => ServiceKeyPair, { logKey }: LogTrust): SignTree {
  let key: ServiceKeyPair;
  try {
    key = readKey();
  } catch (error) {
    return halt('log_key_unusable', error);
  }
  if (publicX(key.publicKey) !== publicX(logKey.publicKey)) return halt('log_key_unusable');
  return (size, root) => signCheckpoint({ origin: logKey.name, size, root }, key);
}
