import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { appendEvents, emptyEdge, type LogEdge, readEdge, rootOf } from './append-events.ts';
import { HASH_BYTES, leafHash } from './hashing.ts';
import { entriesOf, naiveRoot } from './naive-tree.fixture.ts';
import { consistencyProof, inclusionProof } from './proofs.ts';
import { storedLog } from './stored-log.fixture.ts';
import { decodeBundle, encodeBundle, hashesFromTiles, refuseRewrite } from './tile-contents.ts';
import { tileLevels, tileOf, tilePath } from './tile-layout.ts';
import { verifyConsistency, verifyInclusion } from './verify-proofs.ts';

const isUnavailable = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';
const isRefused = (error: unknown) => error instanceof DispatchError && error.code === 'unauthenticated';

describe('appending', () => {
  it('has the root of the definition at every size from 0 to 300, one by one and at once', () => {
    const entries = entriesOf(300);
    let edge: LogEdge = emptyEdge();
    for (let size = 0; size <= 300; size += 1) {
      const expected = naiveRoot(entries.slice(0, size));
      assert.deepEqual(rootOf(edge), expected, `size ${size}`);
      assert.deepEqual(rootOf(appendEvents(emptyEdge(), entries.slice(0, size)).edge), expected);
      const next = entries[size];
      if (next) edge = appendEvents(edge, [next]).edge;
    }
  });

  it('comes to the same files in any batches, and never writes a path twice with other bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 }), (batches) => {
        const log = storedLog();
        const entries = entriesOf(batches.reduce((sum, n) => sum + n, 0));
        let at = 0;
        for (const n of batches) {
          log.append(entries.slice(at, at + n));
          at += n;
        }
        const atOnce = storedLog();
        atOnce.append(entries);
        assert.deepEqual(rootOf(log.edge()), rootOf(atOnce.edge()));
        for (const [path, bytes] of atOnce.files) assert.deepEqual(log.files.get(path), bytes, path);
      }),
      { numRuns: 25 },
    );
  });

  it('goes on from what is stored, at the borders of tiles', () => {
    const entries = entriesOf(600);
    for (const size of [0, 1, 255, 256, 257, 511, 512, 513]) {
      const log = storedLog();
      const edge = log.append(entries.slice(0, size));
      const again = readEdge(size, rootOf(edge), log.read);
      assert.deepEqual(again, edge, `size ${size}`);
      const continued = storedLog(again, log.files);
      assert.deepEqual(rootOf(continued.append(entries.slice(size))), naiveRoot(entries));
    }
  });

  it('does not go on from a past that is not the one of the checkpoint', () => {
    const log = storedLog();
    const root = rootOf(log.append(entriesOf(300)));
    readEdge(300, root, log.read);
    assert.throws(() => readEdge(300, naiveRoot(entriesOf(299)), log.read), isUnavailable);
    for (const path of log.files.keys()) {
      // The full bundle is not needed for going on; the verifier reads it.
      if (path === 'tile/entries/000') continue;
      const without = new Map(log.files);
      without.delete(path);
      const spoiled = new Map(log.files);
      const bytes = Uint8Array.from(log.files.get(path) ?? []);
      bytes[5] = (bytes[5] ?? 0) ^ 1;
      spoiled.set(path, bytes);
      if (path !== 'tile/0/000') {
        assert.throws(() => readEdge(300, root, (p) => without.get(p)), isUnavailable, path);
        assert.throws(() => readEdge(300, root, (p) => spoiled.get(p)), isUnavailable, path);
      }
    }
  });

  it('leaves the edge as it was when an entry is too long', () => {
    const edge = appendEvents(emptyEdge(), entriesOf(3)).edge;
    const copy = structuredClone(edge);
    assert.throws(
      () => appendEvents(edge, [Buffer.from('a'), Buffer.alloc(65_536)]),
      (error) => error instanceof DispatchError && error.code === 'payload_too_large',
    );
    appendEvents(edge, [Buffer.alloc(65_535)]);
    assert.deepEqual(structuredClone(edge), copy);
  });

  it('keeps tiles, bundles and proofs right where levels begin: 255, 256, 257, 65,536 and beyond', () => {
    const log = storedLog();
    const entries = entriesOf(65_793);
    let at = 0;
    for (const size of [255, 256, 257, 65_535, 65_536, 65_537, 65_793]) {
      const root = rootOf(log.append(entries.slice(at, size)));
      at = size;
      for (let level = 0; level < tileLevels(size); level += 1) {
        const count = Math.floor(size / 256 ** level);
        if (count === 0) continue;
        const name = tileOf(level, Math.floor((count - 1) / 256), size);
        assert.equal(log.files.get(tilePath(name))?.byteLength, name.width * HASH_BYTES);
      }
      const last = tileOf('entries', Math.floor((size - 1) / 256), size);
      const bundle = decodeBundle(log.files.get(tilePath(last)) ?? Buffer.alloc(0));
      assert.deepEqual(
        bundle,
        entries.slice(size - last.width, size).map((entry) => Buffer.from(entry)),
      );
      const hashAt = hashesFromTiles(size, log.read);
      for (const index of [0, 254, 255, 256, size - 2, size - 1].filter((i) => i < size)) {
        const proof = inclusionProof(index, size, hashAt);
        verifyInclusion({ index, size, root, proof, leafHash: leafHash(entries[index] ?? Buffer.alloc(0)) });
      }
      for (const olderSize of [1, 255, 256, 257, 65_536].filter((n) => n <= size)) {
        const proof = consistencyProof(olderSize, size, hashAt);
        const olderRoot = rootOf(appendEvents(emptyEdge(), entries.slice(0, olderSize)).edge);
        verifyConsistency({ olderSize, olderRoot, size, root, proof });
      }
    }
    assert.equal(log.files.get('tile/1/000')?.byteLength, 256 * HASH_BYTES);
    assert.equal(log.files.get('tile/2/000.p/1')?.byteLength, HASH_BYTES);
  });
});

