import { type AuditEvent, encodeEvent, REFUSALS_COUNTED } from '@deadlatch/audit-log';
import { spiffeId } from '@deadlatch/catalogue';
import { type Clock, dimensionOf, type ErrorCode, toInstant } from '@deadlatch/kernel';
import type { VerifiedRequest } from '@deadlatch/signing';

/** What identity does that leaves a trace. Not catalogue commands: none of them changes a ticket. */
export const IDENTITY_ACTS = [
  'session.start',
  'session.end',
  'token.mint',
  'code.send',
  'code.try',
  'address.commit',
  REFUSALS_COUNTED,
] as const;
export type IdentityAct = (typeof IDENTITY_ACTS)[number];

export interface IdentityEventInput {
  readonly act: IdentityAct;
  /** null = accepted. */
  readonly code: ErrorCode | null;
  /** For whom, as far as it is known. */
  readonly subject: { readonly kind: string; readonly id: string | null; readonly assurance: string };
  readonly resource: { readonly kind: string; readonly id: string } | null;
  readonly details: AuditEvent['details'];
  readonly correlationId: string;
  /** The signed request that asked; null for a browser. */
  readonly request: VerifiedRequest | null;
  /** What the answer names the request by; null where no answer does. */
  readonly requestId: string | null;
  readonly ticketId: string | null;
}

/** An event ready to be inserted: the columns, and the canonical bytes that hold the same and more. */
export interface EventRow {
  /** What it was made from. */
  readonly input: IdentityEventInput;
  readonly id: string;
  readonly command: IdentityAct;
  readonly actor: string;
  readonly decision: 'accepted' | 'refused';
  readonly correlationId: string;
  readonly ticketId: string | null;
  readonly body: string;
}

export type MakeEvent = (input: IdentityEventInput) => EventRow;

/**
 * Makes identity's own audit events.
 * @invariant ids, closed words and counts only: no secret, no code, no address, no name
 * @source F.1, F.6; design 03
 */
export function createEventMaker(options: {
  readonly environment: string;
  readonly tenantId: string;
  readonly now: Clock;
  readonly newId: () => string;
  /** Of the current trace; programs of the operator have none. */
  readonly traceId?: () => string | null;
}): MakeEvent {
  const self = spiffeId(options.environment, 'identity');
  return (input) => {
    const id = options.newId();
    const decision = input.code === null ? 'accepted' : 'refused';
    const event: AuditEvent = {
      v: 1,
      origin: 'identity',
      environment: options.environment,
      id,
      time: toInstant(options.now()),
      tenant: options.tenantId,
      actor: { ...input.subject, agent_role: null, turn_id: null },
      workload:
        input.request === null
          ? [self]
          : [`spiffe://${options.environment}.deadlatch/${input.request.service}`, self],
      command: input.act,
      resource: input.resource,
      decision,
      code: input.code,
      dimension: input.code === null ? null : dimensionOf(input.code),
      detail: null,
      policy_ids: [],
      policy_bundle: '',
      effects: [],
      details: input.details,
      correlation_id: input.correlationId,
      trace_id: options.traceId?.() ?? null,
      request_id: input.requestId,
      // The bodies that reach identity are secrets and grants; their digests are kept nowhere.
      input_digest: '',
      request: {
        idempotency_key: input.request?.idempotencyKey ?? null,
        key_id: input.request?.keyId ?? '',
        signature_base: input.request?.signatureBase ?? '',
        signature: input.request?.signature ?? '',
        token_id: null,
      },
    };
    return {
      input,
      id,
      command: input.act,
      actor: `${input.subject.kind}:${input.subject.id ?? '-'}`,
      decision,
      correlationId: input.correlationId,
      ticketId: input.ticketId,
      body: encodeEvent(event),
    };
  };
}
