import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
  /** Called for every exit that nobody asked for, with how many there were in a row. */
  readonly onUnexpectedExit: (name: string, code: number | null, signal: string | null) => void;
  /** Called for every process that is started after the first. */
  readonly onRestart: () => void;
}

/** One service process that is started again whenever it dies without being asked to. */
export interface Child {
  readonly name: string;
  /** Of the process that runs, or ran last; never 0, with which a signal would go to the asker's own group. */
  pid(): number | undefined;
  /** Rejects when the process gives up, or is stopped, before `until` resolves to true. */
  started(until: () => Promise<boolean>, timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** A little more than a service gives its open requests, after which it ends itself. */
const STOP_GRACE_MS = 9_000;
const FIRST_RESTART_MS = 200;
const LONGEST_RESTART_MS = 5_000;
/** A process that lived this long starts counting its failures anew. */
const HEALTHY_AFTER_MS = 30_000;

/**
 * Starts a process and keeps it running.
 *
 * Its standard input is a pipe that only closes when this process is gone: services end themselves then, so even
 * a supervisor that was killed leaves nothing behind.
 */
export function keepRunning(options: ChildOptions): Child {
  const log: WriteStream = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  let current: ChildProcess | undefined;
  let pid: number | undefined;
  let stopping = false;
  let failures = 0;
  let restart: NodeJS.Timeout | undefined;
  let lastLines = '';

  const start = () => {
    const startedAt = Date.now();
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: { ...options.env, DEADLATCH_SUPERVISED: 'yes' },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C in a terminal reaches this process alone, which then stops them in order.
      detached: true,
    });
    current = child;
    pid = child.pid ?? pid;
    const keep = (chunk: Buffer) => {
      log.write(chunk);
      lastLines = (lastLines + chunk.toString('utf8')).slice(-2_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => keep(Buffer.from(`${error.message}\n`)));
    child.on('close', (code, signal) => {
      current = undefined;
      if (stopping) return;
      failures = Date.now() - startedAt > HEALTHY_AFTER_MS ? 1 : failures + 1;
      options.onUnexpectedExit(options.name, code, signal);
      restart = setTimeout(again, Math.min(FIRST_RESTART_MS * 2 ** (failures - 1), LONGEST_RESTART_MS));
    });
  };
  const again = () => {
    start();
    options.onRestart();
  };
  start();

  return {
    name: options.name,
    pid: () => pid,
    async started(until, timeoutMs) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        if (await until()) return;
        // Whoever stops during a start is not kept waiting for what will never be ready.
        if (stopping) throw new Error(`${options.name} was stopped before it was ready.`);
        const gaveUp = failures >= 3 || Date.now() > deadline;
        if (gaveUp) {
          const said = lastLines.trim().split('\n').slice(-5).join('\n  ');
          throw new Error(
            `${options.name} did not become ready. Its last words (${options.logFile}):\n  ${said}`,
          );
        }
        await sleep(50);
      }
    },
    async stop() {
      stopping = true;
      clearTimeout(restart);
      const child = current;
      if (child && child.exitCode === null && child.signalCode === null) {
        const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
        child.kill('SIGTERM');
        const force = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
        await gone;
        clearTimeout(force);
      }
      await new Promise<void>((resolve) => log.end(() => resolve()));
    },
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
