import { type Clock, DispatchError } from '@deadlatch/kernel';
import type { PinnedKey } from '@deadlatch/signing';

export type FindKey = (keyId: string) => PinnedKey | undefined;

/** Where a receiver looks up the keys of senders. */
export interface KeyRing {
  /** A look-up over keys read at most 30 s ago. @throws DispatchError `unavailable` */
  current(): Promise<FindKey>;
}

/** A key that was pinned, ended or revoked is known after this long. */
const REREAD_MS = 10_000;
/** Half of the 60 s within which a revocation must work: a source that is away for a moment refuses nobody. */
const MAX_AGE_MS = 30_000;

/**
 * Pinned keys, read again when they are older than 10 s, and used until they are 30 s old when that fails.
 * @param read all pinned keys, from the trust bundle or from the table
 * @throws DispatchError `unavailable` from `current` when none were read within 30 s
 * @invariant no key is used that the source did not hold within the last 30 s
 * @source T4.2, C.6
 */
export function createKeyRing(options: {
  readonly read: () => readonly PinnedKey[] | Promise<readonly PinnedKey[]>;
  readonly now: Clock;
}): KeyRing {
  const { read, now } = options;
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
      // A clock that stepped back makes the age negative: read again.
      const isYoungerThan = (ms: number) => {
        const age = cached === null ? Number.NaN : now() - cached.at;
        return age >= 0 && age < ms;
      };
      if (cached !== null && isYoungerThan(REREAD_MS)) return cached.find;
      pending ??= refresh().finally(() => {
        pending = null;
      });
      try {
        return await pending;
      } catch (cause) {
        if (cached !== null && isYoungerThan(MAX_AGE_MS)) return cached.find;
        throw new DispatchError('unavailable', { detail: 'keys_unreadable', cause });
      }
    },
  };
}
