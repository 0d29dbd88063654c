import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { DispatchWorld } from './dispatch-api.ts';
import { type Crew, inbound, type Turn } from './job.ts';
import { type Actor, agent, alone } from './wire.ts';

/** Texts about times, the agents that answer them, and what the calendar says behind the commands. */
export interface Appointments {
  /** A text of a contact, handed over by the gateway. */
  writes(contactId: string, text: string): Promise<Turn>;
  /** The agent of times in a turn; which agent a turn is of is not the agent's to choose. */
  schedulerOf(turn: Turn, over?: object): Actor;
  /** The system's turn that follows a ticket which an agent made ready. */
  systemTurn(ticketId: string): Promise<Actor>;
  rowsOf<Row extends object = Readonly<Record<string, string>>>(
    sql: string,
    ...values: unknown[]
  ): Promise<Row[]>;
  /** What takes a technician's time for this ticket now. */
  takenFor(ticketId: string): Promise<readonly { readonly visit: boolean; readonly firm: boolean }[]>;
}

export function createAppointments(world: DispatchWorld, crew: Crew): Appointments {
  const rowsOf: Appointments['rowsOf'] = async (sql, ...values) =>
    (await world.admin.query(sql, values)).rows;
  const schedulerOf: Appointments['schedulerOf'] = (turn, over = {}) => {
    const tctx = { correlation_id: turn.correlationId, conversation_id: turn.conversationId };
    return agent(turn, { act: { role: 'agent.scheduling', turn: turn.id }, tctx, ...over });
  };
  return {
    rowsOf,
    schedulerOf,
    async writes(contactId, masked_text) {
      const message = inbound(contactId, { masked_text });
      const { body } = await crew.does(alone('gateway'), 'message.receive', null, message);
      return {
        id: body.result.turn_id,
        conversationId: body.result.conversation_id,
        contactId,
        correlationId: body.correlation_id,
      };
    },
    async systemTurn(ticketId) {
      const [row] = await rowsOf(
        `select id, conversation_id, subject_kind, agent_role from dispatch.turns
          where ticket_id = $1 and ended_at is null`,
        ticketId,
      );
      assert.deepEqual([row?.subject_kind, row?.agent_role], ['system', 'agent.scheduling']);
      const turn = {
        id: row?.id ?? '',
        conversationId: row?.conversation_id ?? '',
        contactId: '',
        correlationId: randomUUID(),
      };
      return schedulerOf(turn, { sub: `system:${world.tenant.tenantId}` });
    },
    takenFor: (ticketId) =>
      rowsOf(
        `select b.visit_id is not null as visit, b.held_until is null as firm from dispatch.bookings b
           left join dispatch.visits v on v.id = b.visit_id
           left join dispatch.schedule_options o on o.id = b.option_id
          where coalesce(v.ticket_id, o.ticket_id) = $1 order by b.starts_at`,
        ticketId,
      ),
  };
}
