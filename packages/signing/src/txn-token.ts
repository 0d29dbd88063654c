import type { AgentRole, Assurance } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import {
  assertAlive,
  assertClaims,
  type ClaimSet,
  isAgentRole,
  isAssurance,
  isDigest,
  isId,
  isSeconds,
  isSpiffe,
  isSubject,
  isWord,
  listOf,
  objectOf,
  oneOf,
} from './claims.ts';
import { type JsonObject, signCompact, verifyCompact } from './compact-jws.ts';
import { keysAt, type ServiceKeyPair, type TimedKey, withoutEnd } from './keys.ts';
import { MAX_TOKEN_LENGTH } from './request-profile.ts';

const TYP = 'txntoken+jwt';
export const TXN_TOKEN_LIFETIME_S = 60;

/**
 * Who the call is for. `iat` and `exp` are seconds since the epoch; `iss`, `aud`, `req_wl` SPIFFE ids;
 * `sub` is `<kind>:<uuid>`.
 * @source draft-ietf-oauth-transaction-tokens, RFC 8693 section 4.1 (`act`)
 */
export interface TxnClaims {
  readonly iss: string;
  readonly aud: string;
  readonly iat: number;
  readonly exp: number;
  readonly txn: string;
  readonly tenant: string;
  readonly sub: string;
  readonly scope: 'person' | 'turn' | 'step-up';
  /** the one service that may present it */
  readonly req_wl: string;
  /** present exactly when `scope` is `turn` */
  readonly act?: { readonly role: AgentRole; readonly turn: string };
  readonly tctx: {
    readonly correlation_id: string;
    readonly conversation_id?: string;
    readonly ticket_id?: string;
    /** present exactly when `scope` is `step-up` */
    readonly action_digest?: string;
  };
  readonly rctx: {
    readonly channel: string;
    readonly assurance: Assurance;
    readonly amr: readonly string[];
  };
}

const CLAIMS: ClaimSet = {
  required: {
    iss: isSpiffe,
    aud: isSpiffe,
    iat: isSeconds,
    exp: isSeconds,
    txn: isId,
    tenant: isId,
    sub: isSubject,
    scope: oneOf(['person', 'turn', 'step-up']),
    req_wl: isSpiffe,
    tctx: objectOf({
      required: { correlation_id: isId },
      optional: { conversation_id: isId, ticket_id: isId, action_digest: isDigest },
    }),
    rctx: objectOf({
      required: { channel: isWord, assurance: isAssurance, amr: listOf(isWord, 0, 8) },
      optional: {},
    }),
  },
  optional: { act: objectOf({ required: { role: isAgentRole, turn: isId }, optional: {} }) },
};

function readClaims(value: JsonObject): TxnClaims {
  assertClaims(value, CLAIMS);
  const claims = value as unknown as TxnClaims;
  // An agent's token cannot look like a person's, and no token but a step-up's names an action.
  const isConsistent =
    (claims.scope === 'turn') === (claims.act !== undefined) &&
    (claims.scope === 'step-up') === (claims.tctx.action_digest !== undefined);
  if (!isConsistent) refuse('unauthenticated', { detail: 'scope_wrong' });
  return claims;
}

/**
 * Mints a transaction token; `identity` alone holds the key for it.
 * @throws DispatchError `unavailable` when no verifier would accept these claims
 */
export function mintTxnToken(claims: TxnClaims, key: ServiceKeyPair): string {
  const token = signCompact(TYP, claims, key);
  try {
    verifyTxnToken(token, {
      keys: [withoutEnd(key)],
      issuer: claims.iss,
      audience: claims.aud,
      requestedBy: claims.req_wl,
      now: claims.iat * 1000,
    });
  } catch (cause) {
    refuse('unavailable', { detail: 'token_claims_unacceptable', cause });
  }
  return token;
}

export interface VerifyTxnTokenOptions {
  /** the pinned keys of `identity` for tokens */
  readonly keys: readonly TimedKey[];
  /** SPIFFE id of the only minter */
  readonly issuer: string;
  /** SPIFFE id of this receiver */
  readonly audience: string;
  /** SPIFFE id of the service whose key signed the request */
  readonly requestedBy: string;
  /** milliseconds since the epoch */
  readonly now: number;
}

/**
 * The claims of a transaction token, for the one service it was minted for.
 * @throws DispatchError `unauthenticated`, always the same, with the reason in the private detail
 * @source T4.4, T4.5, A.2
 */
export function verifyTxnToken(token: string, options: VerifyTxnTokenOptions): TxnClaims {
  return readToken(token, options, keysAt(options.keys, options.now)).claims;
}

function readToken(
  token: string,
  options: Omit<VerifyTxnTokenOptions, 'keys'>,
  findKey: (keyId: string) => TimedKey,
): { readonly claims: TxnClaims; readonly keyId: string } {
  const read = verifyCompact(TYP, token, findKey, MAX_TOKEN_LENGTH);
  const claims = readClaims(read.claims);
  if (claims.iss !== options.issuer) refuse('unauthenticated', { detail: 'token_issuer_wrong' });
  if (claims.aud !== options.audience) refuse('unauthenticated', { detail: 'token_audience_wrong' });
  assertUsable(claims, options.requestedBy, options.now);
  return { claims, keyId: read.keyId };
}

function assertUsable(claims: TxnClaims, requestedBy: string, now: number): void {
  if (claims.req_wl !== requestedBy) refuse('unauthenticated', { detail: 'token_of_another_service' });
  assertAlive(claims.iat, claims.exp, TXN_TOKEN_LIFETIME_S, now);
}

export type TokenVerifier = (
  token: string,
  at: Pick<VerifyTxnTokenOptions, 'requestedBy' | 'now'>,
) => TxnClaims;

/**
 * A verifier that remembers the signatures it has checked, since a token is used many times in its 60 s.
 * Only the bytes' meaning is remembered: times, the key's standing and the presenting service are checked on every call.
 * @param keys the pinned keys of `identity` for tokens, as they are now
 * @param maxEntries the oldest entry is dropped beyond it
 * @throws DispatchError `unauthenticated`; whatever `keys` throws
 */
export function createTokenVerifier(
  options: Omit<VerifyTxnTokenOptions, 'requestedBy' | 'now' | 'keys'> & {
    readonly keys: () => readonly TimedKey[];
    readonly maxEntries?: number;
  },
): TokenVerifier {
  const maxEntries = options.maxEntries ?? 1_000;
  const seen = new Map<string, { readonly claims: TxnClaims; readonly keyId: string }>();
  return (token, at) => {
    const findKey = keysAt(options.keys(), at.now);
    const known = seen.get(token);
    if (known !== undefined) {
      seen.delete(token);
      findKey(known.keyId);
      assertUsable(known.claims, at.requestedBy, at.now);
      seen.set(token, known);
      return known.claims;
    }
    const fresh = freezeDeep(readToken(token, { ...options, ...at }, findKey));
    if (seen.size >= maxEntries) seen.delete(seen.keys().next().value ?? '');
    seen.set(token, fresh);
    return fresh.claims;
  };
}

/** What is handed out twice must not be changed by whoever got it first. */
function freezeDeep<T>(value: T): T {
  if (value !== null && typeof value === 'object') {
    for (const member of Object.values(value)) freezeDeep(member);
    Object.freeze(value);
  }
  return value;
}
