import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { StartError } from '../arguments.ts';
import { lockStateDir, prepareStateDir, stateDirAt } from './state-dir.ts';

async function emptyDir(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'deadlatch-lock-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const dir = stateDirAt(root);
  await prepareStateDir(dir);
  return { dir, lockFile: join(root, 'lock') };
}

test('a state directory has one holder, who can give it back', async (t) => {
  const { dir } = await emptyDir(t);
  const lock = await lockStateDir(dir);
  assert.equal(lock.isInherited, false);
  await assert.rejects(lockStateDir(dir), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /already running in .* \(process \d+\)/);
    return true;
  });
  await lock.release();
  assert.equal((await lockStateDir(dir)).isInherited, false);
});

test('of many at the same moment, one gets it', async (t) => {
  const { dir } = await emptyDir(t);
  const tries = await Promise.allSettled([1, 2, 3, 4].map(() => lockStateDir(dir)));
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('the lock of a process that was killed is taken over, and the new holder knows', async (t) => {
  verifies('R.1');
  const { dir, lockFile } = await emptyDir(t);
  const { pid } = spawnSync(process.execPath, ['--version']);
  await writeFile(lockFile, `${pid} `);
  const lock = await lockStateDir(dir);
  assert.equal(lock.isInherited, true);
  assert.equal((await readFile(lockFile, 'utf8')).split(' ')[0], String(process.pid));
  assert.deepEqual(
    (await readdir(dir.root)).filter((name) => name.endsWith('.part')),
    [],
  );
});

// Elsewhere a process cannot be asked how old it is, and the number alone has to do.
if (process.platform === 'linux') {
  test('a lock whose number now belongs to another process is stale', async (t) => {
    const { dir, lockFile } = await emptyDir(t);
    // As in a container, where every start gets the same number.
    await writeFile(lockFile, `${process.pid} 00000000-0000-4000-8000-000000000000/1`);
    assert.equal((await lockStateDir(dir)).isInherited, true);
  });
}
