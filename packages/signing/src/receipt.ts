import { isInstant, refuse } from '@deadlatch/kernel';
import { assertClaims, type ClaimCheck, isDigest, isId, isSpiffe } from './claims.ts';
import { signCompact, verifyCompact } from './compact-jws.ts';
import { keysAt, type ServiceKeyPair, type TimedKey } from './keys.ts';
import { MAX_TOKEN_LENGTH } from './request-profile.ts';

/**
 * What the answer to an accepted command promises: this event will be in that log. It permits nothing, so it never
 * expires: it is evidence, for as long as the log is kept.
 */
export interface Receipt {
  /** SPIFFE id of who promised */
  readonly iss: string;
  /** the log it will be in */
  readonly origin: string;
  readonly event_id: string;
  /** SHA-256(0x00 || event), base64url. @source RFC 9162 section 2.1.1 */
  readonly leaf_hash: string;
  /** of the event, RFC 3339 with milliseconds */
  readonly time: string;
}

const TYP = 'receipt+jwt';
/** One word that can stand in a line of a checkpoint. @source C2SP signed-note, Format */
const ORIGIN = /^[^\p{White_Space}\p{Cc}+]{1,200}$/u;
const isOrigin: ClaimCheck = (value) => typeof value === 'string' && ORIGIN.test(value);
const isTime: ClaimCheck = (value) => typeof value === 'string' && isInstant(value);

const CLAIMS = {
  required: { iss: isSpiffe, origin: isOrigin, event_id: isId, leaf_hash: isDigest, time: isTime },
  optional: {},
};

/**
 * Signs a receipt. @param key the grant key of `dispatch-api`; the type keeps receipts and grants apart
 * @throws DispatchError `unavailable` when no verifier would accept these claims
 */
export function signReceipt(receipt: Receipt, key: ServiceKeyPair): string {
  try {
    assertClaims({ ...receipt }, CLAIMS);
  } catch (cause) {
    refuse('unavailable', { detail: 'receipt_claims_unacceptable', cause });
  }
  return signCompact(TYP, receipt, key);
}

export interface VerifyReceiptOptions {
  /** the pinned keys of `dispatch-api` for grants */
  readonly keys: readonly TimedKey[];
  /** SPIFFE id of the only issuer */
  readonly issuer: string;
  /** the log that the verifier knows */
  readonly origin: string;
}

/**
 * The claims of a receipt for this log.
 * @throws DispatchError `unauthenticated`
 * @invariant a key that was revoked vouches for nothing, also not for what is said to be older;
 *   whoever holds the event compares `leaf_hash` with its own hash of it; a receipt says nothing of content
 * @source F.5
 */
export function verifyReceipt(token: string, { keys, issuer, origin }: VerifyReceiptOptions): Receipt {
  const findKey = (name: string) =>
    keys.find((key) => key.keyId === name) ?? refuse('unauthenticated', { detail: 'key_unknown' });
  const { claims: value, keyId } = verifyCompact(TYP, token, findKey, MAX_TOKEN_LENGTH);
  assertClaims(value, CLAIMS);
  const receipt = value as unknown as Receipt;
  // It never expires, so it is its own time that must be one of the key's.
  keysAt(keys, Date.parse(receipt.time))(keyId);
  if (receipt.iss !== issuer) refuse('unauthenticated', { detail: 'receipt_issuer_wrong' });
  if (receipt.origin !== origin) refuse('unauthenticated', { detail: 'receipt_of_another_log' });
  return receipt;
}
