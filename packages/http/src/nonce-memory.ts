import { type Clock, refuse } from '@deadlatch/kernel';
import type { VerifiedRequest } from '@deadlatch/signing';

/** Remembers nonces for a receiver that has no database. */
export interface NonceMemory {
  /**
   * Burns the nonce of a verified request.
   * @throws DispatchError `unauthenticated` when it was burned before; `rate_limited` when there is no room
   */
  burn(request: Pick<VerifiedRequest, 'keyId' | 'nonce' | 'created' | 'expires'>): void;
}

/**
 * Single use of nonces in memory, for one process.
 *
 * What was burned before a restart is forgotten, so whatever was created before the start is refused; and since a
 * signature from the future could have been used before the start too, no clock skew is allowed here.
 * @param capacity beyond it the answer is no: forgetting a living nonce would let it be used again
 * @invariant a nonce is forgotten only when its request has expired
 * @source T4.3
 */
export function createNonceMemory(options: { readonly now: Clock; readonly capacity?: number }): NonceMemory {
  const { now, capacity = 100_000 } = options;
  const startedAt = now();
  /** `keyid nonce` to the millisecond after which it cannot be accepted any more */
  const burned = new Map<string, number>();
  return {
    burn: ({ keyId, nonce, created, expires }) => {
      const at = now();
      // In whole seconds: a request of the second in which we started may be from before.
      if (!(created * 1000 >= startedAt)) refuse('unauthenticated', { detail: 'created_before_start' });
      if (!(created * 1000 <= at)) refuse('unauthenticated', { detail: 'created_in_future' });
      const name = `${keyId} ${nonce}`;
      if (burned.has(name)) refuse('unauthenticated', { detail: 'nonce_replayed' });
      if (burned.size >= capacity) {
        for (const [old, until] of burned) if (until < at) burned.delete(old);
        if (burned.size >= capacity) refuse('rate_limited', { detail: 'nonce_memory_full' });
      }
      burned.set(name, expires * 1000);
    },
  };
}
