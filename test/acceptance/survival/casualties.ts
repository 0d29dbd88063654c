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
const SPREAD_MS = 700;

export type Victim = 'postgres' | (string & {});

export function pidOf(run: RunFile, victim: Victim): number {
  return victim === 'postgres' ? run.postgres.pid : (run.services[victim]?.pid ?? 0);
}

/**
 * Kills these processes as `kill -9` does, in any order and at random moments close to one another, and waits until
 * everybody is ready again.
 * @returns how long it took from the last death until the system was whole, in milliseconds
 */
export async function killAndRecover(stateDir: string, victims: readonly Victim[]): Promise<number> {
  const dead = new Map<Victim, number>();
  for (const victim of shuffled(victims)) {
    await sleep(Math.random() * SPREAD_MS);
    const pid = pidOf(await readRunFile(stateDir), victim);
    kill(pid);
    dead.set(victim, pid);
  }
  const started = performance.now();
  const isReplaced = (run: RunFile) =>
    victims.every((victim) => ![0, dead.get(victim)].includes(pidOf(run, victim)));
  await until(
    `${victims.join(', ')} to be back`,
    async () => {
      const run = await readRunFile(stateDir);
      return isReplaced(run) && (await isReady(run)) ? true : undefined;
    },
    RECOVERED_WITHIN_MS,
  );
  return performance.now() - started;
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

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Whether every service says so itself. */
export async function isReady(run: RunFile): Promise<boolean> {
  const peers = peersOf(run);
  const names = Object.keys(run.services).filter((name) => name !== 'cli') as ServiceName[];
  const answers = await Promise.all(
    names.map((name) =>
      peers
        .fetchTo(name)(`${peers.urlOf(name)}/readyz`, { signal: AbortSignal.timeout(2_000) })
        .then(
          (response) => response.ok,
          () => false,
        ),
    ),
  );
  return answers.every(Boolean);
}

/** Every process that `run.json` names. */
export function pidsOf(run: RunFile): number[] {
  const services = Object.values(run.services).map(({ pid }) => pid);
  return [...new Set([run.pid, run.postgres.pid, ...services])];
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
