import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { parseTilePath, type TileName, tileLevels, tileOf, tilePath } from './tile-layout.ts';

const isNotFound = (error: unknown) => error instanceof DispatchError && error.code === 'not_found';

describe('tile path', () => {
  it('is that of the format, pinned', () => {
    const cases: [TileName, string][] = [
      [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
      [{ level: 0, index: 1234067, width: 256 }, 'tile/0/x001/x234/067'],
      [{ level: 3, index: 1067, width: 5 }, 'tile/3/x001/067.p/5'],
      [{ level: 'entries', index: 999, width: 255 }, 'tile/entries/999.p/255'],
      [{ level: 'entries', index: 1000, width: 256 }, 'tile/entries/x001/000'],
      [{ level: 63, index: 10, width: 1 }, 'tile/63/010.p/1'],
    ];
    for (const [name, path] of cases) {
      assert.equal(tilePath(name), path);
      assert.deepEqual(parseTilePath(path), name);
    }
  });

  it('and name say the same', () => {
    const level = fc.oneof(fc.constant<'entries'>('entries'), fc.integer({ min: 0, max: 63 }));
    const name = fc.record({ level, index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) });
    fc.assert(
      fc.property(name, (tile) => {
        assert.deepEqual(parseTilePath(tilePath(tile)), { ...tile });
      }),
    );
  });

  it('has one spelling, and leads nowhere else', () => {
    const wrong = [
      '',
      'tile/0',
      'tile/00/000',
      'tile/64/000',
      'tile/0/0',
      'tile/0/0000',
      'tile/0/x000/001',
      'tile/0/x001',
      'tile/0/001/002',
      'tile/0/000.p/0',
      'tile/0/000.p/01',
      'tile/0/000.p/256',
      'tile/0/000.p/999',
      'tile/0/000.p/',
      'tile/0/000/',
      'tile/-1/000',
      'tile/entries/../000',
      '/tile/0/000',
      'tile/0/000\n',
      'tile/0/x999/x999/x999/x999/x999/999',
      'tile/constructor/000',
    ];
    for (const path of wrong) assert.throws(() => parseTilePath(path), isNotFound, path);
    for (const name of [
      { level: 64, index: 0, width: 1 },
      { level: -1, index: 0, width: 1 },
      { level: 0, index: -1, width: 1 },
      { level: 0, index: 0, width: 0 },
      { level: 0, index: 0, width: 257 },
    ]) {
      assert.throws(() => tilePath(name), DispatchError);
    }
  });
});

describe('tiles of a tree', () => {
  it('are those of the example of the format: 70,000 entries', () => {
    assert.equal(tileLevels(70_000), 3);
    assert.deepEqual(tileOf(0, 272, 70_000), { level: 0, index: 272, width: 256 });
    assert.deepEqual(tileOf(0, 273, 70_000), { level: 0, index: 273, width: 112 });
    assert.deepEqual(tileOf(1, 0, 70_000), { level: 1, index: 0, width: 256 });
    assert.deepEqual(tileOf(1, 1, 70_000), { level: 1, index: 1, width: 17 });
    assert.deepEqual(tileOf(2, 0, 70_000), { level: 2, index: 0, width: 1 });
    assert.throws(() => tileOf(2, 1, 70_000), isNotFound);
  });

  it('begin with the first entry, and a level with its first full tile below', () => {
    assert.deepEqual([0, 1, 255, 256, 65_535, 65_536].map(tileLevels), [0, 1, 1, 2, 2, 3]);
    assert.deepEqual(tileOf(1, 0, 256), { level: 1, index: 0, width: 1 });
    assert.throws(() => tileOf(0, 0, 0), isNotFound);
    assert.throws(() => tileOf('entries', 1, 256), isNotFound);
  });
});
