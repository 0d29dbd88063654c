import { createHash } from 'node:crypto';
import { type Clock, DispatchError } from '@deadlatch/kernel';

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
 * @param mint asks identity; resolves to the token and its end in RFC 3339
 */
export function createTurnTokens(
  mint: (turnGrant: string) => Promise<{ token: string; expires_at: string }>,
  now: Clock,
): TurnTokens {
  const kept = new Map<string, Minted>();
  return {
    async tokenFor(turnGrant) {
      const key = createHash('sha256').update(turnGrant).digest('base64url');
      const known = kept.get(key);
      if (known && known.expiresAt - MARGIN_MS > now()) return known.token;
      kept.delete(key);
      const { token, expires_at } = await mint(turnGrant);
      const expiresAt = Date.parse(expires_at);
      if (Number.isNaN(expiresAt))
        throw new DispatchError('unavailable', { detail: 'identity answered no expiry' });
      kept.set(key, { token, expiresAt });
      const oldest = kept.keys().next().value;
      if (kept.size > CAPACITY && oldest !== undefined) kept.delete(oldest);
      return token;
    },
  };
}
