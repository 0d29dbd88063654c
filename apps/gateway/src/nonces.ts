import { refuse } from '@deadlatch/kernel';

/** Nonces of the signed requests this process accepted. */
export interface NonceMemory {
  /**
   * Uses a nonce up.
   * @param createdS and `expiresS` seconds since the epoch, as signed
   * @throws DispatchError `unauthenticated` for a nonce used before, and for a request signed before this
   * process started; `unavailable` when too many are alive
   */
  burn(keyId: string, nonce: string, createdS: number, expiresS: number): void;
}

/** The worker sends a few per second and each lives for at most 65 s. */
const MAX_ALIVE = 20_000;
/** The signature profile's tolerance between two clocks. */
const SKEW_S = 5;

/**
 * Keeps nonces in memory, for a receiver without a database.
 * @invariant What was signed before the start is refused: a restart must not make old requests fresh again.
 * @source T4.3
 */
export function createNonceMemory(now: () => number): NonceMemory {
  const startedS = Math.floor(now() / 1000);
  const alive = new Map<string, number>();
  return {
    burn: (keyId, nonce, createdS, expiresS) => {
      const nowS = now() / 1000;
      if (createdS < startedS) refuse('unauthenticated', { detail: 'signed before this process started' });
      const name = `${keyId} ${nonce}`;
      if (alive.has(name)) refuse('unauthenticated', { detail: 'nonce used before' });
      if (alive.size >= MAX_ALIVE) {
        for (const [key, endS] of alive) if (endS < nowS) alive.delete(key);
        if (alive.size >= MAX_ALIVE) refuse('unavailable', { detail: 'nonce memory is full' });
      }
      alive.set(name, expiresS + SKEW_S);
    },
  };
}
