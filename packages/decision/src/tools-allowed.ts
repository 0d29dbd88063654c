import { COMMANDS } from '@deadlatch/catalogue';
import type { Caller } from './caller.ts';
import type { Changes } from './changes.ts';
import { whyNot } from './decide.ts';
import type { Facts } from './facts.ts';
import type { DecisionTools } from './tools.ts';

/**
 * Names of the commands that this turn may call now, in catalogue order.
 * @param facts as read for the turn: its row, conversation, ticket (if it has one), autonomy
 * @returns empty for anybody but an agent in a live turn
 * @source T1.1
 */
export function toolsAllowed(caller: Caller, facts: Facts, tools: DecisionTools): string[] {
  if (caller.agent === null) return [];
  const ticketId = facts.turn?.ticket_id ?? null;
  return COMMANDS.filter((entry) => {
    if (entry.agents.length === 0) return false;
    const targetId = entry.target === 'none' ? null : ticketId;
    return whyNot(entry, caller, facts, tools, targetId) === null;
  }).map((entry) => entry.name);
}

/** The facts as they stand once `changes` are committed: what the next tool call of the same turn will meet. */
export function factsAfter(facts: Facts, changes: Changes): Facts {
  const made = changes.turn_ticket;
  const named =
    made !== undefined && facts.turn?.id === made.turn_id
      ? { ...facts.turn, ticket_id: made.ticket_id }
      : facts.turn;
  // Another turn of the conversation was opened: this one is over.
  const turn = changes.turn === undefined || named === null ? named : { ...named, ended_at: facts.now };
  const ticket = changes.ticket ?? facts.ticket;
  return {
    ...facts,
    stored: null,
    turn,
    ticket,
    open_ticket_of_conversation: made === undefined ? facts.open_ticket_of_conversation : ticket,
    conversation: changes.conversation ?? facts.conversation,
    visit: changes.visit ?? facts.visit,
  };
}
