import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { appendEvents, emptyEdge, type LogFile } from '@deadlatch/audit-log';
import { haltReasonOf } from './halt.ts';
import { openTileFiles } from './tile-files.ts';

function open(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'deadlatch-tiles-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return { directory, files: openTileFiles(directory, () => randomBytes(12).toString('hex')) };
}

const entries = (count: number) => Array.from({ length: count }, (_, n) => Buffer.from(`entry ${n}`));
const isRewrite = (error: unknown) => haltReasonOf(error) === 'tile_differs';
const tile = (path: string, hashes: number): LogFile => ({ path, bytes: Buffer.alloc(32 * hashes, hashes) });

it('stores what is new, keeps what is there, and leaves nothing else behind', async (t) => {
  const { directory, files } = open(t);
  const appended = appendEvents(emptyEdge(), entries(300));
  await files.store(appended.files);
  await files.store(appended.files);
  for (const { path, bytes } of appended.files) {
    assert.deepEqual(files.read(path), Buffer.from(bytes), path);
  }
  assert.deepEqual(readdirSync(directory), ['tile']);
  assert.equal(files.read('tile/0/077'), undefined);
});

it('never writes other bytes under a name, nor what contradicts a narrower tile of the same place', async (t) => {
  const { files } = open(t);
  await files.store([tile('tile/0/000.p/3', 3)]);
  const wrong = [
    [{ path: 'tile/0/000.p/3', bytes: Buffer.alloc(96, 9) }],
    [{ path: 'tile/0/000.p/5', bytes: Buffer.alloc(160, 9) }],
    [{ path: 'tile/0/000', bytes: Buffer.alloc(32 * 256, 9) }],
  ];
  for (const some of wrong) await assert.rejects(files.store(some), isRewrite, some[0]?.path);
  assert.deepEqual(files.read('tile/0/000.p/3'), Buffer.alloc(96, 3));
  assert.equal(files.read('tile/0/000'), undefined);
  // Nothing of a batch is written when one of its files contradicts.
  await assert.rejects(files.store([tile('tile/1/000.p/1', 1), ...(wrong[0] ?? [])]), isRewrite);
  assert.equal(files.read('tile/1/000.p/1'), undefined);
  await files.store([
    { path: 'tile/0/000.p/4', bytes: Buffer.concat([Buffer.alloc(96, 3), Buffer.alloc(32, 7)]) },
  ]);
});

it('removes partial tiles once the full one is there, and not those of another place', async (t) => {
  const { directory, files } = open(t);
  await files.store([{ path: 'tile/0/000.p/2', bytes: Buffer.alloc(64, 1) }]);
  await files.store([{ path: 'tile/0/001.p/2', bytes: Buffer.alloc(64, 1) }]);
  await files.store([{ path: 'tile/0/000', bytes: Buffer.alloc(32 * 256, 1) }]);
  assert.deepEqual(readdirSync(join(directory, 'tile/0')).sort(), ['000', '001.p']);
});

it('replaces the checkpoint as a whole', async (t) => {
  const { directory, files } = open(t);
  assert.equal(files.readCheckpoint(), undefined);
  await files.writeCheckpoint('one\n');
  await files.writeCheckpoint('two\n');
  assert.equal(readFileSync(join(directory, 'checkpoint'), 'utf8'), 'two\n');
  assert.deepEqual(readdirSync(directory), ['checkpoint']);
});

it('throws away what a killed writer left, and nothing else', async (t) => {
  const { directory, files } = open(t);
  for (const name of ['.00ff00ff00ff00ff00ff00ff.part', '.profile', 'checkpoint']) {
    writeFileSync(join(directory, name), 'x');
  }
  await files.removeScratch();
  assert.deepEqual(readdirSync(directory).sort(), ['.profile', 'checkpoint']);
});
