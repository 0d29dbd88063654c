import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url));
const STARTED = 'Deadlatch is running.';
const START_WITHIN_MS = 120_000;
/** Distances from the first port to each of the others, all below 100. */
const PORT_SPAN = 100;

/** A whole system in a state directory of its own, started as anybody would start it. */
export interface System {
  readonly stateDir: string;
  readonly portBase: number;
  /** Everything it has printed so far. */
  output(): string;
  /** Ends it as Ctrl-C would; resolves to the exit code when the supervisor is gone. */
  stop(): Promise<number | null>;
}

/**
 * Starts `deadlatch up` and waits until it says that it runs.
 * @throws Error with what it printed when it does not start
 */
export async function startSystem(options: {
  readonly stateDir: string;
  readonly portBase: number;
  readonly profile?: 'demo' | 'empty';
  /** Of the supervisor, beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that ends by becoming the one it is given; it says where the system runs. */
  readonly within?: readonly string[];
}): Promise<System> {
  const { stateDir, portBase, profile = 'demo', within = [] } = options;
  const where = ['--state-dir', stateDir, '--port-base', String(portBase)];
  const up = [process.execPath, CLI, 'up', ...where, '--profile', profile];
  const [program = process.execPath, ...args] = [...within, ...up];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const running = Promise.withResolvers<void>();
  let output = '';
  const keep = (chunk: Buffer) => {
    output += chunk.toString('utf8');
    if (output.includes(STARTED)) running.resolve();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const late = setTimeout(
    () => running.reject(new Error(`it did not start in time:\n${output}`)),
    START_WITHIN_MS,
  );
  void ended.then((code) => running.reject(new Error(`it ended with ${code}:\n${output}`)));
  try {
    await running.promise;
  } catch (error) {
    child.kill('SIGTERM');
    await ended;
    throw error;
  } finally {
    clearTimeout(late);
  }
  return {
    stateDir,
    portBase,
    output: () => output,
    async stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
}

/**
 * Runs `work` against the system of `stateDir` if one runs there, else against one of its own that is stopped, and
 * removed unless a directory was named, afterwards.
 */
export async function withSystem<T>(
  options: { readonly stateDir?: string | undefined; readonly portBase?: string | undefined },
  work: (stateDir: string) => Promise<T>,
): Promise<T> {
  const named = options.stateDir ?? (existsSync(join('.deadlatch', 'run.json')) ? '.deadlatch' : undefined);
  if (named !== undefined && existsSync(join(named, 'run.json'))) return work(resolve(named));
  const stateDir = named ?? (await mkdtemp(join(tmpdir(), 'deadlatch-')));
  const portBase = options.portBase ? Number(options.portBase) : await freePortBase();
  const system = await startSystem({ stateDir, portBase });
  try {
    return await work(resolve(stateDir));
  } finally {
    await system.stop();
    if (named === undefined) await rm(stateDir, { recursive: true, force: true });
  }
}

/** A first port with room above it; drawn, so that systems started at the same time rarely meet. */
export async function freePortBase(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const base = 10_000 + Math.floor(Math.random() * 200) * PORT_SPAN;
    const probes = [0, 10, 20, 21, 30, 40, 50, 60, 61, 70, 75, 80, 90, 95, 99].map((distance) =>
      isFree(base + distance),
    );
    if ((await Promise.all(probes)).every(Boolean)) return base;
  }
  throw new Error('no free ports');
}

/** Whether nobody listens on this port of the loopback address. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => done(true)));
  });
}
