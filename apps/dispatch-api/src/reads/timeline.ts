import type { AuditEvent } from '@deadlatch/audit-log';
import type { JsonValue } from '@deadlatch/kernel';

/** What a timeline shows of an event: a listed part of it, so that a new field stays inside until it is listed (T5.6). */
export function presentEvent(body: string): JsonValue {
  const event = JSON.parse(body) as AuditEvent;
  const effect = event.effects.find((e) => e.object === 'ticket') ?? event.effects[0];
  return {
    event_id: event.id,
    at: event.time,
    command: event.command,
    actor: {
      type: event.actor.kind,
      id: event.actor.id,
      assurance: event.actor.assurance,
      agent: event.actor.agent_role,
    },
    service: event.workload[0] ?? null,
    decision: event.decision,
    code: event.code,
    dimension: event.dimension,
    before: effect?.before_state ?? null,
    after: effect?.after_state ?? null,
    details: event.details as Record<string, JsonValue>,
    policy_ids: [...event.policy_ids],
    correlation_id: event.correlation_id,
  };
}

/** The same of any event of the trail, with what it is about and whose record it is. */
export function presentFound(body: string): JsonValue {
  const event = JSON.parse(body) as AuditEvent;
  return {
    ...(presentEvent(body) as Record<string, JsonValue>),
    origin: event.origin,
    resource: event.resource && { kind: event.resource.kind, id: event.resource.id },
  };
}
