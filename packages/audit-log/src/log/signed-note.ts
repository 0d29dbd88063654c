import { sign, verify } from 'node:crypto';
import { refuse } from '@deadlatch/kernel';
import type { ServiceKeyPair } from '@deadlatch/signing';
import { fromBase64, isNoteName, type NoteKey, noteKey } from './note-keys.ts';

/** A text and the signatures below it, none of them verified. */
export interface SignedNote {
  /** ends in a newline */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** without the key id */
  readonly bytes: Uint8Array;
}

/** Room for 16 signatures of the longest kind in use, which every verifier must accept, and not for much more. */
const MAX_NOTE_BYTES = 131_072;
const MAX_SIGNATURES = 64;
const KEY_ID_BYTES = 4;
const ED25519_BYTES = 64;
const DASH = '\u2014';
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Control characters other than the newline, and the byte-order mark, which some readers would drop. */
const FORBIDDEN = /[^\P{Cc}\n]|\ufeff/u;

const fail = (detail: string): never => refuse('unauthenticated', { detail });

/**
 * Takes a note apart. Says nothing about who signed it.
 * @throws DispatchError `unauthenticated` on anything but the one form
 * @source C2SP signed-note, Format
 */
export function parseNote(bytes: Uint8Array): SignedNote {
  if (bytes.byteLength > MAX_NOTE_BYTES) fail('note_too_long');
  let note: string;
  try {
    note = utf8.decode(bytes);
  } catch {
    return fail('note_not_utf8');
  }
  if (FORBIDDEN.test(note)) fail('note_has_control_characters');
  // The last empty line separates; the text may have others.
  const at = note.lastIndexOf('\n\n');
  if (at < 1 || !note.endsWith('\n')) fail('note_without_signatures');
  const lines = note.slice(at + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) fail('note_with_too_many_signatures');
  return { text: note.slice(0, at + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ');
  const bytes = fromBase64(encoded);
  const isWhole = dash === DASH && isNoteName(name) && rest.length === 0 && bytes !== undefined;
  if (!isWhole || bytes.byteLength <= KEY_ID_BYTES) return fail('note_signature_malformed');
  return { name, keyId: bytes.readUInt32BE(0), bytes: bytes.subarray(KEY_ID_BYTES) };
}

/** One signature line, with its newline. */
export function signatureLine({ name, keyId }: NoteKey, signature: Uint8Array): string {
  const id = Buffer.alloc(KEY_ID_BYTES);
  id.writeUInt32BE(keyId);
  return `${DASH} ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}

/**
 * Signs a text as a note of one signature. More lines may be added behind it.
 * @param name of the key, as verifiers have pinned it
 * @throws DispatchError `unavailable` when no verifier would read such a text
 */
export function signNote(text: string, name: string, key: ServiceKeyPair): string {
  const isReadable = text.length > 1 && text.endsWith('\n') && text.isWellFormed() && !FORBIDDEN.test(text);
  if (!isReadable) refuse('unavailable', { detail: 'note_text_unusable' });
  const signature = sign(null, Buffer.from(text), key.privateKey);
  return `${text}\n${signatureLine(noteKey('log', name, key.publicKey), signature)}`;
}

/** The signatures that claim to be of this key. */
export function signaturesOf(note: SignedNote, key: NoteKey): NoteSignature[] {
  return note.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId);
}

/**
 * The text of a note that this key signed.
 * @throws DispatchError `unauthenticated` when it did not, or when any signature that claims to be of it is wrong
 * @invariant the key is the caller's; nothing in the note chooses how it is verified
 * @source C2SP signed-note, Signatures
 */
export function verifyNote(note: SignedNote, key: NoteKey): string {
  const found = signaturesOf(note, key);
  if (key.kind !== 'log' || found.length === 0) fail('note_not_signed_by_key');
  const text = Buffer.from(note.text);
  const isGenuine = found.every(
    ({ bytes }) => bytes.byteLength === ED25519_BYTES && verify(null, text, key.publicKey, bytes),
  );
  return isGenuine ? note.text : fail('note_signature_wrong');
}
