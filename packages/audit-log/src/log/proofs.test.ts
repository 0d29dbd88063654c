import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { rootOf } from './append-events.ts';
import { emptyRoot, type HashAt, leafHash, nodeHash } from './hashing.ts';
import { entriesOf, naiveConsistency, naivePath, naiveRoot } from './naive-tree.fixture.ts';
import { consistencyProof, inclusionProof } from './proofs.ts';
import { storedLog } from './stored-log.fixture.ts';
import { hashesFromTiles } from './tile-contents.ts';
import {
  type ConsistencyClaim,
  type InclusionClaim,
  provesOtherPast,
  verifyConsistency,
  verifyInclusion,
} from './verify-proofs.ts';

const isRefused = (error: unknown) => error instanceof DispatchError && error.code === 'unauthenticated';
const isNotFound = (error: unknown) => error instanceof DispatchError && error.code === 'not_found';

/** Every single-bit-of-a-byte change of a hash. */
function* flips(hash: Uint8Array): Generator<Uint8Array> {
  for (let i = 0; i < hash.byteLength; i += 1) {
    const copy = Uint8Array.from(hash);
    copy[i] = (copy[i] ?? 0) ^ (1 << (i % 8));
    yield copy;
  }
}
const hex = (hashes: readonly Uint8Array[]) => hashes.map((hash) => Buffer.from(hash).toString('hex'));

/** The first `n` entries and their tiles. */
function logOf(n: number): { entries: Uint8Array[]; root: Uint8Array; hashAt: HashAt } {
  const log = storedLog();
  const entries = entriesOf(n);
  const edge = log.append(entries);
  return { entries, root: rootOf(edge), hashAt: hashesFromTiles(n, log.read) };
}

