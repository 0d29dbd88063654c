import { spiffeId } from '@deadlatch/catalogue';
import { authenticate, type KeyRing } from '@deadlatch/http';
import type { Clock } from '@deadlatch/kernel';
import { createTokenVerifier, type RequestShape, type TimedKey } from '@deadlatch/signing';
import type { FastifyRequest } from 'fastify';
import { type Proven, provenCaller } from '../command/caller.ts';

/** Proves who sends a request: the service by its signature, the user by a token that only this service may show. */
export type Gate = (request: FastifyRequest) => Promise<Proven>;

const SHAPES: Readonly<Record<'write' | 'read', readonly RequestShape[]>> = {
  write: [
    { write: true, token: true },
    { write: true, token: false },
  ],
  read: [
    { write: false, token: true },
    { write: false, token: false },
  ],
};

export function createGate(options: {
  readonly environment: string;
  readonly tenantId: string;
  readonly keys: KeyRing;
  /** The keys of identity's tokens, as the trust bundle has them now. */
  readonly tokenKeys: () => readonly TimedKey[];
  readonly now: Clock;
  readonly newId: () => string;
}): Readonly<Record<'write' | 'read', Gate>> {
  const { environment, tenantId, keys, tokenKeys, now, newId } = options;
  const audience = spiffeId(environment, 'dispatch-api');
  const verifyToken = createTokenVerifier({
    keys: tokenKeys,
    issuer: spiffeId(environment, 'identity'),
    audience,
  });
  const gate =
    (kind: 'write' | 'read'): Gate =>
    async (request) => {
      const verified = await authenticate(request, { shapes: SHAPES[kind], audience, keys, now });
      const requestedBy = `spiffe://${environment}.deadlatch/${verified.service}`;
      const claims =
        verified.token === null ? null : verifyToken(verified.token, { requestedBy, now: now() });
      return provenCaller(verified, claims, tenantId, newId(), request.id);
    };
  return { write: gate('write'), read: gate('read') };
}
