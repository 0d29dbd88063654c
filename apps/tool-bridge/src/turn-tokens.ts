import { createHash } from 'node:crypto';
import { type Clock, DispatchError, type JsonValue } from '@deadlatch/kernel';
import { JWS } from '@deadlatch/signing';

/** A user token for one turn, minted by `identity` from the turn's grant. */
export interface TurnTokens {
  /** @throws DispatchError `unauthenticated` or `unavailable` as identity said */
  tokenFor(turnGrant: string): Promise<string>;
}

interface Minted {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** More live turns than this at once and the oldest token is minted again. */
const CAPACITY = 1_000;
/** A token that is about to end is not used for one more call. */
const MARGIN_MS = 10_000;

/**
 * Keeps each turn's token for as long as it lives, so that a turn of five calls costs one mint.
 * @param mint asks identity; resolves to `{token, expires_at}` with its end in RFC 3339
 */
export function createTurnTokens(options: {
  readonly mint: (turnGrant: string) => Promise<JsonValue>;
  readonly now: Clock;
  readonly capacity?: number;
}): TurnTokens {
  const { mint, now, capacity = CAPACITY } = options;
  const kept = new Map<string, Minted>();
  const minting = new Map<string, Promise<string>>();

  const mintAndKeep = async (key: string, turnGrant: string): Promise<string> => {
    const minted = readMinted(await mint(turnGrant));
    // Deleted first, so that the order of the map is the order of minting.
    kept.delete(key);
    kept.set(key, minted);
    const oldest = kept.keys().next().value;
    if (kept.size > capacity && oldest !== undefined) kept.delete(oldest);
    return minted.token;
  };

  return {
    tokenFor(turnGrant) {
      // By its hash: a grant is not kept longer than the call that brought it.
      const key = createHash('sha256').update(turnGrant).digest('base64url');
      const known = kept.get(key);
      if (known && known.expiresAt - MARGIN_MS > now()) return Promise.resolve(known.token);
      const running = minting.get(key);
      if (running) return running;
      const started = mintAndKeep(key, turnGrant).finally(() => minting.delete(key));
      minting.set(key, started);
      return started;
    },
  };
}

function readMinted(answer: JsonValue): Minted {
  const { token, expires_at } = (answer ?? {}) as { token?: unknown; expires_at?: unknown };
  const expiresAt = typeof expires_at === 'string' ? Date.parse(expires_at) : Number.NaN;
  if (typeof token !== 'string' || !JWS.test(token) || Number.isNaN(expiresAt)) {
    throw new DispatchError('unavailable', { detail: 'identity answered no token' });
  }
  return { token, expiresAt };
}
