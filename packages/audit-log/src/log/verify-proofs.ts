import { DispatchError, refuse } from '@deadlatch/kernel';
import { HASH_BYTES, isTreeSize, nodeHash, sameBytes } from './hashing.ts';

/** Statement: the tree of `size` entries with this root holds, at `index`, the entry with this leaf hash. */
export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly root: Uint8Array;
  /** lowest first */
  readonly proof: readonly Uint8Array[];
}

/** Statement: the tree of `size` entries with `root` begins with the tree of `olderSize` entries and `olderRoot`. */
export interface ConsistencyClaim {
  readonly olderSize: number;
  readonly olderRoot: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

const fail = (detail: string): never => refuse('unauthenticated', { detail });
const isOdd = (n: number) => n % 2 === 1;
/** Not `>> 1`: sizes go beyond 32 bits. */
const half = (n: number) => Math.floor(n / 2);

/**
 * Proves that an entry is in a tree, by the root alone.
 * @throws DispatchError `unauthenticated`
 * @invariant the caller computes `leafHash` from the event shown: a proof for another leaf proves nothing about it
 * @source RFC 9162 section 2.1.3.2
 */
export function verifyInclusion({ index, size, leafHash, root, proof }: InclusionClaim): void {
  if (!isTreeSize(size) || !isTreeSize(index) || index >= size) fail('inclusion_index_outside_tree');
  if (![leafHash, ...proof].every((hash) => hash.byteLength === HASH_BYTES)) fail('inclusion_hash_malformed');
  let node = index;
  let last = size - 1;
  let computed = leafHash;
  for (const sibling of proof) {
    if (last === 0) fail('inclusion_proof_too_long');
    if (isOdd(node) || node === last) {
      computed = nodeHash(sibling, computed);
      // A node without a right sibling moves up until it is one.
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      computed = nodeHash(computed, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) fail('inclusion_proof_too_short');
  if (!sameBytes(computed, root)) fail('inclusion_root_wrong');
}

/**
 * Proves that a tree only grew, by the two roots alone. A claim from the empty tree is refused: every tree begins
 * with it, so such a claim shows nothing, and whoever has seen nothing must say so instead of holding a proof.
 * @throws DispatchError `unauthenticated`
 * @source RFC 9162 section 2.1.4.2
 */
export function verifyConsistency(claim: ConsistencyClaim): void {
  const { older, newer } = rootsOf(claim);
  if (!sameBytes(older, claim.olderRoot)) fail('consistency_older_root_wrong');
  if (!sameBytes(newer, claim.root)) fail('consistency_root_wrong');
}

/**
 * Whether a proof that fails shows more than that somebody sent a wrong one: it leads to the newer root, so the tree
 * under that begins with another tree of the older size. Where the older tree is complete, nothing can show it: then
 * its root is part of the proof.
 */
export function provesOtherPast(claim: ConsistencyClaim): boolean {
  try {
    const { older, newer } = rootsOf(claim);
    return sameBytes(newer, claim.root) && !sameBytes(older, claim.olderRoot);
  } catch (error) {
    if (error instanceof DispatchError && error.code === 'unauthenticated') return false;
    throw error;
  }
}

/** The roots that a consistency proof leads to, of the older and of the newer tree. */
function rootsOf({ olderSize, olderRoot, size, root, proof }: ConsistencyClaim) {
  if (!isTreeSize(size) || !isTreeSize(olderSize) || olderSize > size) fail('consistency_sizes_wrong');
  if (olderSize === 0) fail('consistency_from_empty_tree');
  if (olderSize === size) {
    if (proof.length > 0) fail('consistency_proof_too_long');
    return { older: root, newer: root };
  }
  if (![olderRoot, ...proof].every((hash) => hash.byteLength === HASH_BYTES))
    fail('consistency_hash_malformed');
  let node = olderSize - 1;
  let last = size - 1;
  while (isOdd(node)) {
    node = half(node);
    last = half(last);
  }
  // Where the older tree is complete, its root is the first step and is not sent.
  const [first = fail('consistency_proof_too_short'), ...rest] = node === 0 ? [olderRoot, ...proof] : proof;
  let older = first;
  let newer = first;
  for (const sibling of rest) {
    if (last === 0) fail('consistency_proof_too_long');
    if (isOdd(node) || node === last) {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      newer = nodeHash(newer, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) fail('consistency_proof_too_short');
  return { older, newer };
}
