import { type AuditEvent, encodeEvent, REFUSALS_COUNTED } from '@deadlatch/audit-log';
import { spiffeId } from '@deadlatch/catalogue';
import { type Clock, dimensionOf, type ErrorCode, toInstant } from '@deadlatch/kernel';
import { sql, type Tx } from '@deadlatch/postgres';
import type { VerifiedRequest } from '@deadlatch/signing';

/** What the vault does that leaves a trace. */
export const VAULT_ACTS = [
  'message.seal',
  'text.seal',
  'contact.reveal',
  'contact.enrol',
  'contact.adopt',
  'exit.check',
  REFUSALS_COUNTED,
] as const;
export type VaultAct = (typeof VAULT_ACTS)[number];

export interface VaultEventInput {
  readonly act: VaultAct;
  /** null = accepted. */
  readonly code: ErrorCode | null;
  readonly resource: { readonly kind: string; readonly id: string } | null;
  /** Ids, closed words, counts and keyed digests only. */
  readonly details: AuditEvent['details'];
  readonly correlationId: string;
  /** The signed request that asked; null for the operator's program. */
  readonly request: VerifiedRequest | null;
  readonly requestId: string | null;
}

/** Writes one of the vault's events, in the transaction of what it tells. No audit, no act. */
export type WriteEvent = (tx: Tx, input: VaultEventInput) => Promise<void>;

/**
 * @invariant no name, number, address or word of a person in any event
 * @source F.1, F.6
 */
export function createEventWriter(options: {
  readonly environment: string;
  readonly tenantId: string;
  readonly now: Clock;
  readonly newId: () => string;
  /** Of the current trace; programs of the operator have none. */
  readonly traceId?: () => string | null;
}): WriteEvent {
  const { environment, tenantId } = options;
  return async (tx, input) => {
    const id = options.newId();
    const event = eventOf(input, {
      environment,
      tenantId,
      id,
      time: toInstant(options.now()),
      traceId: options.traceId?.() ?? null,
    });
    const actor = `${event.actor.kind}:${event.actor.id ?? '-'}`;
    await tx.run(sql`
      insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body)
      values (${tenantId}, ${id}, 'vault', ${input.act}, ${actor}, ${event.decision},
              ${input.correlationId}, null, convert_to(${encodeEvent(event)}, 'UTF8'))`);
  };
}

function eventOf(
  input: VaultEventInput,
  at: Readonly<Record<'environment' | 'tenantId' | 'id' | 'time', string>> & {
    readonly traceId: string | null;
  },
): AuditEvent {
  const { request } = input;
  const self = spiffeId(at.environment, 'vault');
  return {
    v: 1,
    origin: 'vault',
    environment: at.environment,
    id: at.id,
    time: at.time,
    tenant: at.tenantId,
    actor: {
      kind: request === null ? 'operator' : 'service',
      id: request?.service ?? null,
      assurance: 'L0',
      agent_role: null,
      turn_id: null,
    },
    workload: request === null ? [self] : [`spiffe://${at.environment}.deadlatch/${request.service}`, self],
    command: input.act,
    resource: input.resource,
    decision: input.code === null ? 'accepted' : 'refused',
    code: input.code,
    dimension: input.code === null ? null : dimensionOf(input.code),
    detail: null,
    policy_ids: [],
    policy_bundle: '',
    effects: [],
    details: input.details,
    correlation_id: input.correlationId,
    trace_id: at.traceId,
    request_id: input.requestId,
    // The bodies that reach the vault are words and grants; a digest of them is kept nowhere.
    input_digest: '',
    request: {
      idempotency_key: request?.idempotencyKey ?? null,
      key_id: request?.keyId ?? '',
      signature_base: request?.signatureBase ?? '',
      signature: request?.signature ?? '',
      token_id: null,
    },
  };
}
