import { SERVICES, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import type { KeyRing } from '@deadlatch/http';
import { type Clock, parseStrictJson, refuse } from '@deadlatch/kernel';
import type { SignedRequest } from '@deadlatch/postgres';
import { verifyRequest } from '@deadlatch/signing';

/** A request as it arrived, before anything in it is believed. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  /** What the answer names it by. */
  readonly requestId: string;
}

/** A request of a known service. */
export interface GatedRequest extends SignedRequest {
  readonly caller: ServiceName;
}

export type ServiceGate = (request: RawRequest) => Promise<GatedRequest>;

/**
 * Lets through what a service signed: a write without a user token, and no other shape. Whether that service may
 * ask for what it asks is the next step's, because it leaves an event.
 * @throws DispatchError `unauthenticated` for whoever is not proven to be a service; `malformed_body`; `unavailable`
 *   when the keys cannot be read
 * @source T4.1, T4.4, T4.5
 */
export function createServiceGate(options: {
  readonly environment: string;
  readonly keys: KeyRing;
  readonly now: Clock;
}): ServiceGate {
  const audience = spiffeId(options.environment, 'identity');
  return async ({ requestId, ...request }) => {
    const verified = verifyRequest({
      ...request,
      shapes: [{ write: true, token: false }],
      audience,
      findKey: await options.keys.current(),
      now: options.now(),
    });
    const caller = SERVICES.find((known) => known === verified.service);
    if (caller === undefined) return refuse('unauthenticated', { detail: 'key of no service' });
    return { caller, verified, body: parseStrictJson(request.body), requestId };
  };
}
