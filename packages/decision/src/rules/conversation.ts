import type { DELIVERY_STATUSES, Phrase } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { phraseMessage } from '../draft-message.ts';
import { need } from '../need.ts';
import type { MessageRow } from '../rows.ts';
import { rule } from '../rule.ts';

type Status = (typeof DELIVERY_STATUSES)[number];

const STATE_OF: ReadonlyMap<Status, 'SENT' | 'DELIVERED' | 'FAILED' | 'SUPERSEDED'> = new Map([
  ['sent', 'SENT'],
  ['delivered', 'DELIVERED'],
  ['failed', 'FAILED'],
  ['superseded', 'SUPERSEDED'],
]);

/** Carriers report late, twice and out of order: only a step forward changes anything. */
const FORWARD: ReadonlyMap<MessageRow['state'], readonly string[]> = new Map([
  ['QUEUED', ['SENT', 'DELIVERED', 'FAILED', 'SUPERSEDED']],
  ['SENT', ['DELIVERED', 'FAILED']],
]);

export const REPORT_DELIVERY = rule<{ readonly status: Status; readonly provider_id?: string }>(
  'message.report_delivery',
  {
    run: ({ facts, input }) => {
      const message = need(facts.message, 'message');
      const state = need(STATE_OF.get(input.status), 'status');
      const providerId = input.provider_id ?? null;
      // Whoever reports knows the carrier's id of this very message, unless it was never handed over.
      const isHandedOver = input.status !== 'superseded';
      if (isHandedOver && message.provider_id !== null && providerId !== message.provider_id) {
        refuse('not_found', { detail: 'another message of the carrier' });
      }
      const isForward = FORWARD.get(message.state)?.includes(state) === true;
      if (!isForward)
        return { changes: {}, details: { message_id: message.id, status: state, ignored: true } };
      return {
        changes: {
          delivery: { message_id: message.id, state, provider_id: providerId ?? message.provider_id },
          ...(state === 'FAILED'
            ? { tasks: [{ kind: 'delivery_failed' as const, ticket_id: message.ticket_id }] }
            : {}),
        },
        details: { message_id: message.id, status: state, ignored: false },
      };
    },
  },
);

interface ReplyInput {
  readonly phrase: Phrase;
  readonly questions?: readonly string[];
}

/** The agent picks a reviewed sentence; it cannot write one, so it cannot lie in one. */
export const REPLY = rule<ReplyInput>('conversation.reply', {
  run: (context) => {
    const { facts, input } = context;
    const conversation = need(facts.conversation, 'conversation');
    const questions = [...new Set(input.questions ?? [])];
    const asksQuestions = input.phrase === 'ask_intake_questions';
    if (asksQuestions !== questions.length > 0) {
      refuse('schema_mismatch', { extra: { fields: ['/questions'] } });
    }
    const turn = need(facts.turn, 'turn');
    const known = facts.open_ticket_of_conversation ?? facts.ticket;
    const message = phraseMessage(
      context,
      {
        contactId: conversation.contact_id,
        conversationId: conversation.id,
        ticket: known !== null && known.id === turn.ticket_id ? known : null,
      },
      input.phrase,
      asksQuestions ? { questions } : {},
    );
    return {
      changes: { messages: [message] },
      details: { message_id: message.id, phrase: input.phrase },
      result: { message_id: message.id },
    };
  },
});
