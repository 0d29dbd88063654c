import { authenticate, type KeyRing, readJson } from '@deadlatch/http';
import type { Clock } from '@deadlatch/kernel';
import type { SignedRequest } from '@deadlatch/postgres';
import type { FastifyInstance } from 'fastify';

export interface Endpoints {
  readonly inbound: (request: SignedRequest) => Promise<object>;
  readonly texts: (request: SignedRequest) => Promise<object>;
  readonly adoptions: (request: SignedRequest) => Promise<object>;
  readonly reveals: (request: SignedRequest) => Promise<object>;
  readonly exitChecks: (request: SignedRequest) => Promise<object>;
}

/** A sealed message of 16 kB, in base64url, with room for what makes it oversize and still withheld. */
const INBOUND_LIMIT_BYTES = 256 * 1024;
/** 16,000 characters of four bytes, escaped. */
const TEXT_LIMIT_BYTES = 128 * 1024;

/**
 * The vault's five endpoints: signed writes without a user token, and no other shape. Who may call which is the
 * endpoint's own list.
 * @source T4.1, T4.4
 */
export function addRoutes(
  app: FastifyInstance,
  endpoints: Endpoints,
  options: { readonly audience: string; readonly keys: KeyRing; readonly now: Clock },
): void {
  const route = (
    path: string,
    bodyLimit: number,
    serve: (request: SignedRequest) => Promise<object>,
  ): void => {
    app.post(path, { bodyLimit }, async (request) => {
      const verified = await authenticate(request, {
        ...options,
        shapes: [{ write: true, token: false }],
      });
      return serve({ verified, body: readJson(request), requestId: request.id });
    });
  };
  route('/v1/inbound', INBOUND_LIMIT_BYTES, endpoints.inbound);
  route('/v1/texts', TEXT_LIMIT_BYTES, endpoints.texts);
  route('/v1/reveals', 8 * 1024, endpoints.reveals);
  route('/v1/adoptions', 8 * 1024, endpoints.adoptions);
  route('/v1/exit-checks', TEXT_LIMIT_BYTES, endpoints.exitChecks);
}
