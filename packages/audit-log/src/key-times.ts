import { publicKeyFromX, type TimedKey } from '@deadlatch/signing';

/** A public key as the operator pinned it, with its whole history. Times are RFC 3339. */
export interface DatedKey {
  readonly keyid: string;
  readonly x: string;
  readonly from: string;
  readonly until: string;
  readonly revoked_at?: string;
}

/** A revocation has reached every receiver by then. @source T4.2 */
const REVOKED_WITHIN_MS = 60_000;

/**
 * A key as it counted when it was used: unlike a receiver, who refuses a revoked key whatever the time says, a
 * verifier believes what was signed before.
 */
export function asItCounted(key: DatedKey): TimedKey {
  const until = Date.parse(key.until);
  const revoked = key.revoked_at === undefined ? until : Date.parse(key.revoked_at) + REVOKED_WITHIN_MS;
  return {
    keyId: key.keyid,
    publicKey: publicKeyFromX(key.x),
    notBefore: Date.parse(key.from),
    notAfter: Math.min(until, revoked),
    revokedAt: null,
  };
}
