import { type Clock, DispatchError, type ErrorCode, refuse } from '@deadlatch/kernel';

/** How many at once, and how fast they come back. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * Every rate of the system, for one process each: what is beyond is `rate_limited`. Far above what people and
 * services of ours do, so that only a flood meets them.
 * @source design 08, size and rate limit come first; T1.8, R.6
 */
export const RATES = {
  /** Requests of one service, or of one address where no certificate is asked for. */
  peer: { burst: 4_000, perSecond: 2_000 },
  /** Requests of one signed-in browser. */
  session: { burst: 400, perSecond: 40 },
  /** Refused commands of one person through one service; what is accepted costs nothing. */
  refusals: { burst: 300, perSecond: 2 },
  /** Made-up secrets from one address. */
  guesses: { burst: 20, perSecond: 1 / 3 },
  /** Texts that are kept of people whom nobody knows: of one of them, and of all together. */
  strangerTexts: { burst: 60, perSecond: 1 / 30 },
  allStrangersTexts: { burst: 300, perSecond: 1 },
} as const satisfies Readonly<Record<string, Rate>>;

/** Token buckets by name. */
export interface RateLimit {
  /** Takes one. @throws DispatchError `rate_limited` when the name has none left */
  spend(name: string): void;
  /**
   * Runs `work`, which costs one only when it fails with one of the codes.
   * @throws DispatchError `rate_limited`, before anything is run, when the name has none left; else what `work` throws
   */
  attempt<Result>(
    name: string,
    costs: (code: ErrorCode) => boolean,
    work: () => Promise<Result>,
  ): Promise<Result>;
}

/** Names that are remembered; the one that was silent longest is forgotten first, and starts anew. */
const CAPACITY = 10_000;

/**
 * @invariant requests at the same moment cannot spend the same token: it is taken first, and given back afterwards
 * @invariant memory is bounded, whoever knocks
 */
export function createRateLimit(rate: Rate, now: Clock, capacity: number = CAPACITY): RateLimit {
  const { burst, perSecond } = rate;
  const buckets = new Map<string, { tokens: number; readonly at: number }>();
  const bucketOf = (name: string) => {
    const at = now();
    const before = buckets.get(name) ?? { tokens: burst, at };
    const back = (Math.max(0, at - before.at) / 1000) * perSecond;
    const bucket = { tokens: Math.min(burst, before.tokens + back), at };
    // Taken out and put in again: a Map keeps the order of insertion.
    buckets.delete(name);
    const oldest = buckets.size >= capacity ? buckets.keys().next().value : undefined;
    if (oldest !== undefined) buckets.delete(oldest);
    buckets.set(name, bucket);
    return bucket;
  };
  const spend = (name: string): void => {
    const bucket = bucketOf(name);
    if (bucket.tokens < 1) refuse('rate_limited', { detail: 'rate' });
    bucket.tokens -= 1;
  };
  return {
    spend,
    attempt: async (name, costs, work) => {
      spend(name);
      let hasCost = false;
      try {
        return await work();
      } catch (error) {
        hasCost = error instanceof DispatchError && costs(error.code);
        throw error;
      } finally {
        if (!hasCost) bucketOf(name).tokens += 1;
      }
    },
  };
}

/** Keeps whoever tries made-up secrets away from those who know the real ones. */
export interface GuessLimit {
  /**
   * Runs `ask`, which finds out whether a secret is one; a secret that is none costs its sender.
   * @param address where the request came from
   * @throws DispatchError `rate_limited`, before anybody is asked, when the address has nothing left; else whatever
   *   `ask` throws
   */
  attempt<Result>(address: string, ask: () => Promise<Result>): Promise<Result>;
}

/** @source design 03: a flood cannot fill the log */
export function createGuessLimit(now: Clock): GuessLimit {
  const limit = createRateLimit(RATES.guesses, now);
  const isMiss = (code: ErrorCode) => code === 'unauthenticated' || code === 'not_found';
  return { attempt: (address, ask) => limit.attempt(address, isMiss, ask) };
}
