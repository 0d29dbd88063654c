import { randomBytes, sign } from 'node:crypto';
import { isUuid, refuse } from '@deadlatch/kernel';
import { contentDigest } from './digests.ts';
import type { ServiceKeyPair } from './keys.ts';
import {
  CONTENT_TYPE,
  innerListOf,
  JWS,
  MAX_LIFETIME_S,
  type RequestShape,
  signatureBase,
  TAG,
} from './request-profile.ts';
import { parseTarget } from './request-target.ts';

export interface SignRequestInput {
  readonly method: 'GET' | 'POST';
  /** raw path and query, in normal form, e.g. `/v1/tickets?limit=20` */
  readonly target: string;
  readonly body: Uint8Array;
  readonly shape: RequestShape;
  /** required exactly when `shape.token` */
  readonly token?: string;
  /** lower-case UUID, required exactly when `shape.write` */
  readonly idempotencyKey?: string;
  readonly key: ServiceKeyPair;
  /** SPIFFE id of the receiver */
  readonly audience: string;
  /** milliseconds since the epoch */
  readonly now: number;
  /** base64url of at least 16 random bytes; only tests and pre-signed load give one */
  readonly nonce?: string;
  /** 1 to 60, default 30 */
  readonly lifetimeS?: number;
}

/**
 * Signs a request in the one profile and returns the headers to send with it, and no others.
 * @throws DispatchError `unavailable` when the caller asks for something no receiver would accept
 * @source RFC 9421, RFC 9530, T4.3, T4.4
 */
export function signRequest(input: SignRequestInput): Record<string, string> {
  const { shape } = input;
  const lifetimeS = input.lifetimeS ?? 30;
  const fits =
    input.method === (shape.write ? 'POST' : 'GET') &&
    (input.token !== undefined) === shape.token &&
    (input.idempotencyKey !== undefined) === shape.write &&
    (shape.write || input.body.byteLength === 0) &&
    (input.token === undefined || JWS.test(input.token)) &&
    (input.idempotencyKey === undefined || isUuid(input.idempotencyKey)) &&
    Number.isSafeInteger(lifetimeS) &&
    lifetimeS >= 1 &&
    lifetimeS <= MAX_LIFETIME_S;
  if (!fits) refuse('unavailable', { detail: 'request_outside_profile' });

  const headers: Record<string, string> = {
    ...(shape.write && { 'content-type': shape.contentType ?? CONTENT_TYPE }),
    'content-digest': contentDigest(input.body),
    ...(input.idempotencyKey !== undefined && { 'idempotency-key': input.idempotencyKey }),
    ...(input.token !== undefined && { 'txn-token': input.token }),
  };
  const { path, query } = parseTarget(input.target);
  const created = Math.floor(input.now / 1000);
  const nonce = input.nonce ?? randomBytes(16).toString('base64url');
  const params =
    `${innerListOf(shape)};created=${created};expires=${created + lifetimeS};nonce="${nonce}"` +
    `;keyid="${input.key.keyId}";tag="${TAG}";aud="${input.audience}"`;
  const values = new Map(Object.entries(headers));
  values.set('@method', input.method).set('@path', path).set('@query', query);
  const signature = sign(null, Buffer.from(signatureBase(shape, values, params)), input.key.privateKey);
  return {
    ...headers,
    'signature-input': `sig1=${params}`,
    signature: `sig1=:${signature.toString('base64')}:`,
  };
}
