import { refuse } from '@deadlatch/kernel';
import { type HashAt, isTreeSize, rangeRoot, splitPoint } from './hashing.ts';

/**
 * The hashes that lead from entry `index` to the root of the tree of `size` entries, lowest first.
 * @throws DispatchError `not_found` when the tree has no such entry; `unavailable` when a hash is not stored
 * @source RFC 9162 section 2.1.3.1
 */
export function inclusionProof(index: number, size: number, hashAt: HashAt): Uint8Array[] {
  if (!isTreeSize(size) || !isTreeSize(index) || index >= size)
    refuse('not_found', { detail: 'no_such_entry' });
  const proof: Uint8Array[] = [];
  // From the root down, so the list is built backwards.
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      proof.push(rangeRoot(middle, end, hashAt));
      end = middle;
    } else {
      proof.push(rangeRoot(start, middle, hashAt));
      start = middle;
    }
  }
  return proof.reverse();
}

/**
 * The hashes which show that the tree of `size` entries begins with the tree of `older` entries.
 * Empty for equal sizes and from the empty tree, of which there is nothing to show.
 * @throws DispatchError `not_found` when `older` is larger than `size`; `unavailable` when a hash is not stored
 * @source RFC 9162 section 2.1.4.1
 */
export function consistencyProof(older: number, size: number, hashAt: HashAt): Uint8Array[] {
  if (!isTreeSize(size) || !isTreeSize(older) || older > size)
    refuse('not_found', { detail: 'no_such_tree' });
  if (older === 0 || older === size) return [];
  const proof: Uint8Array[] = [];
  let start = 0;
  let end = size;
  // Whether the subtree at hand begins where the older tree does: then its root is the one the verifier holds.
  let isWhole = true;
  while (older !== end) {
    const middle = start + splitPoint(end - start);
    if (older <= middle) {
      proof.push(rangeRoot(middle, end, hashAt));
      end = middle;
    } else {
      proof.push(rangeRoot(start, middle, hashAt));
      start = middle;
      isWhole = false;
    }
  }
  if (!isWhole) proof.push(rangeRoot(start, end, hashAt));
  return proof.reverse();
}
