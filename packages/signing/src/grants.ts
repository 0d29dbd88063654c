import type { AgentRole, Assurance } from '@deadlatch/catalogue';
import { type JsonValue, refuse } from '@deadlatch/kernel';
import { canonicalJson } from './canonical-json.ts';
import {
  assertAlive,
  assertClaims,
  type ClaimCheck,
  isAgentRole,
  isAssurance,
  isDigest,
  isId,
  isIdOrNull,
  isSeconds,
  isSpiffe,
  isSubject,
  isTraceparent,
  listOf,
  oneOf,
} from './claims.ts';
import { signCompact, verifyCompact } from './compact-jws.ts';
import { actionDigest } from './digests.ts';
import { keysAt, type ServiceKeyPair, type TimedKey, withoutEnd } from './keys.ts';
import { MAX_TOKEN_LENGTH } from './request-profile.ts';

/** What every statement of `dispatch-api` holds. Times in seconds; `jti` is what single use is counted by. */
export interface GrantBase {
  readonly iss: string;
  readonly aud: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  readonly tenant: string;
}

/** The agent's handle for one turn; ids only. `aud` is `identity`. */
export interface TurnGrant extends GrantBase {
  readonly turn: string;
  readonly conversation: string;
  readonly message: string;
  /** `<kind>:<uuid>` */
  readonly subject: string;
  readonly assurance: Assurance;
  readonly agent_role: AgentRole;
  readonly ticket: string | null;
  readonly correlation_id: string;
  /** the trace that the turn belongs to, which its holder may not choose; W3C Trace Context (F.3) */
  readonly traceparent?: string;
}

/** Lets the vault release fields of one contact, once. `aud` is `vault`. */
export interface RevealGrant extends GrantBase {
  readonly contact: string;
  readonly fields: readonly ('phone' | 'email')[];
  readonly purpose: 'delivery' | 'code';
  /** the message or approval it is for */
  readonly ref: string;
  /** SPIFFE id of the only service that may show it */
  readonly holder: string;
  /** the chain that the reveal is part of (F.2) */
  readonly correlation_id: string;
}

/** Lets `identity` run a factor ceremony for exactly one action, once. `aud` is `identity`. */
export interface StepUpGrant extends GrantBase {
  readonly approval: string;
  readonly contact: string;
  readonly action_digest: string;
  readonly level: Assurance;
  readonly correlation_id: string;
  readonly ticket: string | null;
  /** There for an act of staff: then `approval` is the act, and `contact` the member of staff who may confirm it. */
  readonly object?: 'act';
}

/** Lets `identity` have the vault keep words as a contact's name, number or address, once. `aud` is `vault`. */
export interface AdoptGrant extends GrantBase {
  readonly contact: string;
  readonly account: string;
  /** Handles of the words; null: stays as it is. */
  readonly name: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly correlation_id: string;
}

/** What exactly somebody is asked to approve. `action_digest` is that of `action`, checked on both sides. */
export interface ActionStatement extends GrantBase {
  readonly approval: string;
  readonly action: { readonly [key: string]: JsonValue };
  readonly action_digest: string;
}

export interface GrantOfKind {
  readonly turn: TurnGrant;
  readonly reveal: RevealGrant;
  readonly 'step-up': StepUpGrant;
  readonly action: ActionStatement;
  readonly adopt: AdoptGrant;
}
export type GrantKind = keyof GrantOfKind;

interface GrantRule {
  readonly typ: string;
  readonly maxLifetimeS: number;
  readonly maxLength: number;
  readonly claims: Readonly<Record<string, ClaimCheck>>;
  readonly optional?: Readonly<Record<string, ClaimCheck>>;
}

const BASE = { iss: isSpiffe, aud: isSpiffe, iat: isSeconds, exp: isSeconds, jti: isId, tenant: isId };
const isObject: ClaimCheck = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

