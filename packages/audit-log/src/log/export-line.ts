import { refuse } from '@deadlatch/kernel';
import { fromBase64url, toBase64url } from '@deadlatch/signing';
import { HASH_BYTES, isTreeSize } from './hashing.ts';

/** One event as an export shows it. Nothing in it is proven. */
export interface ShownEvent {
  readonly index: number;
  /** what the export says the leaf hash is */
  readonly leafHash: Uint8Array;
  /** the bytes that were hashed */
  readonly event: Uint8Array;
}

const HEAD = Buffer.from('{"event":');
const TAIL = Buffer.from(',"index":');
/** Canonical JSON sorts these keys just so, and a leaf hash has 43 characters: the event is all that stands between. */
const TAIL_FORM = /^,"index":(0|[1-9]\d{0,15}),"leaf_hash":"([A-Za-z0-9_-]{43})"\}$/;

/** The line of an export, without its newline. The event's bytes stand in it as they were hashed. */
export function formatExportLine({ index, leafHash, event }: ShownEvent): Uint8Array {
  const tail = Buffer.from(`,"index":${index},"leaf_hash":"${toBase64url(leafHash)}"}`);
  return Buffer.concat([HEAD, event, tail]);
}

/** Reads a line of an export. @throws DispatchError `malformed_body` when it has any other form */
export function parseExportLine(line: Uint8Array): ShownEvent {
  const fail = (): never => refuse('malformed_body', { detail: 'export_line_malformed' });
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const at = bytes.lastIndexOf(TAIL);
  if (at < HEAD.byteLength || !bytes.subarray(0, HEAD.byteLength).equals(HEAD)) return fail();
  const [, digits = '', encoded = ''] = TAIL_FORM.exec(bytes.toString('latin1', at)) ?? fail();
  const leafHash = fromBase64url(encoded);
  const index = Number(digits);
  if (leafHash?.byteLength !== HASH_BYTES || !isTreeSize(index)) return fail();
  return { index, leafHash, event: bytes.subarray(HEAD.byteLength, at) };
}
