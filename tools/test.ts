/**
 * `npm test [-- file, folder or pattern …]`: every test, on a fresh machine, nothing else to install.
 * Starts one PostgreSQL, migrates a template that each test file copies, runs `node --test`, stops everything.
 */
import { randomBytes } from 'node:crypto';
import { globSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import {
  ensureDatabase,
  LOGIN_ROLE_NAMES,
  type LoginRole,
  migrate,
  startEmbeddedPostgres,
} from '@deadlatch/postgres';

const PATTERNS = [
  'packages/**/*.test.ts',
  'apps/**/*.test.ts',
  'sql/**/*.test.ts',
  'test/**/*.test.ts',
  'tools/**/*.test.ts',
];
const TEMPLATE = 'deadlatch_template';
/** Files at once. Those that start whole systems wait half of their time, which one more beside them uses. */
const AT_ONCE = { systems: 2, beside: 1, alone: 2 };

async function main(): Promise<number> {
  const wanted = process.argv.slice(2);
  const files = [
    ...new Set((wanted.length > 0 ? wanted.map(asPattern) : PATTERNS).flatMap((p) => globSync(p))),
  ]
    // Fixtures are trees to be looked at, not run.
    .filter((file) => !/(^|[\\/])(node_modules|fixtures)[\\/]/.test(file))
    .sort();
  if (files.length === 0) {
    console.error(`No test file matches ${wanted.join(' ')}.`);
    return 2;
  }
  const directory = await mkdtemp(join(tmpdir(), 'deadlatch-test-'));
  // Every file is a process of its own that loads much of the same code.
  process.env.NODE_COMPILE_CACHE = join(directory, 'compiled');
  const stopped = new AbortController();
  const interrupt = () => stopped.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const server = await startEmbeddedPostgres({ directory, port: await freePort() });
    try {
      process.env.DEADLATCH_TEST_CLUSTER = await prepareCluster(server.adminUrl);
      return await runTests(files, stopped.signal);
    } finally {
      await server.stop();
    }
  } finally {
    // A file that was broken off may be writing there still.
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Starts real processes and waits for them a lot. */
function startsSystems(file: string): boolean {
  return /(^|[\\/])test[\\/]acceptance[\\/]/.test(file) || waits(file);
}

/** Mostly lets time pass: keys and deadlines that run out. */
function waits(file: string): boolean {
  return /(acceptance[\\/](keys|runbooks)[\\/])|(witness[\\/]src[\\/]receipts\.test)/.test(file);
}

/** Those that wait stand apart from each other, so that beside each there are some that work. */
function spread(files: readonly string[]): string[] {
  const [waiting, busy] = [files.filter(waits), files.filter((file) => !waits(file))];
  const share = Math.ceil(busy.length / (waiting.length + 1));
  return [
    ...waiting.flatMap((file, i) => [file, ...busy.slice(i * share, (i + 1) * share)]),
    ...busy.slice(waiting.length * share),
  ];
}

/** A folder stands for the tests in it. */
function asPattern(wanted: string): string {
  const isFolder = statSync(wanted, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? join(wanted, '**/*.test.ts') : wanted;
}

async function prepareCluster(adminUrl: string): Promise<string> {
  const passwords = Object.fromEntries(
    LOGIN_ROLE_NAMES.map((role) => [role, randomBytes(18).toString('base64url')]),
  ) as Record<LoginRole, string>;
  await migrate({ adminUrl: await ensureDatabase(adminUrl, TEMPLATE), passwords });
  return JSON.stringify({ adminUrl, template: TEMPLATE, passwords });
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

async function runTests(files: readonly string[], signal: AbortSignal): Promise<number> {
  const systems = spread(files.filter(startsSystems));
  const others = files.filter((file) => !startsSystems(file));
  const write = (text: string) => process.stdout.write(text);
  // What two say at once would stand in each other's lines: the second has its say afterwards.
  const later: string[] = [];
  const isBeside = systems.length > 0 && others.length > 0;
  const [first, second] = await Promise.all([
    runFiles(systems, AT_ONCE.systems, signal, write),
    runFiles(others, isBeside ? AT_ONCE.beside : AT_ONCE.alone, signal, (text) =>
      isBeside ? later.push(text) : write(text),
    ),
  ]);
  for (const text of later) write(text);
  const [passed, failed] = [first.passed + second.passed, first.failed + second.failed];
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 || signal.aborted ? 1 : 0;
}

async function runFiles(
  files: readonly string[],
  concurrency: number,
  signal: AbortSignal,
  write: (text: string) => void,
): Promise<Counts> {
  let counts: Counts = { passed: 0, failed: 0 };
  if (files.length === 0) return counts;
  const stream = run({ files: [...files], concurrency, signal });
  stream.on('test:summary', (summary) => {
    // The one without a file is the sum over all of them.
    if (summary.file !== undefined) return;
    const { passed, tests, skipped, todo } = summary.counts;
    counts = { passed, failed: tests - passed - skipped - todo };
  });
  for await (const chunk of stream.compose(new spec())) write(chunk as string);
  return counts;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject()));
    });
  });
}

process.exitCode = await main();
