import { type Clock, DispatchError } from '@deadlatch/kernel';
import type { PinnedKey } from '@deadlatch/signing';

export type FindKey = (keyId: string) => PinnedKey | undefined;

/** Half of the 60 s within which a revocation must work, so that one late read is not too late. */
const MAX_AGE_MS = 30_000;

/**
 * The pinned keys of the services, read again when they are older than 30 s.
 * @param read all rows of the service-key table
 * @throws DispatchError `unavailable` when the table cannot be read: an old answer is never used instead
 * @invariant no key is used that was not in the table within the last 30 s
 * @source T4.2, C.6
 */
export function createServiceKeys(options: {
  readonly read: () => Promise<readonly PinnedKey[]>;
  readonly now: Clock;
}): { current(): Promise<FindKey> } {
  let cached: { readonly at: number; readonly find: FindKey } | null = null;
  let pending: Promise<FindKey> | null = null;
  const refresh = async (): Promise<FindKey> => {
    // The age counts from before the read, so that a slow read does not lengthen it.
    const at = options.now();
    const byId = new Map((await options.read()).map((key) => [key.keyId, key]));
    const find: FindKey = (keyId) => byId.get(keyId);
    cached = { at, find };
    return find;
  };
  return {
    current: async () => {
      const age = cached === null ? Number.NaN : options.now() - cached.at;
      // A clock that stepped back makes the age negative: read again.
      if (cached !== null && age >= 0 && age < MAX_AGE_MS) return cached.find;
      pending ??= refresh().finally(() => {
        pending = null;
      });
      try {
        return await pending;
      } catch (cause) {
        throw new DispatchError('unavailable', { detail: 'service keys unreadable', cause });
      }
    },
  };
}
