import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@deadlatch/catalogue';
import { peersOf } from '../../../apps/cli/src/peers.ts';
import { type RunFile, readRunFile } from '../../../apps/cli/src/run-file.ts';
import { until } from '../../scenario/browser.ts';
import { isFree } from '../../support/system.ts';

/** Longest outage on a busy machine. */
const RECOVERED_WITHIN_MS = 60_000;
/** Longest pause before each kill. */
const SPREAD_MS = 400;

export type Victim = 'postgres' | 'imager' | (string & {});

export function pidOf(run: RunFile, victim: Victim): number {
  if (victim === 'postgres') return run.postgres.pid;
  if (victim === 'imager') return run.imager.pid;
  return run.services[victim]?.pid ?? 0;
}

/**
 * Kills each of these processes so many times as `kill -9` does: at a random moment, as soon as it is ready again
 * after the last time, and whatever state the others are in. Waits until everybody is ready.
 * @returns how long all of it took, in milliseconds
 */
export async function killEach(stateDir: string, victims: readonly Victim[], times: number): Promise<number> {
  const started = performance.now();
  const killOften = async (victim: Victim) => {
    let dead = 0;
    for (let death = 0; death < times; death += 1) {
      await untilBack(stateDir, victim, dead);
      await sleep(Math.random() * SPREAD_MS);
      dead = pidOf(await readRunFile(stateDir), victim);
      kill(dead);
    }
    await untilBack(stateDir, victim, dead);
  };
  await Promise.all(victims.map(killOften));
  await untilWhole(stateDir);
  return performance.now() - started;
}

/** Waits until another process than the dead one is there, and ready. */
async function untilBack(stateDir: string, victim: Victim, dead: number): Promise<void> {
  await until(
    `${victim} to be back`,
    async () => {
      const run = await readRunFile(stateDir);
      if ([0, dead].includes(pidOf(run, victim))) return undefined;
      const isNoService = victim === 'postgres' || victim === 'imager';
      const isBack = isNoService || (await isServiceReady(run, victim as ServiceName));
      return isBack ? true : undefined;
    },
    RECOVERED_WITHIN_MS,
  );
}

/** Waits until every service is ready. */
export async function untilWhole(stateDir: string): Promise<void> {
  await until(
    'everybody to be ready',
    async () => ((await isReady(await readRunFile(stateDir))) ? true : undefined),
    RECOVERED_WITHIN_MS,
  );
}

/** @throws Error for a number that would not name one process */
export function kill(pid: number): void {
  if (!Number.isInteger(pid) || pid <= 1) throw new Error(`${pid} is no process`);
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It may have ended by itself a moment ago, of another death.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether every service says so itself. */
async function isReady(run: RunFile): Promise<boolean> {
  const names = Object.keys(run.services).filter((name) => name !== 'cli') as ServiceName[];
  return (await Promise.all(names.map((name) => isServiceReady(run, name)))).every(Boolean);
}

export async function isServiceReady(run: RunFile, name: ServiceName): Promise<boolean> {
  const peers = peersOf(run);
  try {
    const signal = AbortSignal.timeout(2_000);
    return (await peers.fetchTo(name)(`${peers.urlOf(name)}/readyz`, { signal })).ok;
  } catch {
    return false;
  }
}

/** Every process that `run.json` names. */
export function pidsOf(run: RunFile): number[] {
  const services = Object.values(run.services).map(({ pid }) => pid);
  return [...new Set([run.pid, run.postgres.pid, run.imager.pid, ...services])];
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Processes whose command line names this directory; empty where there is no /proc. */
export async function processesIn(stateDir: string): Promise<string[]> {
  const names = await readdir('/proc').catch(() => []);
  const found: string[] = [];
  for (const pid of names.filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
    const line = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '');
    if (line.includes(stateDir)) found.push(`${pid} ${line.replaceAll('\0', ' ')}`);
  }
  return found;
}

export async function gone(pids: readonly number[], withinMs: number): Promise<number[]> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const living = pids.filter(isAlive);
    if (living.length === 0 || Date.now() > deadline) return living;
    await sleep(100);
  }
}

/** Every port that the system listens on. */
export function portsOf(run: RunFile): number[] {
  const urls = Object.values(run.services).flatMap(({ url, internal_url: internal = url }) =>
    url === '' ? [] : [...new Set([url, internal])].map((each) => Number(new URL(each).port)),
  );
  return [...urls, run.postgres.port];
}

export async function takenPorts(ports: readonly number[]): Promise<number[]> {
  const free = await Promise.all(ports.map(isFree));
  return ports.filter((_, index) => !free[index]);
}
