import { sign, verify } from 'node:crypto';
import { refuse } from '@deadlatch/kernel';
import type { ServiceKeyPair } from '@deadlatch/signing';
import { type NoteKey, noteKey } from './note-keys.ts';
import { type SignedNote, signatureLine, signaturesOf } from './signed-note.ts';

const TIME_BYTES = 8;
const ED25519_BYTES = 64;

/** A witness saw this checkpoint, and found it to continue all it had seen before. */
export interface Cosignature {
  readonly witness: string;
  /** when it said so, seconds since the epoch */
  readonly timeS: number;
}

const message = (text: string, timeS: number): Buffer =>
  Buffer.from(`cosignature/v1\ntime ${timeS}\n${text}`);

/**
 * The line by which a witness cosigns a checkpoint.
 * @param text the body of the checkpoint, verified and found consistent by the caller
 * @param timeS now, whole seconds since the epoch
 * @param name of the witness, as verifiers have pinned it
 * @throws DispatchError `unavailable` when the time is none
 * @source C2SP tlog-cosignature, Ed25519 signed message
 */
export function cosign(text: string, timeS: number, name: string, key: ServiceKeyPair): string {
  if (!(Number.isSafeInteger(timeS) && timeS > 0))
    refuse('unavailable', { detail: 'cosignature_time_unusable' });
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(timeS));
  const signature = sign(null, message(text, timeS), key.privateKey);
  return signatureLine(noteKey('witness', name, key.publicKey), Buffer.concat([time, signature]));
}

/**
 * The latest cosignature of this witness, or `undefined` when the note bears none.
 * @throws DispatchError `unauthenticated` when any that claims to be of it is wrong
 */
export function cosignatureOf(note: SignedNote, key: NoteKey): Cosignature | undefined {
  const fail = (): never => refuse('unauthenticated', { detail: 'cosignature_wrong' });
  if (key.kind !== 'witness') fail();
  const times = signaturesOf(note, key).map(({ bytes }) => {
    if (bytes.byteLength !== TIME_BYTES + ED25519_BYTES) fail();
    const timeS = Number(Buffer.from(bytes.subarray(0, TIME_BYTES)).readBigUInt64BE(0));
    if (!(Number.isSafeInteger(timeS) && timeS > 0)) fail();
    return verify(null, message(note.text, timeS), key.publicKey, bytes.subarray(TIME_BYTES))
      ? timeS
      : fail();
  });
  return times.length === 0 ? undefined : { witness: key.name, timeS: Math.max(...times) };
}
