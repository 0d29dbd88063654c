import { AGENT_ROLES, ASSURANCES, SERVICES, SUBJECT_KINDS } from '@deadlatch/catalogue';
import { isUuid, type JsonValue, refuse } from '@deadlatch/kernel';
import type { JsonObject } from './compact-jws.ts';
import { MAX_SKEW_MS } from './request-profile.ts';

/** Says whether a claim's value is acceptable. */
export type ClaimCheck = (value: JsonValue) => boolean;

/** A closed claim set: what is not listed is refused, what is not optional is required. */
export interface ClaimSet {
  readonly required: Readonly<Record<string, ClaimCheck>>;
  readonly optional: Readonly<Record<string, ClaimCheck>>;
}

const SPIFFE = new RegExp(`^spiffe://[a-z][a-z0-9-]{0,62}\\.deadlatch/(${SERVICES.join('|')})$`);
const SUBJECT = new RegExp(`^(${SUBJECT_KINDS.join('|')}):([0-9a-f-]{36})$`);
const WORD = /^[a-z][a-z0-9_-]{0,31}$/;
const DIGEST = /^[A-Za-z0-9_-]{43}$/;

const matches =
  (pattern: RegExp): ClaimCheck =>
  (value) =>
    typeof value === 'string' && pattern.test(value);

export const oneOf =
  (values: readonly string[]): ClaimCheck =>
  (value) =>
    typeof value === 'string' && values.includes(value);

export const isSpiffe = matches(SPIFFE);
export const isWord = matches(WORD);
export const isDigest = matches(DIGEST);
/** Version 00 of W3C Trace Context. */
export const isTraceparent = matches(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
export const isAssurance = oneOf(ASSURANCES);
export const isAgentRole = oneOf(AGENT_ROLES);
export const isId: ClaimCheck = (value) => typeof value === 'string' && isUuid(value);
export const isIdOrNull: ClaimCheck = (value) => value === null || isId(value);
/** Whole seconds since the epoch, positive. */
export const isSeconds: ClaimCheck = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
export const isSubject: ClaimCheck = (value) =>
  typeof value === 'string' && isUuid(SUBJECT.exec(value)?.[2] ?? '');

/** A list of 0 to `max` distinct items. */
export const listOf =
  (item: ClaimCheck, min: number, max: number): ClaimCheck =>
  (value) =>
    Array.isArray(value) &&
    value.length >= min &&
    value.length <= max &&
    new Set(value).size === value.length &&
    value.every(item);

/** An object with exactly these members. */
export const objectOf =
  (set: ClaimSet): ClaimCheck =>
  (value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value) && fits(value, set);

function fits(value: JsonObject, set: ClaimSet): boolean {
  const names = Object.keys(value);
  return (
    Object.keys(set.required).every((name) => Object.hasOwn(value, name)) &&
    names.every((name) => {
      const check = Object.hasOwn(set.required, name)
        ? set.required[name]
        : Object.hasOwn(set.optional, name)
          ? set.optional[name]
          : undefined;
      return check?.(value[name] as JsonValue) === true;
    })
  );
}

/** Proves the closed claim set. @throws DispatchError `unauthenticated` */
export function assertClaims(value: JsonObject, set: ClaimSet): void {
  if (!fits(value, set)) refuse('unauthenticated', { detail: 'claims_wrong' });
}

/**
 * Proves that a statement is alive: not from the future, not over, and never meant to live longer than `maxLifetimeS`.
 * @param nowMs milliseconds since the epoch
 * @throws DispatchError `unauthenticated`
 * @source RFC 7519 section 4.1.4 (`exp` itself is too late)
 */
export function assertAlive(iat: number, exp: number, maxLifetimeS: number, nowMs: number): void {
  if (!(exp > iat && exp - iat <= maxLifetimeS))
    refuse('unauthenticated', { detail: 'token_lifetime_wrong' });
  if (!(iat * 1000 <= nowMs + MAX_SKEW_MS)) refuse('unauthenticated', { detail: 'token_from_future' });
  if (!(nowMs < exp * 1000)) refuse('unauthenticated', { detail: 'token_expired' });
}
