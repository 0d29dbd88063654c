import type { AgentRole, TicketState } from '@deadlatch/catalogue';
import { later } from './need.ts';
import type { ConversationRow, TurnRow } from './rows.ts';
import type { RuleContext } from './rule.ts';

/** How long the agent has for one turn. */
const TURN_MS = 10 * 60 * 1000;

const ABOUT_TIMES: ReadonlySet<TicketState> = new Set<TicketState>([
  'READY_TO_SCHEDULE',
  'SCHEDULE_PROPOSED',
  'SCHEDULED',
  'DISPATCHED',
]);

/** As what an agent takes part in a conversation: it follows from where the ticket stands, and from no words. */
export function agentFor(state: TicketState | null): AgentRole {
  return state !== null && ABOUT_TIMES.has(state) ? 'agent.scheduling' : 'agent.intake';
}

/** @param whose the contact who wrote; a turn that no message opened is the system's, under the tenant's own id */
export function openTurn(
  context: RuleContext,
  whose: {
    readonly contactId: string | null;
    readonly conversation: ConversationRow;
    readonly messageId: string;
    readonly ticketId: string | null;
    readonly role: AgentRole;
  },
): TurnRow {
  const { tenantId } = context.caller;
  return {
    tenant_id: tenantId,
    id: context.tools.newId(),
    conversation_id: whose.conversation.id,
    message_id: whose.messageId,
    subject_kind: whose.contactId === null ? 'system' : 'contact',
    subject_id: whose.contactId ?? tenantId,
    assurance: 'L1',
    agent_role: whose.role,
    ticket_id: whose.ticketId,
    opened_at: context.nowText,
    expires_at: later(context, TURN_MS),
    ended_at: null,
  };
}