const RULES: Readonly<Record<GrantKind, GrantRule>> = {
  turn: {
    typ: 'turn-grant+jwt',
    maxLifetimeS: 600,
    maxLength: MAX_TOKEN_LENGTH,
    claims: {
      ...BASE,
      turn: isId,
      conversation: isId,
      message: isId,
      subject: isSubject,
      assurance: isAssurance,
      agent_role: isAgentRole,
      ticket: isIdOrNull,
      correlation_id: isId,
    },
    optional: { traceparent: isTraceparent },
  },
  reveal: {
    typ: 'reveal-grant+jwt',
    maxLifetimeS: 300,
    maxLength: MAX_TOKEN_LENGTH,
    claims: {
      ...BASE,
      contact: isId,
      fields: listOf(oneOf(['phone', 'email']), 1, 2),
      purpose: oneOf(['delivery', 'code']),
      ref: isId,
      holder: isSpiffe,
      correlation_id: isId,
    },
  },
  'step-up': {
    typ: 'step-up-grant+jwt',
    maxLifetimeS: 900,
    maxLength: MAX_TOKEN_LENGTH,
    claims: {
      ...BASE,
      approval: isId,
      contact: isId,
      action_digest: isDigest,
      level: isAssurance,
      correlation_id: isId,
      ticket: isIdOrNull,
    },
    optional: { object: oneOf(['act']) },
  },
  action: {
    typ: 'action+jwt',
    // As long as an approval may stay open; the approval's own expiry is what counts.
    maxLifetimeS: 31 * 24 * 3600,
    // 50 lines with descriptions.
    maxLength: 65_536,
    claims: { ...BASE, approval: isId, action: isObject, action_digest: isDigest },
  },
  adopt: {
    typ: 'adopt-grant+jwt',
    maxLifetimeS: 300,
    maxLength: MAX_TOKEN_LENGTH,
    claims: {
      ...BASE,
      contact: isId,
      account: isId,
      name: isIdOrNull,
      phone: isIdOrNull,
      email: isIdOrNull,
      correlation_id: isId,
    },
  },
};

/**
 * Signs a statement of the given kind. @param key the grant key of `dispatch-api`, used for nothing else
 * @throws DispatchError `unavailable` when no verifier would accept these claims
 */
export function signGrant<K extends GrantKind>(kind: K, claims: GrantOfKind[K], key: ServiceKeyPair): string {
  const token = signCompact(RULES[kind].typ, claims, key);
  try {
    verifyGrant(kind, token, { keys: [withoutEnd(key)], now: claims.iat * 1000 });
  } catch (cause) {
    refuse('unavailable', { detail: 'grant_claims_unacceptable', cause });
  }
  return token;
}

export interface VerifyGrantOptions {
  /** the pinned keys of `dispatch-api` for grants */
  readonly keys: readonly TimedKey[];
  /** SPIFFE id of this receiver; left out only by one that merely forwards the grant */
  readonly audience?: string;
  /** SPIFFE id of the only issuer; the keys alone say as much, since they sign nothing else */
  readonly issuer?: string;
  /** milliseconds since the epoch */
  readonly now: number;
}

/**
 * The claims of a grant of exactly this kind.
 * @throws DispatchError `unauthenticated`
 * @invariant the type is part of what is verified: a grant of one kind is never one of another, nor a user token
 * @source T4.8
 */
export function verifyGrant<K extends GrantKind>(
  kind: K,
  token: string,
  options: VerifyGrantOptions,
): GrantOfKind[K] {
  const rule = RULES[kind];
  const { claims: value } = verifyCompact(rule.typ, token, keysAt(options.keys, options.now), rule.maxLength);
  assertClaims(value, { required: rule.claims, optional: rule.optional ?? {} });
  const claims = value as unknown as GrantOfKind[K];
  if (options.audience !== undefined && claims.aud !== options.audience) {
    refuse('unauthenticated', { detail: 'grant_audience_wrong' });
  }
  if (options.issuer !== undefined && claims.iss !== options.issuer) {
    refuse('unauthenticated', { detail: 'grant_issuer_wrong' });
  }
  if (kind === 'action' && actionDigest(canonicalJson(value.action)) !== value.action_digest) {
    refuse('unauthenticated', { detail: 'action_digest_wrong' });
  }
  assertAlive(claims.iat, claims.exp, rule.maxLifetimeS, options.now);
  return claims;
}
