import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url));
/** A command that has not ended by then hangs. */
const PATIENCE_MS = 120_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Resolves when the output holds `text`. @throws Error with the output when the program ends before */
  says(text: string): Promise<void>;
  /** To the process and everything in its group, as a terminal's Ctrl-C does. */
  signalGroup(signal: NodeJS.Signals): void;
  /** Ends it if it runs. */
  stop(): void;
}

/** The command line in a process group of its own. */
export function startCli(
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly program?: string;
  } = {},
): Started {
  const child = spawn(process.execPath, [options.program ?? CLI, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const look = () => {
    for (const check of waiting) check();
  };
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
    look();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
    look();
  });
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const ended = new Promise<Ended>((done) => {
    child.once('close', (code) => {
      clearTimeout(late);
      done({ code, stdout, stderr });
    });
  });
  return {
    pid: child.pid ?? 0,
    ended,
    says: (text) =>
      new Promise((done, fail) => {
        const check = () => {
          if (!`${stdout}${stderr}`.includes(text)) return;
          waiting.delete(check);
          done();
        };
        waiting.add(check);
        check();
        void ended.then(() => fail(new Error(`it ended without saying "${text}":\n${stdout}${stderr}`)));
      }),
    signalGroup: (signal) => process.kill(-(child.pid ?? 0), signal),
    stop: () => void child.kill('SIGTERM'),
  };
}

/** Runs a command to its end. */
export function cli(
  args: readonly string[],
  options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Ended> {
  return startCli(args, options).ended;
}

/** A folder that is removed at the end, with what is in it. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'deadlatch start '));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Holds a port of 127.0.0.1. */
export function occupy(port: number): Promise<Server> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => done(server));
  });
}

/** Processes whose command line or environment names the folder. */
export async function processesNaming(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const [line, environment] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    if (`${line}${environment}`.includes(folder)) found.push(`${pid} ${line?.replaceAll('\0', ' ')}`);
  }
  return found;
}
