import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Child, keepRunning } from './child.ts';

const FOR_EVER = 'setInterval(() => {}, 1000)';

async function start(
  t: TestContext,
  script: string,
): Promise<{ child: Child; exits: string[]; restarts: number[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'deadlatch-child-'));
  const exits: string[] = [];
  const restarts: number[] = [];
  const child = keepRunning({
    name: 'probe',
    command: process.execPath,
    args: ['-e', script],
    env: {},
    cwd: folder,
    logFile: join(folder, 'probe.log'),
    onUnexpectedExit: (name, code, signal) => exits.push(`${name} ${signal ?? code}`),
    onRestart: () => restarts.push(child.pid() ?? 0),
  });
  t.after(async () => {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return { child, exits, restarts };
}

test('a stop during the start ends the wait for what will never be ready', async (t) => {
  const { child } = await start(t, FOR_EVER);
  const waiting = child.started(async () => false, 60_000);
  const refused = assert.rejects(waiting, /stopped before it was ready/);
  await child.stop();
  await refused;
});

test('a process that keeps dying is given up with its last words', async (t) => {
  const { child, exits } = await start(t, 'console.error("no such thing"); process.exit(3)');
  await assert.rejects(
    child.started(async () => false, 60_000),
    /did not become ready.*no such thing/s,
  );
  assert.ok(exits.length >= 3);
  assert.equal(exits[0], 'probe 3');
});

test('a process that is killed is started again under a new id', async (t) => {
  const { child, exits, restarts } = await start(t, FOR_EVER);
  const first = child.pid();
  assert.ok(first);
  process.kill(first, 'SIGKILL');
  while (restarts.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(exits, ['probe SIGKILL']);
  assert.notEqual(child.pid(), first);
});
