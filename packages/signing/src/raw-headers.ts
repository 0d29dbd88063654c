import { refuse } from '@deadlatch/kernel';

/** Headers whose second copy would let two readers believe two things. */
const SINGLE = new Set(['host', 'authorization', 'txn-token', 'idempotency-key', 'transfer-encoding']);

function mustBeSingle(name: string): boolean {
  return SINGLE.has(name) || name.startsWith('signature') || name.startsWith('content-');
}

/**
 * Header names (lower case) and values from node's `rawHeaders`, before node joins or drops duplicates.
 * The first value of a repeated header that may repeat wins; none of those is read by the gate.
 * @throws DispatchError `malformed_body` when one of Host, Authorization, Txn-Token, Idempotency-Key,
 * Transfer-Encoding, Signature*, Content-* comes twice
 * @source T4.4
 */
export function readSingleHeaders(rawHeaders: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (headers.has(name)) {
      if (mustBeSingle(name)) refuse('malformed_body', { detail: 'duplicate_header' });
      continue;
    }
    headers.set(name, rawHeaders[at + 1] ?? '');
  }
  return headers;
}
