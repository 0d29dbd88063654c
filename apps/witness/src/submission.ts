import { HASH_BYTES, isTreeSize } from '@deadlatch/audit-log';
import { refuse } from '@deadlatch/kernel';

/** What a log hands in: from where on, how that is shown, and the signed checkpoint. */
export interface Submission {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** the signed note, nothing of it verified */
  readonly note: Uint8Array;
}

/** A path to the root of any tree that can be counted. */
const MAX_PROOF_LINES = 63;
/** More than 63 lines of 45 bytes and the first one. */
const MAX_HEAD_BYTES = 4_096;

/**
 * Reads the body of `add-checkpoint`.
 * @throws DispatchError `malformed_body` on anything but the one form
 * @source C2SP tlog-witness, add-checkpoint
 */
export function parseSubmission(body: Uint8Array): Submission {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const end = bytes.subarray(0, MAX_HEAD_BYTES).indexOf('\n\n');
  if (end < 0) return fail('no_empty_line');
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\n');
  const digits = /^old (0|[1-9]\d{0,15})$/.exec(first)?.[1];
  const oldSize = Number(digits ?? Number.NaN);
  if (!isTreeSize(oldSize)) return fail('old_size_malformed');
  if (lines.length > MAX_PROOF_LINES) return fail('proof_too_long');
  return { oldSize, proof: lines.map(hashOf), note: bytes.subarray(end + 2) };
}

/** Base64 in its one spelling. */
function hashOf(line: string): Uint8Array {
  const hash = Buffer.from(line, 'base64');
  const isOne = hash.byteLength === HASH_BYTES && hash.toString('base64') === line;
  return isOne ? hash : fail('proof_line_malformed');
}

function fail(detail: string): never {
  return refuse('malformed_body', { detail });
}