describe('tile contents', () => {
  it('gives back the entries of a bundle, and refuses one that is cut off anywhere', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (entries) => {
        assert.deepEqual(
          decodeBundle(encodeBundle(entries)).map((entry) => Uint8Array.from(entry)),
          entries,
        );
      }),
    );
    const bytes = encodeBundle([Buffer.from('one'), Buffer.from('three')]);
    for (const length of [1, 2, 3, 4, 6, 8, 11]) {
      assert.throws(() => decodeBundle(bytes.subarray(0, length)), isRefused, `${length} bytes`);
    }
  });

  it('refuses a tile that is missing or has another length, and takes a full one for a partial one', () => {
    const log = storedLog();
    log.append(entriesOf(300));
    const partial = hashesFromTiles(300, log.read)(0, 290);
    log.append(entriesOf(512).slice(300));
    log.files.delete('tile/0/001.p/44');
    assert.deepEqual(hashesFromTiles(300, log.read)(0, 290), partial);
    assert.throws(() => hashesFromTiles(300, () => undefined)(0, 290), isUnavailable);
    assert.throws(() => hashesFromTiles(300, () => Buffer.alloc(43 * HASH_BYTES))(0, 290), isUnavailable);
    assert.throws(() => hashesFromTiles(300, log.read)(0, 300), isUnavailable);
    assert.throws(() => hashesFromTiles(300, log.read)(6, 4), isUnavailable);
  });

  it('lets a store write what is new, wider or the same, and nothing else', () => {
    const [a, b] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const both = Buffer.concat([a, b]);
    refuseRewrite('tile/0/000.p/1', a, 'tile/0/000.p/1', a);
    refuseRewrite('tile/0/000.p/1', a, 'tile/0/000.p/2', both);
    const wrong = [
      ['tile/0/000.p/1', a, 'tile/0/000.p/1', b],
      ['tile/0/000.p/1', b, 'tile/0/000.p/2', both],
      ['tile/0/000.p/2', both, 'tile/0/000.p/1', a],
      ['tile/0/000.p/1', a, 'tile/0/001.p/2', both],
      ['tile/0/000.p/1', a, 'tile/1/000.p/2', both],
      ['tile/0/000', a, 'tile/0/000', both],
    ] as const;
    for (const [storedPath, stored, path, next] of wrong) {
      assert.throws(() => refuseRewrite(storedPath, stored, path, next), isUnavailable, path);
    }
  });
});
