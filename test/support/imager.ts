import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { imagerCommandLine, imagerEnvironment, isImagerReady } from '../../apps/cli/src/up/imager.ts';
import type { StateDir } from '../../apps/cli/src/up/state-dir.ts';

export interface RunningImager {
  readonly pid: number;
  /** SIGKILL, and waits until it is gone. */
  stop(): Promise<void>;
}

const STARTS_WITHIN_MS = 30_000;

/** Starts the real imager under the permissions it has in production. */
export async function startTestImager(state: StateDir, workspace: string): Promise<RunningImager> {
  const child = spawn(process.execPath, imagerCommandLine(state, workspace), {
    env: { ...imagerEnvironment(state), DEADLATCH_SUPERVISED: 'yes' },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2_000);
  });
  child.stdin.on('error', () => undefined);
  const gone = once(child, 'close');
  const deadline = Date.now() + STARTS_WITHIN_MS;
  while (!(await isImagerReady(state))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`imager did not start: ${said}`);
    await sleep(20);
  }
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
