import { type AuditEvent, encodeEvent } from '@deadlatch/audit-log';
import { spiffeId } from '@deadlatch/catalogue';
import type { Accepted, Refused, Suggested } from '@deadlatch/decision';
import { dimensionOf } from '@deadlatch/kernel';
import type { Proven } from './caller.ts';
import { statedRows } from './stated-rows.ts';

/** What every event of this service says alike. */
export interface EventSource {
  readonly environment: string;
  readonly policyBundle: string;
}

export interface EventInput {
  readonly id: string;
  /** Database time of the facts that decided. */
  readonly time: string;
  readonly command: string;
  readonly proven: Proven;
  /** Keyed digest of the body. */
  readonly inputDigest: string;
  readonly resource: { readonly kind: string; readonly id: string } | null;
  /** The ticket in whose timeline the event stands. */
  readonly ticketId: string | null;
  /** Of the trace in which it was asked for (F.3). */
  readonly traceId: string | null;
}

/** The stored bytes of an accepted command. */
export function acceptedEvent(
  source: EventSource,
  input: EventInput,
  decision: Accepted | Suggested,
): string {
  return encodeEvent({
    ...envelope(source, input),
    resource: decision.event.resource ?? input.resource,
    decision: 'accepted',
    code: null,
    dimension: null,
    detail: null,
    policy_ids: decision.event.policy_ids,
    effects: decision.event.effects,
    details: detailsOf(input, decision),
  });
}

/** What the rule said, and which rows of authority are written. */
function detailsOf({ proven }: EventInput, { changes, event }: Accepted | Suggested): AuditEvent['details'] {
  const directory = statedRows(proven.caller.tenantId, changes);
  return directory.length === 0 ? event.details : { ...event.details, directory };
}

/** The stored bytes of a read that left an event, because what was read is the trail. */
export function readEventBody(
  source: EventSource,
  input: EventInput,
  details: AuditEvent['details'],
): string {
  return encodeEvent({
    ...envelope(source, input),
    decision: 'accepted',
    code: null,
    dimension: null,
    detail: null,
    policy_ids: [],
    effects: [],
    details,
  });
}

/** The stored bytes of a refusal of an identified caller. */
export function refusedEvent(
  source: EventSource,
  input: EventInput,
  refusal: Omit<Refused, 'kind'>,
  details: AuditEvent['details'] = {},
): string {
  return encodeEvent({
    ...envelope(source, input),
    decision: 'refused',
    code: refusal.code,
    dimension: dimensionOf(refusal.code),
    detail: refusal.detail === '' ? null : refusal.detail,
    policy_ids: refusal.policyIds,
    effects: [],
    details: { ...factsOf(refusal.extra), ...details },
  });
}

/** Public members of a refusal that are states, keys of evidence, levels or amounts: what the gate looked at. */
const FACTS = ['from_state', 'allowed_from', 'missing', 'required', 'cost_cents', 'nte_cents', 'total_cents'];

/** @invariant a member that is not listed stays outside: `fields` may hold a name that the caller made up */
function factsOf(extra: Refused['extra']): AuditEvent['details'] {
  return Object.fromEntries(Object.entries(extra).filter(([name]) => FACTS.includes(name)));
}

function isOfService({ scope }: EventInput['proven']['caller']): boolean {
  return scope === 'service' || scope === 'link';
}

type Outcome = 'decision' | 'code' | 'dimension' | 'detail' | 'policy_ids' | 'effects' | 'details';

function envelope(source: EventSource, input: EventInput): Omit<AuditEvent, Outcome> {
  const { caller, request, tokenId, requestId } = input.proven;
  return {
    v: 1,
    origin: 'dispatch',
    environment: source.environment,
    id: input.id,
    time: input.time,
    tenant: caller.tenantId,
    actor: {
      // A call without a user is the service's own; whose link it was, the details of its command say.
      kind: isOfService(caller) ? `service.${caller.service}` : caller.subject.kind,
      id: caller.subject.id,
      assurance: caller.assurance,
      agent_role: caller.agent?.role ?? null,
      turn_id: caller.agent?.turnId ?? null,
    },
    workload: [spiffeId(source.environment, caller.service), spiffeId(source.environment, 'dispatch-api')],
    command: input.command,
    resource: input.resource,
    policy_bundle: source.policyBundle,
    correlation_id: caller.context.correlationId,
    trace_id: input.traceId,
    request_id: requestId,
    input_digest: input.inputDigest,
    request: {
      idempotency_key: request.idempotencyKey,
      key_id: request.keyId,
      signature_base: request.signatureBase,
      signature: request.signature,
      token_id: tokenId,
    },
  };
}
