import { type Clock, DispatchError, refuse } from '@deadlatch/kernel';

/** Keeps whoever tries made-up links and sessions away from identity. */
export interface GuessLimit {
  /**
   * Runs `ask`, which finds out whether a secret is one; a secret that is none costs its sender.
   * @param address where the request came from
   * @throws DispatchError `rate_limited`, before anybody is asked, when the address has nothing left; else whatever
   *   `ask` throws
   */
  attempt<Result>(address: string, ask: () => Promise<Result>): Promise<Result>;
}

/** Misses that an address may have at once, and how long one takes to come back. */
const MISSES = 20;
const COMES_BACK_MS = 3_000;
/** Addresses that are remembered; the oldest is forgotten first. What gets past has identity's own budget. */
const CAPACITY = 10_000;

/**
 * A token bucket per address, for one process.
 * @invariant requests at the same moment cannot spend the same token: it is taken first, and given back on success
 * @source design 03: a flood cannot fill the log
 */
export function createGuessLimit(now: Clock): GuessLimit {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const bucketOf = (address: string) => {
    const before = buckets.get(address) ?? { tokens: MISSES, at: now() };
    const back = Math.max(0, now() - before.at) / COMES_BACK_MS;
    const bucket = { tokens: Math.min(MISSES, before.tokens + back), at: now() };
    const oldest = buckets.size >= CAPACITY ? buckets.keys().next().value : undefined;
    if (oldest !== undefined && !buckets.has(address)) buckets.delete(oldest);
    buckets.set(address, bucket);
    return bucket;
  };
  return {
    attempt: async (address, ask) => {
      const bucket = bucketOf(address);
      if (bucket.tokens < 1) refuse('rate_limited', { detail: 'guesses' });
      bucket.tokens -= 1;
      let isMiss = false;
      try {
        return await ask();
      } catch (error) {
        isMiss = error instanceof DispatchError && error.code === 'unauthenticated';
        throw error;
      } finally {
        if (!isMiss) bucketOf(address).tokens += 1;
      }
    },
  };
}
