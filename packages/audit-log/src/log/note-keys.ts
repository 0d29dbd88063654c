import { hash, type KeyObject } from 'node:crypto';
import { refuse } from '@deadlatch/kernel';
import { publicKeyFromX, publicX } from '@deadlatch/signing';

/**
 * What a key signs: `log` notes as they are, `witness` a time and a checkpoint.
 * The byte is part of the key's id, so a signature of one kind is never one of the other.
 * @source C2SP signed-note, Signature types
 */
const KIND_BYTES = { log: 0x01, witness: 0x04 } as const;
export type NoteKeyKind = keyof typeof KIND_BYTES;

const KEY_BYTES = 32;
const MAX_NAME_LENGTH = 200;
/** No spaces of any kind, no plus, no control characters. @source C2SP signed-note, Format */
const NAME = /^[^\p{White_Space}\p{Cc}+]+$/u;

/** A public key as a verifier pins it. Name and id together say which key made a signature. */
export interface NoteKey {
  readonly kind: NoteKeyKind;
  readonly name: string;
  /** first four bytes of a hash over name, kind and key, as a number */
  readonly keyId: number;
  readonly publicKey: KeyObject;
}

/** Whether `name` can name a key or a log. */
export function isNoteName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && name.isWellFormed() && NAME.test(name);
}

/**
 * Names a public key for notes.
 * @throws DispatchError `unavailable` when the name cannot stand in a note or the key is not Ed25519
 * @source C2SP signed-note, Ed25519 signatures; C2SP tlog-cosignature, Format
 */
export function noteKey(kind: NoteKeyKind, name: string, publicKey: KeyObject): NoteKey {
  if (!isNoteName(name)) refuse('unavailable', { detail: 'note_key_name_unusable' });
  if (publicKey.asymmetricKeyType !== 'ed25519') refuse('unavailable', { detail: 'key_of_wrong_kind' });
  const input = Buffer.concat([Buffer.from(`${name}\n`), typedKey(kind, publicKey)]);
  return { kind, name, keyId: hash('sha256', input, 'buffer').readUInt32BE(0), publicKey };
}

function typedKey(kind: NoteKeyKind, publicKey: KeyObject): Buffer {
  return Buffer.concat([Uint8Array.of(KIND_BYTES[kind]), Buffer.from(publicX(publicKey), 'base64url')]);
}

/** The one line that a key is handed on in: name, id in hex, kind and key in base64, joined by `+`. */
export function formatNoteKey(key: NoteKey): string {
  const id = key.keyId.toString(16).padStart(8, '0');
  return `${key.name}+${id}+${typedKey(key.kind, key.publicKey).toString('base64')}`;
}

/**
 * Reads a key of this kind from its line.
 * @throws DispatchError `unavailable` when it is not one, is of another kind, or its id is not that of its parts
 */
export function parseNoteKey(kind: NoteKeyKind, line: string): NoteKey {
  const fail = (): never => refuse('unavailable', { detail: 'note_key_malformed' });
  // Base64 has a plus too: the name ends at the first, the id at the second.
  const [, name = '', encoded = ''] = /^([^+]+)\+[0-9a-f]{8}\+([A-Za-z0-9+/=]+)$/.exec(line) ?? fail();
  const bytes = fromBase64(encoded) ?? fail();
  if (bytes.byteLength !== 1 + KEY_BYTES || bytes[0] !== KIND_BYTES[kind]) fail();
  const key = noteKey(kind, name, publicKeyFromX(bytes.subarray(1).toString('base64url')));
  return formatNoteKey(key) === line ? key : fail();
}

/** The bytes of standard base64 in its one spelling, or `undefined`. @source RFC 4648 section 4 */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
