import { refuse } from '@deadlatch/kernel';
import type { Caller } from '../caller.ts';
import type { Facts } from '../facts.ts';
import type { ConversationRow, TurnRow } from '../rows.ts';

/**
 * The agent's turn, proven to be alive and to be exactly the one its token was minted for.
 * @throws DispatchError `turn_ended` when it is over, `not_found` when it is another one or none
 * @invariant every comparison is with a value that must be there: an absent attribute never matches
 * @source T1.9
 */
export function requireTurn(caller: Caller, facts: Facts, now: number): OwnTurn {
  const own = requireOwnTurn(caller, facts);
  const expires = Date.parse(own.turn.expires_at);
  if (own.turn.ended_at !== null || !(now < expires)) refuse('turn_ended');
  return own;
}

interface OwnTurn {
  readonly turn: TurnRow;
  readonly conversation: ConversationRow;
}

/**
 * As `requireTurn`, whether or not the turn is over: for what was suggested in it.
 * @throws DispatchError `not_found`
 */
export function requireOwnTurn(caller: Caller, facts: Facts): OwnTurn {
  const { turn, conversation } = facts;
  if (caller.agent === null || turn === null || conversation === null) return foreign('no turn');
  if (turn.tenant_id !== caller.tenantId || turn.id !== caller.agent.turnId) foreign('turn');
  if (turn.agent_role !== caller.agent.role) foreign('agent role');
  if (turn.subject_kind !== caller.subject.kind || turn.subject_id !== caller.subject.id) foreign('subject');
  if (turn.assurance !== caller.assurance) foreign('assurance');
  if (turn.conversation_id !== caller.context.conversationId) foreign('conversation of the token');
  if (conversation.id !== turn.conversation_id || conversation.tenant_id !== caller.tenantId) {
    foreign('conversation');
  }
  if (turn.subject_kind === 'contact' && conversation.contact_id !== turn.subject_id) foreign('contact');
  // A token minted before the turn made its ticket names none; one that names a ticket names this one.
  if (caller.context.ticketId !== null && caller.context.ticketId !== turn.ticket_id) foreign('ticket');
  return { turn, conversation };
}

function foreign(detail: string): never {
  return refuse('not_found', { detail: `turn: ${detail}` });
}
