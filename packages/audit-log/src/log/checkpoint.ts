import { refuse } from '@deadlatch/kernel';
import { publicX, type ServiceKeyPair } from '@deadlatch/signing';
import type { Cosignature } from './cosignature.ts';
import { emptyRoot, HASH_BYTES, isTreeSize, sameBytes } from './hashing.ts';
import { fromBase64, isNoteName, type NoteKey } from './note-keys.ts';
import { parseNote, signNote, verifyNote } from './signed-note.ts';
import { verifyCosignatures, type WitnessPolicy } from './witness-policy.ts';

/** The state of a log: so many entries, under this root. */
export interface Checkpoint {
  /** which log; also the name of its key */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** The one log of an environment, over all its tenants. */
export function logOrigin(environment: string): string {
  return `${environment}.deadlatch/audit`;
}

/** A checkpoint that the log signed. */
export interface SignedCheckpoint extends Checkpoint {
  /** the signed text, which witnesses cosign */
  readonly text: string;
}

/** A checkpoint that the log signed and enough witnesses cosigned. */
export interface WitnessedCheckpoint extends SignedCheckpoint {
  readonly cosignatures: readonly Cosignature[];
}

const fail = (detail: string): never => refuse('unauthenticated', { detail });

/**
 * The text of a checkpoint. @throws DispatchError `unavailable` when it would not be read back as the same
 * @source C2SP tlog-checkpoint, Note text
 */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  const isWhole = isNoteName(origin) && isTreeSize(size) && root.byteLength === HASH_BYTES;
  if (!isWhole) refuse('unavailable', { detail: 'checkpoint_unusable' });
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/**
 * Reads the text of a checkpoint: three lines and nothing else. Extension lines are refused: nothing verifies them.
 * @throws DispatchError `unauthenticated`
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', digits = '', encoded = '', end, ...rest] = text.split('\n');
  const size = Number(digits);
  const root = fromBase64(encoded);
  if (end !== '' || rest.length > 0) fail('checkpoint_not_three_lines');
  if (!isNoteName(origin)) fail('checkpoint_origin_malformed');
  if (!/^(0|[1-9]\d{0,15})$/.test(digits) || !isTreeSize(size)) fail('checkpoint_size_malformed');
  if (root?.byteLength !== HASH_BYTES) return fail('checkpoint_root_malformed');
  if (size === 0 && !sameBytes(root, emptyRoot())) fail('checkpoint_root_of_empty_tree_wrong');
  return { origin, size, root };
}

/** Signs a checkpoint as a note, under the log's origin as key name. */
export function signCheckpoint(checkpoint: Checkpoint, key: ServiceKeyPair): string {
  return signNote(formatCheckpoint(checkpoint), checkpoint.origin, key);
}

/**
 * A checkpoint of this log, by its signature and origin. For a witness, which is about to cosign it; everybody else
 * uses `verifyCheckpoint`.
 * @param logKey named as the log's origin
 * @throws DispatchError `unauthenticated`
 */
export function verifyLogSignature(note: Uint8Array, logKey: NoteKey): SignedCheckpoint {
  const text = verifyNote(parseNote(note), logKey);
  const checkpoint = parseCheckpoint(text);
  return checkpoint.origin === logKey.name ? { ...checkpoint, text } : fail('checkpoint_of_another_log');
}

/**
 * A checkpoint of this log that enough witnesses cosigned.
 * @throws DispatchError `unauthenticated`; `unavailable` when the log's own key is among the witnesses
 * @invariant without a satisfied policy there is no checkpoint: the log's word alone does not count
 * @source F.4
 */
export function verifyCheckpoint(
  note: Uint8Array,
  logKey: NoteKey,
  policy: WitnessPolicy,
): WitnessedCheckpoint {
  const own = publicX(logKey.publicKey);
  if (policy.witnesses.some(({ publicKey }) => publicX(publicKey) === own))
    refuse('unavailable', { detail: 'log_is_its_own_witness' });
  const checkpoint = verifyLogSignature(note, logKey);
  return { ...checkpoint, cosignatures: verifyCosignatures(parseNote(note), policy) };
}
