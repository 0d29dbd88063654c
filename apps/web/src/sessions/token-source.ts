import { createHash } from 'node:crypto';
import { type Clock, DispatchError } from '@deadlatch/kernel';
import type { Identity, PersonToken } from '../peers.ts';

/** Tokens for the people behind cookies, kept for seconds and never longer than they live. */
export interface TokenSource {
  /** @throws DispatchError `unauthenticated` when the session is unknown or over */
  get(session: string): Promise<PersonToken>;
  /**
   * Runs `use` with a token. A kept token that is refused is dropped and asked for once more, so that a key
   * or session change at identity costs nobody a failed click.
   */
  using<Result>(session: string, use: (token: string) => Promise<Result>): Promise<Result>;
  forget(session: string): void;
}

/** Shorter than a token's 60 s, so that none expires on the way. */
const KEEP_MS = 50_000;
const MARGIN_MS = 5_000;
const CAPACITY = 1_000;

interface Kept {
  readonly token: Promise<PersonToken>;
  readonly until: number;
}

/**
 * @param newId mints the correlation id of what is done under one token
 * @invariant the cache is keyed by a hash, so a dump of it holds no cookie; it is bounded
 */
export function createTokenSource(options: {
  readonly identity: Identity;
  readonly now: Clock;
  readonly newId: () => string;
}): TokenSource {
  const kept = new Map<string, Kept>();
  const nameOf = (session: string) => createHash('sha256').update(session).digest('base64url');

  const fresh = (name: string, session: string): Promise<PersonToken> => {
    const token = options.identity.tokenFor(session, options.newId());
    // The oldest entry goes first: a Map keeps insertion order.
    const oldest = kept.size >= CAPACITY ? kept.keys().next().value : undefined;
    if (oldest !== undefined) kept.delete(oldest);
    const entry: Kept = { token, until: options.now() + KEEP_MS };
    kept.set(name, entry);
    token.catch(() => {
      if (kept.get(name) === entry) kept.delete(name);
    });
    return token;
  };

  const get = async (session: string): Promise<{ person: PersonToken; wasKept: boolean }> => {
    const name = nameOf(session);
    const entry = kept.get(name);
    if (entry && options.now() < entry.until) {
      const person = await entry.token;
      if (options.now() < person.expiresAt - MARGIN_MS) return { person, wasKept: true };
    }
    kept.delete(name);
    return { person: await fresh(name, session), wasKept: false };
  };

  const forget = (session: string) => void kept.delete(nameOf(session));
  return {
    get: async (session) => (await get(session)).person,
    using: async (session, use) => {
      const { person, wasKept } = await get(session);
      try {
        return await use(person.token);
      } catch (error) {
        const stale = wasKept && error instanceof DispatchError && error.code === 'unauthenticated';
        if (!stale) throw error;
        forget(session);
        return use((await get(session)).person.token);
      }
    },
    forget,
  };
}
