import { hash } from 'node:crypto';

/**
 * The verifier's own arithmetic. It shares no code with what appends: a tree is folded level by level here and grown
 * entry by entry there, so one mistake cannot hide the other.
 */

const BYTES = 32;

/** Hashes in a row, packed: a log of ten million is 320 MB. */
export interface HashList {
  readonly count: () => number;
  readonly push: (hash: Uint8Array) => void;
  /** a view, valid until the next push */
  readonly at: (index: number) => Buffer;
}

/** An empty list. */
export function createHashList(): HashList {
  let bytes = Buffer.allocUnsafe(1024 * BYTES);
  let count = 0;
  return {
    count: () => count,
    push: (hash) => {
      if ((count + 1) * BYTES > bytes.byteLength) {
        const wider = Buffer.allocUnsafe(bytes.byteLength * 2);
        bytes.copy(wider);
        bytes = wider;
      }
      bytes.set(hash, count * BYTES);
      count += 1;
    },
    at: (index) => bytes.subarray(index * BYTES, (index + 1) * BYTES),
  };
}

/** SHA-256(0x00 || event). @source RFC 9162 section 2.1.1 */
export function recomputeLeaf(event: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(event.byteLength + 1);
  input[0] = 0;
  input.set(event, 1);
  return hash('sha256', input, 'buffer');
}

/**
 * The root over `count` hashes from `from` on: neighbours are paired level by level, and one without a neighbour
 * moves up as it is, which gives the tree that RFC 9162 section 2.1.1 defines from the top.
 */
export function recomputeRoot(list: Pick<HashList, 'at'>, count: number, from = 0): Buffer {
  if (count === 0) return hash('sha256', '', 'buffer');
  if (count === 1) return Buffer.from(list.at(from));
  const input = Buffer.alloc(1 + 2 * BYTES, 1);
  let width = Math.ceil(count / 2);
  const row = Buffer.allocUnsafe(width * BYTES);
  for (let i = 0; i < width; i += 1) {
    const left = list.at(from + 2 * i);
    const isPair = 2 * i + 1 < count;
    row.set(isPair ? pair(input, left, list.at(from + 2 * i + 1)) : left, i * BYTES);
  }
  const at = (i: number) => row.subarray(i * BYTES, (i + 1) * BYTES);
  while (width > 1) {
    const next = Math.ceil(width / 2);
    // In place: what is written lies before what is still to be read.
    for (let i = 0; i < next; i += 1) {
      row.set(2 * i + 1 < width ? pair(input, at(2 * i), at(2 * i + 1)) : at(2 * i), i * BYTES);
    }
    width = next;
  }
  return row.subarray(0, BYTES);
}

/** @param input 65 bytes, the first of them 0x01, to be overwritten */
function pair(input: Buffer, left: Uint8Array, right: Uint8Array): Buffer {
  input.set(left, 1);
  input.set(right, 1 + BYTES);
  return hash('sha256', input, 'buffer');
}
