import type { Channel, DOUBTS, MASK_STATES } from '@deadlatch/catalogue';
import type { InboundFacts } from '../facts.ts';
import { need } from '../need.ts';
import { agentFor, openTurn } from '../open-turn.ts';
import { readChoice } from '../read-choice.ts';
import type { ConversationRow, MessageDraft } from '../rows.ts';
import { type Outcome, type RuleContext, rule } from '../rule.ts';

interface Input {
  readonly channel: Channel;
  readonly provider_id: string;
  readonly contact_id?: string;
  readonly sender_hash: string;
  readonly doubts: readonly (typeof DOUBTS)[number][];
  readonly received_at: string;
  readonly text_id: string;
  readonly mask_state: (typeof MASK_STATES)[number];
  readonly masked_text?: string;
}

/**
 * Words come in. A contact on file whom nothing speaks against opens a turn at L1; everybody else leaves a report
 * for a person. What the words say is not looked at: no text raises a level, and a free-text yes approves nothing.
 * Only a message that is nothing but the number of an offered time is a choice.
 * @source T1.9, T3.8
 */
export const MESSAGE_RECEIVE = rule<Input>('message.receive', {
  run: (context) => {
    const inbound = need(context.facts.inbound, 'inbound');
    if (inbound.known_message_id !== null) {
      return {
        changes: {},
        details: { duplicate: true, message_id: inbound.known_message_id },
        result: { message_id: inbound.known_message_id, duplicate: true },
      };
    }
    return isTrusted(context.input, inbound) ? fromContact(context, inbound) : fromStranger(context, inbound);
  },
});

function isTrusted(input: Input, inbound: InboundFacts): boolean {
  return (
    input.contact_id !== undefined &&
    input.contact_id === inbound.contact_id &&
    inbound.contact_account_ids.length > 0 &&
    input.doubts.length === 0
  );
}

function fromContact(context: RuleContext<Input>, inbound: InboundFacts): Outcome {
  const { caller, facts, input } = context;
  const contactId = need(inbound.contact_id, 'contact');
  const isNew = inbound.conversation === null;
  const conversation = inbound.conversation ?? newConversation(context, contactId);
  const message = inboundMessage(context, contactId, conversation.id);
  // The stop switch and a person's take-over keep the agent asleep; the message is kept either way.
  const isAgentAwake = conversation.state === 'AGENT' && facts.autonomy?.paused === false;
  const about = inbound.schedule;
  const turn = isAgentAwake
    ? openTurn(context, {
        contactId,
        conversation,
        messageId: message.id,
        ticketId: about?.ticket_id ?? conversation.ticket_id,
        role: agentFor(about?.ticket_state ?? null),
      })
    : undefined;
  const text = input.mask_state === 'RELEASED' ? (input.masked_text ?? null) : null;
  const moment = { ms: context.now, text: context.nowText, newId: context.tools.newId };
  const choice = readChoice(inbound, message, text, moment);
  return {
    changes: {
      inbound_message: message,
      ...(isNew ? { conversation } : {}),
      context_entry: {
        conversation_id: conversation.id,
        message_id: message.id,
        mask_state: input.mask_state,
        masked_text: text,
      },
      ...(turn === undefined ? {} : { turn }),
      ...(choice === null ? {} : { choice }),
    },
    details: {
      duplicate: false,
      message_id: message.id,
      conversation_id: conversation.id,
      turn_id: turn?.id ?? null,
      choice_id: choice?.id ?? null,
      option_id: choice?.option_id ?? null,
      channel: input.channel,
      assurance: 'L1',
      service: caller.service,
    },
    result: {
      message_id: message.id,
      conversation_id: conversation.id,
      turn_id: turn?.id ?? null,
      duplicate: false,
    },
  };
}

/** One report per sender and day: a flood of strangers costs rows and nobody's attention. */
function fromStranger(context: RuleContext<Input>, inbound: InboundFacts): Outcome {
  const { input, tools } = context;
  const message = inboundMessage(context, null, null);
  const report =
    inbound.reported_today === false
      ? {
          id: tools.newId(),
          message_id: message.id,
          sender_hash: input.sender_hash,
          channel: input.channel,
        }
      : undefined;
  return {
    changes: { inbound_message: message, ...(report === undefined ? {} : { report }) },
    details: {
      duplicate: false,
      message_id: message.id,
      report_id: report?.id ?? null,
      channel: input.channel,
      assurance: 'L0',
      doubts: input.doubts,
    },
    result: { message_id: message.id, report_id: report?.id ?? null, duplicate: false },
  };
}

function newConversation(
  { caller, input, nowText, tools }: RuleContext<Input>,
  contactId: string,
): ConversationRow {
  return {
    tenant_id: caller.tenantId,
    id: tools.newId(),
    version: 1,
    state: 'AGENT',
    contact_id: contactId,
    channel: input.channel,
    ticket_id: null,
    opened_at: nowText,
  };
}

function inboundMessage(
  { caller, input, nowText, tools }: RuleContext<Input>,
  contactId: string | null,
  conversationId: string | null,
): MessageDraft {
  return {
    tenant_id: caller.tenantId,
    id: tools.newId(),
    direction: 'IN',
    channel: input.channel,
    conversation_id: conversationId,
    contact_id: contactId,
    ticket_id: null,
    state: 'RECEIVED',
    template: null,
    slots: {},
    claim: { kind: 'none' },
    text_id: input.text_id,
    provider_id: input.provider_id,
    correlation_id: caller.context.correlationId,
    created_at: nowText,
  };
}
