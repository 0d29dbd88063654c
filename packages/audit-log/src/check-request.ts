import { verify } from 'node:crypto';
import { CEILINGS, findCommand, routeOf, SERVICES, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { DispatchError } from '@deadlatch/kernel';
import { MAX_SKEW_MS, type TxnClaims, verifyTxnToken } from '@deadlatch/signing';
import type { AuditEvent } from './event.ts';
import { asItCounted, type DatedKey } from './key-times.ts';

/** A service key as the operator pinned it. */
export interface TrustedKey extends DatedKey {
  readonly service: string;
}

/** All that a verifier believes in. */
export interface TrailTrust {
  readonly environment: string;
  readonly services: readonly TrustedKey[];
  /** The keys with which `identity` signs user tokens. */
  readonly tokenKeys: readonly DatedKey[];
}

/** A signature lives 60 s and clocks may differ by 5: no honest event is further from its request. */
const MOST_APART_MS = 70_000;
const PARAMETERS =
  /;created=(\d{1,12});expires=\d{1,12};nonce="([A-Za-z0-9_-]{22,86})";keyid="([A-Za-z0-9_-]{43})";/;

/**
 * Why the request behind an event of the authority does not back it, or undefined when it does.
 *
 * The signature must verify under the pinned key over exactly this path and idempotency key, and the token in the
 * signed bytes must be one that `identity` signed for exactly this tenant, subject, assurance and agent.
 * @param seenNonces grows: one signed request backs one event
 */
export function checkRequest(
  event: AuditEvent,
  trust: TrailTrust,
  seenNonces: Set<string>,
): string | undefined {
  const { request } = event;
  const key = trust.services.find((k) => k.keyid === request.key_id);
  if (!key) return 'signed by a key that is not pinned';
  const signer = SERVICES.find((s) => s === key.service);
  if (!signer) return 'signed by an unknown service';
  const base = Buffer.from(request.signature_base);
  const counted = asItCounted(key);
  const genuine = verify(null, base, counted.publicKey, Buffer.from(request.signature, 'base64'));
  if (!genuine) return 'the request signature does not verify';

  const line = readBase(request.signature_base);
  const [, created, nonce, keyId] = PARAMETERS.exec(line('@signature-params') ?? '') ?? [];
  if (created === undefined || nonce === undefined || keyId !== request.key_id)
    return 'the signature has no parameters';
  // A read burns no nonce: sent again while it lives, it is refused again, and each refusal is an event.
  const isRefusedRead = event.decision === 'refused' && line('idempotency-key') === undefined;
  if (!isRefusedRead && seenNonces.has(`${keyId} ${nonce}`))
    return 'the request was used for another event already';
  seenNonces.add(`${keyId} ${nonce}`);
  const createdMs = Number(created) * 1_000;
  const eventMs = Date.parse(event.time);
  // What came in the key's last moment is written a little later, so its end is held against the signature's own time.
  const isInTime = counted.notBefore <= eventMs && createdMs < counted.notAfter + MAX_SKEW_MS;
  if (!isInTime) return 'signed by a key outside its time';
  if (Math.abs(eventMs - createdMs) > MOST_APART_MS)
    return 'the event is far in time from its request';
  if ((line('idempotency-key') ?? null) !== request.idempotency_key) {
    return 'the signature covers another idempotency key';
  }
  const actor = checkActor(event, trust, signer, line('txn-token'), createdMs);
  if (actor) return actor;
  // An unknown command is refused and recorded under the path it was sent to.
  return event.decision === 'accepted' ? checkCommand(event, signer, line('@path') ?? '') : undefined;
}

function readBase(base: string): (name: string) => string | undefined {
  const lines = base.split('\n');
  return (name) => lines.find((l) => l.startsWith(`"${name}": `))?.slice(name.length + 4);
}

/** The actor is who the token says, as the signer's token, at the time of the request. */
function checkActor(
  event: AuditEvent,
  trust: TrailTrust,
  signer: ServiceName,
  token: string | undefined,
  createdMs: number,
): string | undefined {
  const { actor, request } = event;
  if (token === undefined) {
    const isService = actor.kind === `service.${signer}` && actor.id === null && request.token_id === null;
    return isService ? undefined : 'no user token backs this actor';
  }
  let claims: TxnClaims;
  try {
    claims = verifyTxnToken(token, {
      keys: trust.tokenKeys.map(asItCounted),
      issuer: spiffeId(trust.environment, 'identity'),
      audience: spiffeId(trust.environment, 'dispatch-api'),
      requestedBy: spiffeId(trust.environment, signer),
      now: createdMs,
    });
  } catch (error) {
    if (error instanceof DispatchError)
      return `the user token does not verify: ${error.detail ?? error.code}`;
    throw error;
  }
  const isSame =
    claims.sub === `${actor.kind}:${actor.id}` &&
    claims.tenant === event.tenant &&
    claims.txn === request.token_id &&
    claims.rctx.assurance === actor.assurance &&
    (claims.act?.role ?? null) === actor.agent_role &&
    (claims.act?.turn ?? null) === actor.turn_id;
  return isSame ? undefined : 'the user token is for another actor';
}

/** The signed path is this command's own, on this resource, and the signer may send it at all. */
function checkCommand(event: AuditEvent, signer: ServiceName, path: string): string | undefined {
  const entry = findCommand(event.command);
  if (!entry) return 'an accepted command that does not exist';
  if (!underCeiling(signer, entry.name)) return 'beyond the ceiling of its signer';
  if (path.split('/').at(-1) !== entry.name) return 'the signature covers another command';
  if (entry.target === 'none')
    return path === routeOf(entry) ? undefined : 'the signature covers another command';
  const isResource =
    event.resource?.kind === entry.target && path === routeOf(entry).replace(':id', event.resource.id);
  return isResource ? undefined : 'the signature covers another resource';
}

function underCeiling(service: ServiceName, name: string): boolean {
  const ceiling = CEILINGS[service];
  const entry = findCommand(name);
  if (!entry || ceiling.except.includes(name)) return false;
  if (ceiling.commands === 'agent-pairs') return entry.agents.length > 0;
  if (ceiling.commands === 'person-roles') return entry.who.length > 0;
  return ceiling.commands.includes(name);
}
