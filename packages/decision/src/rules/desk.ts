import type { StaffPhrase } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { outbound } from '../draft-message.ts';
import { changed, need, ticketOf } from '../need.ts';
import { rule } from '../rule.ts';

type Nothing = Record<string, never>;

/** From here on a person answers: the gate keeps the agent silent, and the customer is told. */
export const TAKE_OVER = rule<Nothing>('conversation.take_over', {
  run: (context) => {
    const before = need(context.facts.conversation, 'conversation');
    const conversation = changed(before, { state: 'HUMAN' });
    const message = outbound(context, {
      contactId: before.contact_id,
      conversationId: before.id,
      ticket: context.facts.open_ticket_of_conversation,
      template: 'M21',
      slots: {},
      claim: { kind: 'human_in_charge' },
    });
    return {
      changes: { conversation, messages: [message] },
      details: { conversation_id: conversation.id },
    };
  },
});

export const HAND_BACK = rule<Nothing>('conversation.hand_back', {
  run: (context) => {
    const conversation = changed(need(context.facts.conversation, 'conversation'), { state: 'AGENT' });
    return { changes: { conversation }, details: { conversation_id: conversation.id } };
  },
});

/**
 * Ends the words. What comes next opens another conversation.
 * @invariant nobody is left waiting in it; the database asks the same again while nobody can add to it
 */
export const CLOSE_CONVERSATION = rule<Nothing>('conversation.close', {
  guard: ({ facts }) => {
    const ends = need(facts.loose_ends, 'loose_ends');
    if (ends.open_tickets !== 0) inTheWay('OPEN_TICKET');
    if (ends.open_suggestions !== 0) inTheWay('OPEN_SUGGESTION');
    if (ends.is_unanswered !== false) inTheWay('UNANSWERED_MESSAGE');
  },
  run: (context) => {
    const conversation = changed(need(context.facts.conversation, 'conversation'), { state: 'CLOSED' });
    return { changes: { conversation }, details: { conversation_id: conversation.id } };
  },
});

function inTheWay(what: string): never {
  return refuse('invalid_state', { extra: { from_state: what, allowed_from: [] } });
}

/** A reviewed sentence by hand. What the ticket's state is, its own commands say. */
export const SEND = rule<{ readonly phrase: StaffPhrase }>('message.send', {
  run: (context) => {
    const ticket = ticketOf(context);
    const contactId =
      ticket.requester_id ?? refuse('not_found', { detail: 'a ticket that nobody on file asked for' });
    const message = outbound(context, {
      contactId,
      conversationId: ticket.conversation_id,
      ticket,
      template: `staff:${context.input.phrase}`,
      slots: {},
      claim: { kind: 'none' },
    });
    return {
      changes: { messages: [message] },
      details: { message_id: message.id, phrase: context.input.phrase },
      result: { message_id: message.id },
    };
  },
});