describe('hashing', () => {
  it('is that of RFC 9162, pinned', () => {
    assert.equal(
      Buffer.from(emptyRoot()).toString('hex'),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    // The hash of the empty entry and of two of them, as every log of this kind has them.
    const leaf = leafHash(new Uint8Array());
    assert.equal(
      Buffer.from(leaf).toString('hex'),
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
    assert.notDeepEqual(nodeHash(leaf, leaf), leafHash(Buffer.concat([leaf, leaf])));
  });
});

describe('inclusion proof', () => {
  it('is that of the definition and verifies, for every entry of every tree up to 64', () => {
    for (let size = 1; size <= 64; size += 1) {
      const { entries, root, hashAt } = logOf(size);
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionProof(index, size, hashAt);
        assert.deepEqual(hex(proof), hex(naivePath(index, entries)));
        verifyInclusion({ index, size, root, proof, leafHash: leafHash(entries[index] ?? Buffer.alloc(0)) });
      }
    }
  });

  it('is that of the definition and verifies, for random larger trees', () => {
    fc.assert(
      fc.property(fc.integer({ min: 65, max: 900 }), fc.nat(), (size, pick) => {
        const { entries, root, hashAt } = logOf(size);
        const index = pick % size;
        const proof = inclusionProof(index, size, hashAt);
        assert.deepEqual(hex(proof), hex(naivePath(index, entries)));
        verifyInclusion({ index, size, root, proof, leafHash: leafHash(entries[index] ?? Buffer.alloc(0)) });
      }),
      { numRuns: 25 },
    );
  });

  it('is refused for another index, size, leaf, root or length, and after any change of a byte', () => {
    for (const [index, size] of [
      [0, 1],
      [0, 8],
      [5, 8],
      [2, 3],
      [4, 5],
      [6, 7],
      [9, 300],
    ] as const) {
      const { entries, root, hashAt } = logOf(size);
      const proof = inclusionProof(index, size, hashAt);
      const good: InclusionClaim = {
        index,
        size,
        root,
        proof,
        leafHash: leafHash(entries[index] ?? Buffer.alloc(0)),
      };
      verifyInclusion(good);
      const spoiled: Partial<InclusionClaim>[] = [
        ...[-1, index + size, size, index + 0.5, Number.NaN, 2 ** 53].map((i) => ({ index: i })),
        ...[0, -1, index, Number.POSITIVE_INFINITY].map((s) => ({ size: s })),
        { proof: [...proof, root] },
        { proof: [root, ...proof] },
        { proof: [...proof, new Uint8Array()] },
        { leafHash: new Uint8Array() },
        { leafHash: root.subarray(1) },
        { root: new Uint8Array() },
        { root: Buffer.concat([root, root]) },
        ...[...flips(good.leafHash)].map((flipped) => ({ leafHash: flipped })),
        ...[...flips(root)].map((flipped) => ({ root: flipped })),
        ...proof.map((_, at) => ({ proof: proof.filter((_hash, i) => i !== at) })),
        ...proof.map((_, at) => ({ proof: proof.map((hash, i) => (i === at ? hash.subarray(1) : hash)) })),
        ...proof.flatMap((hash, at) =>
          [...flips(hash)].map((flipped) => ({ proof: proof.map((h, i) => (i === at ? flipped : h)) })),
        ),
      ];
      for (const change of spoiled) {
        assert.throws(() => verifyInclusion({ ...good, ...change }), isRefused, JSON.stringify(change));
      }
      for (let other = 0; other < size && size < 64; other += 1) {
        if (other !== index) assert.throws(() => verifyInclusion({ ...good, index: other }), isRefused);
      }
    }
  });

  it('exists for entries of the tree only', () => {
    const { hashAt } = logOf(5);
    for (const [index, size] of [
      [5, 5],
      [0, 0],
      [-1, 5],
      [1.5, 5],
      [0, 2 ** 54],
    ] as const) {
      assert.throws(() => inclusionProof(index, size, hashAt), isNotFound);
    }
  });
});

describe('consistency proof', () => {
  it('is that of the definition and verifies, between all trees up to 64', () => {
    for (let size = 1; size <= 64; size += 1) {
      const { entries, root, hashAt } = logOf(size);
      for (let olderSize = 1; olderSize <= size; olderSize += 1) {
        const proof = consistencyProof(olderSize, size, hashAt);
        assert.deepEqual(hex(proof), hex(naiveConsistency(olderSize, entries)));
        verifyConsistency({
          olderSize,
          size,
          root,
          proof,
          olderRoot: naiveRoot(entries.slice(0, olderSize)),
        });
      }
    }
  });

  it('is that of the definition and verifies, for random larger trees', () => {
    fc.assert(
      fc.property(fc.integer({ min: 65, max: 900 }), fc.nat(), (size, pick) => {
        const { entries, root, hashAt } = logOf(size);
        const olderSize = 1 + (pick % size);
        const proof = consistencyProof(olderSize, size, hashAt);
        assert.deepEqual(hex(proof), hex(naiveConsistency(olderSize, entries)));
        verifyConsistency({
          olderSize,
          size,
          root,
          proof,
          olderRoot: naiveRoot(entries.slice(0, olderSize)),
        });
      }),
      { numRuns: 25 },
    );
  });

  it('is refused for other sizes, roots or lengths, and after any change of a byte', () => {
    for (const [olderSize, size] of [
      [1, 1],
      [1, 8],
      [6, 8],
      [2, 5],
      [6, 7],
      [4, 8],
      [255, 300],
    ] as const) {
      const { entries, root, hashAt } = logOf(size);
      const olderRoot = naiveRoot(entries.slice(0, olderSize));
      const proof = consistencyProof(olderSize, size, hashAt);
      const good: ConsistencyClaim = { olderSize, size, root, proof, olderRoot };
      verifyConsistency(good);
      const spoiled: Partial<ConsistencyClaim>[] = [
        ...[0, -1, size + 1, 0.5, Number.NaN].map((n) => ({ olderSize: n })),
        ...[0, olderSize - 1, size * 4, Number.NaN, 2 ** 53].map((n) => ({ size: n })),
        ...(olderSize === size ? [] : [{ olderRoot: root, root: olderRoot }, { proof: [] }]),
        { proof: [...proof, root] },
        { proof: [root, ...proof] },
        { olderRoot: new Uint8Array() },
        { olderRoot: Buffer.concat([olderRoot, root]) },
        { root: new Uint8Array() },
        ...[...flips(olderRoot)].map((flipped) => ({ olderRoot: flipped })),
        ...[...flips(root)].map((flipped) => ({ root: flipped })),
        ...proof.map((_, at) => ({ proof: proof.filter((_hash, i) => i !== at) })),
        ...proof.flatMap((hash, at) =>
          [...flips(hash)].map((flipped) => ({ proof: proof.map((h, i) => (i === at ? flipped : h)) })),
        ),
      ];
      for (const change of spoiled) {
        assert.throws(() => verifyConsistency({ ...good, ...change }), isRefused, JSON.stringify(change));
      }
    }
  });

  it('convicts a log whose newer tree begins with another one, and nobody for a proof that is only wrong', () => {
    for (let size = 2; size <= 40; size += 1) {
      for (let olderSize = 1; olderSize < size; olderSize += 1) {
        const { entries, root, hashAt } = logOf(size);
        const olderRoot = naiveRoot(entries.slice(0, olderSize));
        const proof = consistencyProof(olderSize, size, hashAt);
        const good: ConsistencyClaim = { olderSize, size, root, proof, olderRoot };
        assert.ok(!provesOtherPast(good));
        const isComplete = Number.isInteger(Math.log2(olderSize));
        // What the witness had seen was another tree. Where that was complete, the proof holds nothing of it.
        assert.equal(provesOtherPast({ ...good, olderRoot: leafHash(root) }), !isComplete);
        const [flipped = assert.fail()] = flips(root);
        for (const change of [
          { root: flipped },
          { proof: proof.slice(1) },
          { proof: [...proof, root] },
          { proof: proof.map((hash, at) => (at === 0 ? flipped : hash)) },
          { olderRoot: leafHash(root), root: flipped },
          { olderSize: 0 },
          { size: Number.NaN },
        ]) {
          assert.ok(!provesOtherPast({ ...good, ...change }));
        }
      }
    }
  });

  it('says nothing from the empty tree, also not to itself', () => {
    const empty = { olderSize: 0, olderRoot: emptyRoot(), proof: [] };
    assert.deepEqual(consistencyProof(0, 5, logOf(5).hashAt), []);
    assert.throws(() => verifyConsistency({ ...empty, size: 0, root: emptyRoot() }), isRefused);
    assert.throws(() => verifyConsistency({ ...empty, size: 5, root: logOf(5).root }), isRefused);
  });

  it('exists for trees that the log had only', () => {
    const { hashAt } = logOf(5);
    for (const [older, size] of [
      [6, 5],
      [-1, 5],
      [1.5, 5],
      [1, Number.NaN],
    ] as const) {
      assert.throws(() => consistencyProof(older, size, hashAt), isNotFound);
    }
  });
});
