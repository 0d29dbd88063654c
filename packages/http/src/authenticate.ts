import { type Clock, type JsonValue, parseStrictJson, refuse } from '@deadlatch/kernel';
import { JWS, type RequestShape, type VerifiedRequest, verifyRequest } from '@deadlatch/signing';
import type { FastifyRequest } from 'fastify';
import type { KeyRing } from './key-ring.ts';
import type { NonceMemory } from './nonce-memory.ts';
import { followTrace } from './observe-requests.ts';

export interface AuthenticateOptions {
  /** the shapes this endpoint accepts */
  readonly shapes: readonly RequestShape[];
  /** SPIFFE id of this receiver */
  readonly audience: string;
  readonly keys: KeyRing;
  readonly now: Clock;
  /** given by receivers without a database; the others burn the nonce in the command's transaction */
  readonly nonces?: NonceMemory;
}

/**
 * Proves which service sent a request, over the raw bytes as they came. Where there is a certificate, it is of the
 * same service: a key alone, or a certificate alone, is not enough.
 * @throws DispatchError `unauthenticated`, `missing_idempotency_key`, `unavailable` (keys cannot be read)
 * @source T4.1, T4.3, T4.4
 */
export async function authenticate(
  request: FastifyRequest,
  options: AuthenticateOptions,
): Promise<VerifiedRequest> {
  const { shapes, audience, keys, now, nonces } = options;
  const findKey = await keys.current();
  const { method = '', url = '', rawHeaders } = request.raw;
  const verified = verifyRequest({
    method,
    target: url,
    rawHeaders,
    body: request.rawBody,
    shapes,
    audience,
    findKey,
    now: now(),
  });
  if (request.peer !== null && request.peer.service !== verified.service) {
    refuse('unauthenticated', { detail: 'signer_is_not_peer' });
  }
  // Reads have no nonce: they change nothing, and live 60 s.
  if (verified.shape.write) nonces?.burn(verified);
  followTrace(request);
  return verified;
}

/** The body's JSON, parsed from the bytes that were digested. @throws DispatchError `malformed_body` */
export function readJson(request: FastifyRequest): JsonValue {
  return parseStrictJson(request.rawBody);
}

/**
 * The compact JWS of `Authorization: Bearer …`.
 * @throws DispatchError `unauthenticated` when there is none of that form
 * @source RFC 6750 section 2.1; an empty token is not a token
 */
export function bearerOf(request: FastifyRequest): string {
  const token = /^Bearer ([A-Za-z0-9_.-]{1,4096})$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return JWS.test(token) ? token : refuse('unauthenticated', { detail: 'bearer_malformed' });
}
