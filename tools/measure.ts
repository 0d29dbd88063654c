/**
 * `npm run measure [-- --json FILE]`: how long starts take, and the memory of the whole system at rest.
 * Starts its own in a temporary folder, twice. No test: a slow or busy machine fails nothing.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { readRunFile } from '../apps/cli/src/run-file.ts';
import { freePortBase } from '../test/support/system.ts';

const CLI = fileURLToPath(new URL('../apps/cli/src/main.ts', import.meta.url));
/** Until timers have run once and what the start allocated is collected. */
const REST_MS = 15_000;
const BYTES_PER_MB = 1024 * 1024;

interface Start {
  readonly ms: number;
  readonly phasesMs: Readonly<Record<string, number>>;
  readonly pid: number;
  /** @returns milliseconds until everything had ended */
  stop(): Promise<number>;
}

async function start(stateDir: string, portBase: number): Promise<Start> {
  const began = performance.now();
  const args = [
    '--max-semi-space-size=2',
    CLI,
    'up',
    '--json',
    '--state-dir',
    stateDir,
    '--port-base',
    String(portBase),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  const interrupt = () => child.kill('SIGINT');
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const line = await new Promise<string>((done, fail) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('\n')) done(text);
    });
    void ended.then(() => fail(new Error('it did not start')));
  });
  const ms = performance.now() - began;
  return {
    ms,
    phasesMs: (JSON.parse(line) as { phases_ms: Record<string, number> }).phases_ms,
    pid: child.pid ?? 0,
    async stop() {
      const asked = performance.now();
      child.kill('SIGINT');
      await ended;
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
      return performance.now() - asked;
    },
  };
}

/** Proportional set size in bytes by process id, of a process and all that descend from it. */
async function memoryOf(root: number): Promise<ReadonlyMap<number, number>> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : '';
    const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isBelow = (pid: number): boolean => pid === root || (pid > 1 && isBelow(parents.get(pid) ?? 0));
  const memory = new Map<number, number>();
  for (const pid of parents.keys()) {
    if (!isBelow(pid)) continue;
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    memory.set(pid, Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024);
  }
  return memory;
}

/** Megabytes by the name of the process; everything of PostgreSQL is one. */
async function named(memory: ReadonlyMap<number, number>, stateDir: string) {
  const run = await readRunFile(stateDir);
  const names = new Map([
    ...Object.entries(run.services).map(([name, { pid }]) => [pid, name] as const),
    [run.pid, 'supervisor'] as const,
    [run.imager.pid, 'imager'] as const,
  ]);
  const sums = new Map<string, number>();
  for (const [pid, bytes] of memory) {
    const name = names.get(pid) ?? 'postgres';
    sums.set(name, (sums.get(name) ?? 0) + bytes);
  }
  return Object.fromEntries([...sums].map(([name, bytes]) => [name, Math.round(bytes / BYTES_PER_MB)]));
}

async function measure() {
  const stateDir = await mkdtemp(join(tmpdir(), 'deadlatch-measure-'));
  await chmod(stateDir, 0o711);
  const portBase = await freePortBase();
  try {
    const first = await start(stateDir, portBase);
    const firstStop = await first.stop();
    const later = await start(stateDir, portBase);
    try {
      await sleep(REST_MS);
      const memory = process.platform === 'linux' ? await memoryOf(later.pid) : new Map<number, number>();
      const total = [...memory.values()].reduce((sum, bytes) => sum + bytes, 0);
      return {
        first_start_ms: Math.round(first.ms),
        later_start_ms: Math.round(later.ms),
        stop_ms: Math.round(firstStop),
        pss_mb: Math.round(total / BYTES_PER_MB),
        pss_mb_by_process: await named(memory, stateDir),
        first_phases_ms: first.phasesMs,
        later_phases_ms: later.phasesMs,
      };
    } finally {
      await later.stop();
    }
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({ options: { json: { type: 'string' } } });
  const result = await measure();
  for (const [key, value] of Object.entries(result)) console.log(`${key}: ${JSON.stringify(value)}`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
}
