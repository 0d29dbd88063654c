import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { keptLocation } from './embedded-server.ts';

const run = promisify(execFile);

/**
 * The process that serves `dataDir` now, or null. A process id in the lock file proves nothing by itself: after a
 * crash another program may have it, so the process must also be PostgreSQL.
 */
export async function livingPostmaster(dataDir: string): Promise<number | null> {
  const lock = await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => null);
  const pid = Number(lock?.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1) return null;
  const commandLine = await commandLineOf(pid);
  return commandLine !== null && /postgres/.test(commandLine) && commandLine.includes(dataDir) ? pid : null;
}

/** Removes the lock file that a crash left behind. Call only when `livingPostmaster` said null. */
export async function removeStaleLock(dataDir: string): Promise<void> {
  await rm(join(dataDir, 'postmaster.pid'), { force: true });
}

/**
 * Stops a server whose supervisor was killed, so that the next start finds the folder free.
 * Waits up to ten seconds. Does nothing when none runs.
 * @returns whether one was stopped
 */
export async function stopOrphan(directory: string): Promise<boolean> {
  const dataDir = join((await keptLocation(directory)) ?? directory, 'data');
  const pid = await livingPostmaster(dataDir);
  if (pid === null) return false;
  process.kill(pid, 'SIGINT');
  for (let waited = 0; waited < 10_000; waited += 100) {
    if ((await livingPostmaster(dataDir)) === null) return true;
    await sleep(100);
  }
  process.kill(pid, 'SIGQUIT');
  return true;
}

async function commandLineOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
    return raw === null || raw === '' ? null : raw.replaceAll('\0', ' ');
  }
  if (process.platform === 'win32') return null;
  const { stdout } = await run('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({ stdout: '' }));
  return stdout.trim() === '' ? null : stdout;
}
