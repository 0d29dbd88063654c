import type { ServiceName } from '@deadlatch/catalogue';
import type { Clock } from '@deadlatch/kernel';
import { MAX_SKEW_MS, type ServiceKeyPair, type TimedKey } from '@deadlatch/signing';
import type { Logger } from '@deadlatch/telemetry';
import type { KeyDirectory } from './key-directory.ts';
import { ConfigError } from './read-env.ts';

/** What a private key is used for, which is the name of its file. */
export type KeyPurpose = 'signing' | 'grant' | 'token';

/** A private key that somebody else may replace, and what the operator has pinned for whoever signs with it. */
export interface KeySource {
  readonly purpose: KeyPurpose;
  /** the key as its file has it now; throws when it is none */
  readonly read: () => ServiceKeyPair;
  /** the pinned keys of this holder and purpose, as they are now */
  readonly pins: () => readonly TimedKey[];
}

/** How old what was read may be; a rewritten file must be noticed within 5 s. */
const REREAD_MS = 2_000;

/** `signing.pem`, `grant.pem` or `token.pem` of a key directory. */
export function keySource(
  keys: KeyDirectory,
  purpose: KeyPurpose,
  pins: () => readonly TimedKey[],
): KeySource {
  return { purpose, read: () => keys.keyPair(`${purpose}.pem`), pins };
}

/** `signing.pem` of a service, with what its own trust bundle pins for it. */
export function signingKeyOf(keys: KeyDirectory, service: ServiceName): KeySource {
  return keySource(keys, 'signing', () => keys.trust().services.filter((key) => key.service === service));
}

/**
 * The key to sign with now. An issuer may replace its file at any time, as a whole or in place.
 *
 * A key is taken when its own trust bundle has it pinned, in its time and not revoked; until then the key before it
 * goes on. So a file that is caught half written, or a key that no receiver can know yet, makes no wrong refusal. What
 * becomes over later is not held back here: every receiver refuses it. Why a file is not taken is logged once.
 * @throws ConfigError at the start when there is no key, or a grant or token key that no receiver would ever take: what
 * it signed, receipts of accepted commands among it, nobody could verify
 * @source T4.2
 */
export function watchKey(
  source: KeySource,
  { now, logger }: { readonly now: Clock; readonly logger: Pick<Logger, 'event'> },
): () => ServiceKeyPair {
  let held = source.read();
  const unusable = whyNot(source, held.keyId, now());
  // It is known to everybody in a moment; there is none before it to go on with. Requests under a signing key that is
  // not pinned are refused by every receiver; what the other keys sign would be believed to be evidence.
  if (source.purpose !== 'signing' && unusable !== null && unusable !== 'too_early') {
    throw new ConfigError([`${source.purpose}.pem must be a key that trust.json pins for it (${unusable})`]);
  }
  let readAt = Number.NaN;
  let said: string | null = null;

  const reread = (at: number): string | null => {
    let found: ServiceKeyPair;
    try {
      found = source.read();
    } catch {
      return 'unreadable';
    }
    const reason = whyNot(source, found.keyId, at);
    if (reason === null) held = found;
    return reason;
  };

  return () => {
    const at = now();
    const age = at - readAt;
    if (age >= 0 && age < REREAD_MS) return held;
    const reason = reread(at);
    if (reason !== null && reason !== said) {
      logger.event('keys.file_not_taken', { purpose: source.purpose, reason });
    }
    said = reason;
    readAt = at;
    return held;
  };
}

type NotTaken = 'pins_unreadable' | 'not_pinned' | 'revoked' | 'too_early' | 'over';

function whyNot({ pins }: KeySource, keyId: string, at: number): NotTaken | null {
  let pinned: TimedKey | undefined;
  try {
    pinned = pins().find((key) => key.keyId === keyId);
  } catch {
    return 'pins_unreadable';
  }
  if (pinned === undefined) return 'not_pinned';
  if (pinned.revokedAt !== null) return 'revoked';
  // By a receiver's clock it may not have begun yet.
  if (!(pinned.notBefore + MAX_SKEW_MS <= at)) return 'too_early';
  return at < pinned.notAfter ? null : 'over';
}
