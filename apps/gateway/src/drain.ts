import { codeOf, type Tracing, traceOf } from '@deadlatch/telemetry';
import { isTurnedAway } from './door.ts';
import { type Inbox, type InboxItem, isHopeless } from './inbox.ts';
import type { GatewayLogger } from './log-events.ts';

/** Empties the inbox in the background. */
export interface Drain {
  /**
   * Something arrived: look now. Never throws and never waits.
   * @param first name of an item that need not wait behind the others
   */
  wake(first?: string): void;
  /** Starts no further attempt and waits for the one under way. */
  close(): Promise<void>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** So many different items failing in a row is an outage; asking for every other one would only feed it. */
const OUTAGE_AFTER = 3;

/**
 * Hands every waiting item on, oldest first, one at a time. An item that fails waits longer each time and never
 * stands in the way of the next one; one that can never succeed is held for a person.
 * @param handOver resolves when nothing is left to do for the item; must be safe to repeat
 * @param random in [0, 1), spreads the attempts of replicas
 * @source R.5
 */
export function createDrain(options: {
  readonly inbox: Inbox;
  readonly handOver: (item: InboxItem) => Promise<void>;
  readonly now: () => number;
  readonly random: () => number;
  readonly logger: GatewayLogger;
  readonly tracing: Tracing;
}): Drain {
  const { inbox, handOver, now, random, logger, tracing } = options;
  const retries = new Map<string, { attempts: number; notBefore: number }>();
  const first: string[] = [];
  let running: Promise<void> | null = null;
  let isWoken = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  const wait = (attempts: number): number =>
    Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts, 10)) * (0.5 + random() / 2);

  const schedule = (waitMs: number): void => {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(() => wake(), waitMs);
  };

  /** @returns whether the item is gone from the waiting ones */
  const attempt = async (name: string, item: InboxItem): Promise<boolean> => {
    try {
      await tracing.resume('inbox.hand_over', item.traceparent ?? null, { 'deadlatch.item': item.kind }, () =>
        handOver(item),
      );
      await inbox.finish(name);
      retries.delete(name);
      logger.event('inbox.handed_over', { kind: item.kind });
      return true;
    } catch (error) {
      if (isHopeless(error)) {
        await hold(name, error);
        return true;
      }
      if (isTurnedAway(error)) {
        await inbox.finish(name);
        retries.delete(name);
        logger.event('inbox.turned_away', {});
        return true;
      }
      const attempts = retries.get(name)?.attempts ?? 0;
      retries.set(name, { attempts: attempts + 1, notBefore: now() + wait(attempts) });
      logger.event('inbox.retry', { code: codeOf(error), attempts: attempts + 1, waiting: retries.size });
      return false;
    }
  };

  const hold = async (name: string, error: unknown): Promise<void> => {
    await inbox.hold(name);
    retries.delete(name);
    logger.event('inbox.held', { code: codeOf(error) });
  };

  const readDue = async (): Promise<[string, InboxItem][]> => {
    const due: [string, InboxItem][] = [];
    for (const name of await inbox.names()) {
      if ((retries.get(name)?.notBefore ?? 0) > now()) continue;
      try {
        due.push([name, await inbox.read(name)]);
      } catch (error) {
        if (!isHopeless(error)) throw error;
        await hold(name, error);
      }
    }
    return due.sort(([, a], [, b]) => (a.received_at < b.received_at ? -1 : 1));
  };

  /** @returns the names that were tried; what cannot be read is left to the line */
  const attemptFirst = async (): Promise<readonly string[]> => {
    const names = first.splice(0);
    for (const name of names) {
      const item = isClosed ? null : await inbox.read(name).catch(() => null);
      if (item !== null) await attempt(name, item);
    }
    return names;
  };

  const pass = async (): Promise<void> => {
    let failures = 0;
    const tried = new Set<string>();
    for (const [name, item] of await readDue()) {
      for (const early of await attemptFirst()) tried.add(early);
      if (isClosed) return;
      if (tried.has(name)) continue;
      failures = (await attempt(name, item)) ? 0 : failures + 1;
      if (failures >= OUTAGE_AFTER) break;
    }
    if (failures >= OUTAGE_AFTER) return schedule(wait(3));
    const next = Math.min(...[...retries.values()].map((retry) => retry.notBefore));
    if (Number.isFinite(next)) schedule(Math.max(FIRST_WAIT_MS / 4, next - now()));
  };

  const run = async (): Promise<void> => {
    while (isWoken && !isClosed) {
      isWoken = false;
      try {
        await pass();
      } catch (error) {
        // The disk itself: nothing can be marked as done, so nothing is tried until it answers again.
        logger.event('inbox.stalled', traceOf(error));
        schedule(LONGEST_WAIT_MS / 6);
      }
    }
    running = null;
  };

  const wake = (name?: string): void => {
    if (name !== undefined) first.push(name);
    isWoken = true;
    if (running === null && !isClosed) running = run();
  };

  return {
    wake,
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
