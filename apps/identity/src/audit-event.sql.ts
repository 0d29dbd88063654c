import { sql, type Tx } from '@deadlatch/postgres';
import type { EventRow } from './audit-event.ts';

/** Writes one of identity's events, in the transaction of what it tells. No audit, no act. @source F.1 */
export async function insertEvent(tx: Tx, tenantId: string, event: EventRow): Promise<void> {
  await tx.run(sql`
    insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body)
    values (${tenantId}, ${event.id}, 'identity', ${event.command}, ${event.actor}, ${event.decision},
            ${event.correlationId}, ${event.ticketId}, convert_to(${event.body}, 'UTF8'))`);
}
