import { verify } from 'node:crypto';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { MAX_SKEW_MS } from '@deadlatch/signing';
import type { AuditEvent } from './event.ts';
import type { ReadTrust } from './trail-trust.ts';

/** A request behind an event, proven to be of a pinned service. */
export interface ProvenRequest {
  readonly signer: ServiceName;
  /** A line of the signed base by its component's name. */
  readonly line: (name: string) => string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
}

/** A signature lives 60 s and clocks may differ by 5: no honest event is further from its request. */
const MOST_APART_MS = 70_000;
const PARAMETERS =
  /;created=(\d{1,12});expires=\d{1,12};nonce="([A-Za-z0-9_-]{22,86})";keyid="([A-Za-z0-9_-]{43})";tag="deadlatch-request";aud="([^"]{1,200})"$/;

/**
 * The request behind an event of a service, or the reason why it does not back the event: a pinned key signed it for
 * this very receiver, at the time of the event, over its idempotency key, and it backs no other event.
 * @param seenNonces grows: one signed request backs one event
 * @param mayBeLate for an event that stands for many refusals and is written when their window is over
 */
export function proveRequest(
  event: AuditEvent,
  receiver: ServiceName,
  trust: ReadTrust,
  seenNonces: Set<string>,
  mayBeLate = false,
): ProvenRequest | string {
  const { request } = event;
  const key = trust.services.get(request.key_id);
  if (!key) return 'signed by a key that is not pinned';
  const signer = key.service;
  if (!signer) return 'signed by an unknown service';
  const base = Buffer.from(request.signature_base);
  const genuine = verify(null, base, key.publicKey, Buffer.from(request.signature, 'base64'));
  if (!genuine) return 'the request signature does not verify';

  const line = readBase(request.signature_base);
  const [, created, nonce, keyId, audience] = PARAMETERS.exec(line('@signature-params') ?? '') ?? [];
  if (created === undefined || nonce === undefined || keyId !== request.key_id)
    return 'the signature has no parameters';
  if (audience !== spiffeId(trust.environment, receiver)) return 'the request was for another receiver';
  // A read burns no nonce: sent again while it lives, it is answered or refused again.
  if (line('idempotency-key') !== undefined) {
    if (seenNonces.has(`${keyId} ${nonce}`)) return 'the request was used for another event already';
    seenNonces.add(`${keyId} ${nonce}`);
  }
  const createdMs = Number(created) * 1_000;
  const eventMs = Date.parse(event.time);
  // What came in the key's last moment is written a little later, so its end is held against the signature's own time.
  const isInTime = key.notBefore <= eventMs && createdMs < key.notAfter + MAX_SKEW_MS;
  if (!isInTime) return 'signed by a key outside its time';
  const apart = eventMs - createdMs;
  if (apart < -MOST_APART_MS || (apart > MOST_APART_MS && !mayBeLate))
    return 'the event is far in time from its request';
  if ((line('idempotency-key') ?? null) !== request.idempotency_key) {
    return 'the signature covers another idempotency key';
  }
  return { signer, line, createdMs };
}

function readBase(base: string): (name: string) => string | undefined {
  const lines = base.split('\n');
  return (name) => lines.find((l) => l.startsWith(`"${name}": `))?.slice(name.length + 4);
}
