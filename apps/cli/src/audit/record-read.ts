import type { Operator } from '../operator.ts';
import { operatorEvent, readOperatorKey } from '../operator-event.ts';
import type { EventFilter } from './find-events.ts';

/**
 * Writes that somebody with the operator's key reads the trail: which part, and where it was counted, how many events it is. Before anything
 * is shown: who cannot be recorded does not read.
 * The key's thumbprint in the event says who; a system user's name would be personal data and prove nothing.
 * @source design 03: reading the audit trail is itself audited
 */
export async function recordRead(
  { client, trust, tenantId, state }: Operator,
  read: {
    readonly kind: 'show' | 'why' | 'export' | 'proof';
    readonly filter: EventFilter;
    readonly events?: number;
  },
): Promise<void> {
  const { kind, filter, events = null } = read;
  const key = await readOperatorKey(state.keys);
  const asked = Object.fromEntries(Object.entries(filter).map(([name, value]) => [`by_${name}`, value]));
  const event = operatorEvent(
    { environment: trust.environment, tenantId, key },
    { command: 'audit.read', details: { kind, events, ...asked }, now: Date.now() },
  );
  await client.query(
    `insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
     values ($1, $2, 'operator', 'audit.read', 'operator', 'accepted', $3, convert_to($4, 'UTF8'))`,
    [tenantId, event.id, event.correlation_id, event.body],
  );
}
