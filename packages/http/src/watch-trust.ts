import { type Clock, DispatchError } from '@deadlatch/kernel';
import type { TrustBundle } from './trust-bundle.ts';

/** A key that was pinned, ended or revoked is known after this long. */
const REREAD_MS = 5_000;
/** Whoever rewrites the file in place needs less; what is revoked must not live on for longer than a minute in all. */
const KEPT_MS = 30_000;

/**
 * The trust bundle as its file has it, read again when it is older than 5 s. A file that is caught half written, or is
 * damaged or gone, is no bundle: the one before it goes on for 30 s, and then there is none.
 * @param read the bundle as the file has it now; throws when it is none
 * @throws DispatchError `unavailable` when nothing was read within 30 s
 * @invariant no key is used that the file did not hold within the last 30 s
 * @source T4.2, C.6
 */
export function watchTrust(options: {
  readonly read: () => TrustBundle;
  readonly now: Clock;
}): () => TrustBundle {
  const { read, now } = options;
  let held: { readonly at: number; readonly bundle: TrustBundle } | null = null;
  return () => {
    const at = now();
    const age = held === null ? Number.NaN : at - held.at;
    // A clock that stepped back makes the age negative: read again.
    if (held !== null && age >= 0 && age < REREAD_MS) return held.bundle;
    try {
      held = { at, bundle: read() };
      return held.bundle;
    } catch (cause) {
      if (held !== null && age >= 0 && age < KEPT_MS) return held.bundle;
      throw new DispatchError('unavailable', { detail: 'keys_unreadable', cause });
    }
  };
}
