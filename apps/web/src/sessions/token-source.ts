import { createHash } from 'node:crypto';
import type { GuessLimit } from '@deadlatch/http';
import { type Clock, DispatchError } from '@deadlatch/kernel';
import type { Identity, PersonToken } from '../peers.ts';
import type { Visitor } from './current-session.ts';

/** Tokens for the people behind cookies, kept for seconds and never longer than they live. */
export interface TokenSource {
  /**
   * For reads: a token is shared by what a person reads within seconds.
   * @throws DispatchError `unauthenticated` when the session is unknown or over; `rate_limited` when too many that
   *   came from there were
   */
  get(visitor: Visitor): Promise<PersonToken>;
  /** A token for one command alone, with a correlation id of its own (F.2). @throws DispatchError as `get` */
  forCommand(visitor: Visitor): Promise<string>;
  /**
   * Runs `use` with a token. A kept token that is refused is dropped and asked for once more, so that a key
   * or session change at identity costs nobody a failed click.
   */
  using<Result>(visitor: Visitor, use: (token: string) => Promise<Result>): Promise<Result>;
  forget(visitor: Visitor): void;
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
 * @param newId mints the correlation id of a command, or of what is read under one token
 * @invariant the cache is keyed by a hash, so a dump of it holds no cookie; it is bounded
 */
export function createTokenSource(options: {
  readonly identity: Identity;
  readonly guesses: GuessLimit;
  readonly now: Clock;
  readonly newId: () => string;
}): TokenSource {
  const kept = new Map<string, Kept>();
  const nameOf = ({ session }: Visitor) => createHash('sha256').update(session).digest('base64url');

  /** A session that was good before is asked about freely: a neighbour's guesses must not sign anybody out. */
  const mint = (name: string, { session, address }: Visitor): Promise<PersonToken> => {
    const ask = () => options.identity.tokenFor(session, options.newId());
    return kept.has(name) ? ask() : options.guesses.attempt(address, ask);
  };
  const fresh = (name: string, visitor: Visitor): Promise<PersonToken> => {
    const token = mint(name, visitor);
    // The oldest entry goes first: a Map keeps insertion order.
    const oldest = kept.size >= CAPACITY ? kept.keys().next().value : undefined;
    if (oldest !== undefined) kept.delete(oldest);
    const entry: Kept = { token, until: options.now() + KEEP_MS };
    kept.delete(name);
    kept.set(name, entry);
    token.catch(() => {
      if (kept.get(name) === entry) kept.delete(name);
    });
    return token;
  };

  const get = async (visitor: Visitor): Promise<{ person: PersonToken; wasKept: boolean }> => {
    const name = nameOf(visitor);
    const entry = kept.get(name);
    if (entry && options.now() < entry.until) {
      const person = await entry.token;
      if (options.now() < person.expiresAt - MARGIN_MS) return { person, wasKept: true };
    }
    return { person: await fresh(name, visitor), wasKept: false };
  };

  const forget = (visitor: Visitor) => void kept.delete(nameOf(visitor));
  return {
    get: async (visitor) => (await get(visitor)).person,
    forCommand: async (visitor) => {
      try {
        return (await mint(nameOf(visitor), visitor)).token;
      } catch (error) {
        if (error instanceof DispatchError && error.code === 'unauthenticated') forget(visitor);
        throw error;
      }
    },
    using: async (visitor, use) => {
      const { person, wasKept } = await get(visitor);
      try {
        return await use(person.token);
      } catch (error) {
        const stale = wasKept && error instanceof DispatchError && error.code === 'unauthenticated';
        if (!stale) throw error;
        forget(visitor);
        return use((await get(visitor)).person.token);
      }
    },
    forget,
  };
}
