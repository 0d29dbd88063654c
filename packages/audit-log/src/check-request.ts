import { CEILINGS, findCommand, findRead, routeOf, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { DispatchError } from '@deadlatch/kernel';
import type { TxnClaims } from '@deadlatch/signing';
import type { AuditEvent } from './event.ts';
import { proveRequest } from './prove-request.ts';
import { REFUSALS_COUNTED } from './refusal-budget.ts';
import type { ReadTrust } from './trail-trust.ts';

/**
 * Why the request behind an event of the authority does not back it, or undefined when it does.
 *
 * The signature must verify under the pinned key over exactly this path and idempotency key, and the token in the
 * signed bytes must be one that `identity` signed for exactly this tenant, subject, assurance and agent.
 * @param seenNonces grows: one signed request backs one event
 */
export function checkRequest(
  event: AuditEvent,
  trust: ReadTrust,
  seenNonces: Set<string>,
): string | undefined {
  const mayBeLate = event.command === REFUSALS_COUNTED && event.decision === 'refused';
  const proven = proveRequest(event, 'dispatch-api', trust, seenNonces, mayBeLate);
  if (typeof proven === 'string') return proven;
  const { signer, line, createdMs } = proven;
  const actor = checkActor(event, trust, signer, line('txn-token'), createdMs);
  if (actor) return actor;
  // An unknown command is refused and recorded under the path it was sent to.
  if (event.decision === 'refused') return undefined;
  const path = line('@path') ?? '';
  return line('idempotency-key') === undefined
    ? checkRead(event, signer, path)
    : checkCommand(event, signer, path, line('txn-token') !== undefined);
}

/** The actor is who the token says, as the signer's token, at the time of the request. */
function checkActor(
  event: AuditEvent,
  trust: ReadTrust,
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
    claims = trust.verifyToken(token, { requestedBy: spiffeId(trust.environment, signer), now: createdMs });
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
function checkCommand(
  event: AuditEvent,
  signer: ServiceName,
  path: string,
  hasToken: boolean,
): string | undefined {
  const entry = findCommand(event.command);
  if (!entry) return 'an accepted command that does not exist';
  if (!underCeiling(signer, entry.name)) return 'beyond the ceiling of its signer';
  const { byLink = [], withoutToken } = CEILINGS[signer];
  // Nobody's token goes with a link's command, and none other goes without where there are people.
  if (hasToken === (withoutToken || byLink.includes(entry.name))) return 'the token that it takes, or none';
  if (path.split('/').at(-1) !== entry.name) return 'the signature covers another command';
  if (entry.target === 'none')
    return path === routeOf(entry) ? undefined : 'the signature covers another command';
  const isResource =
    event.resource?.kind === entry.target && path === routeOf(entry).replace(':id', event.resource.id);
  return isResource ? undefined : 'the signature covers another resource';
}

/** A read that left an event: it changed nothing, and its signer may send it. */
function checkRead(event: AuditEvent, signer: ServiceName, path: string): string | undefined {
  const entry = findRead(event.command);
  if (!entry) return 'an accepted command that nobody signed as one';
  if (!CEILINGS[signer].reads.includes(entry.name)) return 'beyond the ceiling of its signer';
  if (event.effects.length > 0) return 'a read has effects';
  const isResource = path === entry.route.replace(':id', event.resource?.id ?? ':id');
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
