import { type Clock, DispatchError } from '@deadlatch/kernel';
import type { PinnedKey } from '@deadlatch/signing';

export type FindKey = (keyId: string) => PinnedKey | undefined;

/** Where a receiver looks up the keys of senders. */
export interface KeyRing {
  /** A look-up over keys read at most `maxAgeMs` ago. @throws DispatchError `unavailable` */
  current(): Promise<FindKey>;
}

/** Half of the 60 s within which a revocation must work, so that one late read is not too late. */
const MAX_AGE_MS = 30_000;

/**
 * Pinned keys, read again when they are older than 30 s.
 * @param read all pinned keys, from the trust bundle or from the table
 * @throws DispatchError `unavailable` from `current` when they cannot be read: old keys are never used instead
 * @invariant no key is used that the source did not hold within the last `maxAgeMs`
 * @source T4.2, C.6
 */
export function createKeyRing(options: {
  readonly read: () => readonly PinnedKey[] | Promise<readonly PinnedKey[]>;
  readonly now: Clock;
  readonly maxAgeMs?: number;
}): KeyRing {
  const { read, now, maxAgeMs = MAX_AGE_MS } = options;
  let cached: { readonly at: number; readonly find: FindKey } | null = null;
  let pending: Promise<FindKey> | null = null;

  const refresh = async (): Promise<FindKey> => {
    // The age counts from before the read, so that a slow read does not lengthen it.
    const at = now();
    const byId = new Map<string, PinnedKey>();
    for (const key of await read()) {
      // Two rows of one name: nobody can say which service signed.
      if (byId.has(key.keyId)) throw new Error('a key is pinned twice');
      byId.set(key.keyId, key);
    }
    const find: FindKey = (keyId) => byId.get(keyId);
    cached = { at, find };
    return find;
  };

  return {
    current: async () => {
      const age = cached === null ? Number.NaN : now() - cached.at;
      // A clock that stepped back makes the age negative: read again.
      if (cached !== null && age >= 0 && age < maxAgeMs) return cached.find;
      pending ??= refresh().finally(() => {
        pending = null;
      });
      try {
        return await pending;
      } catch (cause) {
        throw new DispatchError('unavailable', { detail: 'keys_unreadable', cause });
      }
    },
  };
}
