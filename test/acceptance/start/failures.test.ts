import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePortBase } from '../../support/system.ts';
import { cli, type Ended, occupy, processesNaming, startCli, temporaryFolder } from './start.fixture.ts';

/** Whatever keeps a start from going on is one sentence and an exit code, and leaves nothing running. */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let portBase: string;

before(async () => {
  folder = await temporaryFolder();
  // The database server runs as another user when the tests run as root.
  await chmod(folder.path, 0o711);
  portBase = String(await freePortBase());
});
after(async () => {
  assert.deepEqual(await processesNaming(folder.path), []);
  await folder.remove();
});

const up = (stateDir: string) => cli(['up', '--state-dir', stateDir, '--port-base', portBase]);

/** Lines on standard error besides the progress of the start. */
function sentence(ended: Ended): string {
  const lines = ended.stderr.split('\n').filter((line) => line.startsWith('deadlatch: '));
  assert.equal(lines.length, 1, ended.stderr);
  assert.doesNotMatch(ended.stderr, /\n\s+at /, 'no stack trace');
  return lines[0] ?? '';
}

test('a port in use is named with the process that wants it', async () => {
  const vault = await occupy(Number(portBase) + 30);
  const postgres = await occupy(Number(portBase) + 99);
  try {
    const ended = await up(join(folder.path, 'ports'));
    assert.equal(ended.code, 1);
    const [first, second] = [Number(portBase) + 30, Number(portBase) + 99];
    assert.equal(
      sentence(ended),
      `deadlatch: In use by another program: port ${first} (vault), ${second} (postgres). Free it, or use --port-base.`,
    );
  } finally {
    vault.close();
    postgres.close();
  }
});

test('a state directory that cannot be written is named', async () => {
  const file = join(folder.path, 'a file');
  await writeFile(file, 'not a directory');
  const half = join(folder.path, 'half');
  await mkdir(half);
  await writeFile(join(half, 'keys'), 'not a directory');
  // Nobody can write there, root included.
  const paths = [
    file,
    join(file, 'below'),
    half,
    ...(process.platform === 'linux' ? ['/proc/deadlatch'] : []),
  ];
  for (const path of paths) {
    const ended = await up(path);
    assert.equal(ended.code, 1, path);
    assert.match(
      sentence(ended),
      /^deadlatch: The state directory .+ cannot be written \(E[A-Z]+\)\. Choose another with --state-dir\.$/,
    );
    assert.ok(sentence(ended).includes(path));
  }
});

test('a data directory with something else in it is left alone', async () => {
  const dir = join(folder.path, 'garbage');
  await mkdir(join(dir, 'postgres', 'data'), { recursive: true });
  await writeFile(join(dir, 'postgres', 'data', 'thesis.txt'), 'the only copy');
  const ended = await up(dir);
  assert.equal(ended.code, 1);
  assert.match(sentence(ended), /data holds something that is no database of PostgreSQL: move it away/);
});

test('a broken database is one sentence that says where its log is', async () => {
  const dir = join(folder.path, 'broken');
  await mkdir(join(dir, 'postgres', 'data'), { recursive: true });
  await writeFile(join(dir, 'postgres', 'data', 'PG_VERSION'), '18\n');
  await writeFile(join(dir, 'postgres', 'admin-password'), 'x\n', { mode: 0o600 });
  const ended = await up(dir);
  assert.equal(ended.code, 1);
  assert.match(sentence(ended), /^deadlatch: PostgreSQL did not start: .+ \(see .+server\.log\)\.$/);
});

test('a file of the state directory that cannot be read is named', async () => {
  const dir = join(folder.path, 'torn');
  await mkdir(dir);
  await writeFile(join(dir, 'installation.json'), '{"environment":');
  const ended = await up(dir);
  assert.equal(ended.code, 1);
  assert.match(sentence(ended), /installation\.json/);
});

test('Ctrl-C while it starts ends everything it has begun', async () => {
  const dir = join(folder.path, 'interrupted');
  const started = startCli(['up', '--state-dir', dir, '--port-base', portBase]);
  while ((await processesNaming(join(dir, 'postgres'))).length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  started.signalGroup('SIGINT');
  const ended = await started.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.doesNotMatch(ended.stdout, /is running/);
  assert.match(ended.stderr, /stopping\n$/);
  assert.deepEqual(await processesNaming(dir), []);
});

test('a command line that makes no sense is exit code 2', async () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['fly'], /there is no command "fly"/],
    [['up', '--port-base', '80'], /--port-base takes a port/],
    [['call'], /call COMMAND --as PERSON/],
    [['audit', 'show', '--ticket', 'seven'], /"seven" is no id/],
    [['migrate'], /set DATABASE_URL/],
  ];
  for (const [args, text] of wrong) {
    const ended = await cli(args);
    assert.equal(ended.code, 2, args.join(' '));
    assert.match(sentence(ended), text);
    assert.equal(ended.stdout, '');
  }
});

test('where nothing runs, exit code 4 says so', async () => {
  const dir = ['--state-dir', join(folder.path, 'nothing')];
  for (const args of [
    ['call', 'ticket.list', '--as', 'dana-dispatcher'],
    ['audit', 'verify'],
    ['audit', 'show'],
  ]) {
    const ended = await cli([...args, ...dir]);
    assert.equal(ended.code, 4, args.join(' '));
    assert.match(sentence(ended), /Nothing runs in .+nothing/);
  }
  const database = { DATABASE_URL: 'postgres://nobody:secret-word@127.0.0.1:1/deadlatch' };
  const migrate = await cli(['migrate', ...dir], { env: database });
  assert.equal(migrate.code, 4);
  assert.match(
    sentence(migrate),
    /^deadlatch: The database at 127\.0\.0\.1:1 cannot be used \(ECONNREFUSED\)\.$/,
  );
  assert.equal((await cli(['keys', 'list', ...dir])).code, 1);
  assert.equal((await cli(['doctor', ...dir])).code, 1);
});

test('the installed program passes on arguments, exit codes and the wish to end', async () => {
  const program = fileURLToPath(new URL('../../../apps/cli/bin/deadlatch.mjs', import.meta.url));
  assert.equal(await startCli(['fly'], { program }).ended.then(({ code }) => code), 2);
  const dir = join(folder.path, 'by name');
  const started = startCli(['up', '--state-dir', dir, '--port-base', portBase], { program });
  while ((await processesNaming(join(dir, 'postgres'))).length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  started.stop();
  const ended = await started.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await processesNaming(dir), []);
});

test('help is there for people and programs', async () => {
  const ended = await cli(['help']);
  assert.equal(ended.code, 0);
  for (const command of [
    'up',
    'call',
    'audit show',
    'audit verify',
    'keys list',
    'keys issue',
    'keys rotate',
    'keys revoke',
    'doctor',
    'migrate',
  ]) {
    assert.match(ended.stdout, new RegExp(`^  deadlatch ${command}\\b`, 'm'));
  }
  const json = await cli(['help', '--json']);
  assert.equal(JSON.parse(json.stdout).help, ended.stdout);
});
