import { hash } from 'node:crypto';
import { refuse } from '@deadlatch/kernel';

/** Bytes of a hash of the tree. */
export const HASH_BYTES = 32;

/**
 * The hash of one entry: SHA-256(0x00 || entry). @source RFC 9162 section 2.1.1
 * @invariant the prefix keeps leaves and nodes apart, so that no node can be shown as an entry
 */
export function leafHash(entry: Uint8Array): Uint8Array {
  const input = Buffer.allocUnsafe(1 + entry.byteLength);
  input[0] = 0x00;
  input.set(entry, 1);
  return hash('sha256', input, 'buffer');
}

/** The hash of an inner node: SHA-256(0x01 || left || right). @source RFC 9162 section 2.1.1 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = Buffer.allocUnsafe(1 + 2 * HASH_BYTES);
  input[0] = 0x01;
  input.set(left, 1);
  input.set(right, 1 + HASH_BYTES);
  return hash('sha256', input, 'buffer');
}

/** The root of a tree without entries: SHA-256 of nothing. @source RFC 9162 section 2.1.1 */
export function emptyRoot(): Uint8Array {
  return hash('sha256', '', 'buffer');
}

/** The largest power of two below `size`, which is over 1: where a tree splits. @source RFC 9162 section 2.1.1 */
export function splitPoint(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

/** Whether `size` counts entries: whole, not negative, and exact as a double. */
export function isTreeSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}

/** Whether two hashes are the same bytes. Nothing here is secret, so it need not take the same time. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
}

/**
 * The hash of a complete subtree: of the `2 ** height` entries from `index * 2 ** height` on.
 * @throws DispatchError `unavailable` when it is not stored
 */
export type HashAt = (height: number, index: number) => Uint8Array;

/**
 * The root over the entries `start` to `end`, from the complete subtrees it consists of.
 * @param start a multiple of the largest power of two that fits in the range
 * @param end one past the last entry, more than `start`
 */
export function rangeRoot(start: number, end: number, hashAt: HashAt): Uint8Array {
  const size = end - start;
  if (!(size > 0)) return refuse('unavailable', { detail: 'empty_range' });
  const height = Math.round(Math.log2(size));
  if (2 ** height === size) return hashAt(height, start / size);
  const middle = start + splitPoint(size);
  return nodeHash(rangeRoot(start, middle, hashAt), rangeRoot(middle, end, hashAt));
}
