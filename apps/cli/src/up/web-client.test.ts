import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { StartError } from '../arguments.ts';
import { buildConsole } from './web-client.ts';

let workspace: string;
before(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'deadlatch-console-'));
  await mkdir(join(workspace, 'apps/web'), { recursive: true });
});
after(() => rm(workspace, { recursive: true, force: true }));

const buildWith = async (program: string) => {
  await writeFile(join(workspace, 'apps/web/build.ts'), program);
  const said: string[] = [];
  return { said, build: buildConsole(workspace, (line) => said.push(line)) };
};

test('a build that succeeds is done', async () => {
  const { said, build } = await buildWith('');
  await build.done;
  assert.deepEqual(said, ['building the console (first start only)']);
});

test('a build that fails is one sentence', async () => {
  const { build } = await buildWith('throw new Error("main.tsx: unexpected end of file");');
  await assert.rejects(
    build.done,
    (error) =>
      error instanceof StartError &&
      error.message === 'The console could not be built: Error: main.tsx: unexpected end of file',
  );
});

test('a build that nobody waits for any more ends', async () => {
  const { build } = await buildWith('setTimeout(() => {}, 600_000);');
  await build.abandon();
  await assert.rejects(build.done, StartError);
});
