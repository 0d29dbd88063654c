import type { CHOICE_KINDS, TicketState } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { need, ticketOf } from '../need.ts';
import { agentFor, openTurn } from '../open-turn.ts';
import type { ConversationRow, MessageDraft } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';
import type { ChoiceRow, TappedLinkFacts } from '../schedule-facts.ts';
import { claimsState, openAnswers } from '../tapped-link.ts';

interface Input {
  /** The secret in the link. */
  readonly link: string;
  readonly kind: (typeof CHOICE_KINDS)[number];
  readonly option_id?: string;
}

/**
 * A tap, by whoever holds the secret of a link that was sent to one contact in one text. It makes one choice, as if the
 * contact had answered with the number; what comes of it is decided by whoever cites it.
 * @invariant one link, one choice; nothing of a person or a role comes from who sends this
 * @source T1.10; design 05: links
 */
export const CHOOSE = rule<Input>('choice.make', {
  guardsInput: true,
  guard: (context) => {
    requireOwnSecret(context);
    requireStillSaid(tappedLink(context), ticketOf(context).state);
  },
  run: (context) => {
    const link = tappedLink(context);
    const chosen = chosenOption(context, link);
    const conversation = conversationOf(context, link);
    const message = tapMessage(context, link, conversation);
    const turn = turnFor(context, link, conversation, message);
    const choice: ChoiceRow = {
      id: context.tools.newId(),
      ticket_id: ticketOf(context).id,
      kind: context.input.kind,
      option_id: chosen?.id ?? null,
      contact_id: link.contact_id,
      message_id: message.id,
      link_hash: link.hash,
      channel: message.channel,
      made_at: context.nowText,
      consumed_at: null,
    };
    const isSeen = conversation !== null;
    return {
      changes: {
        inbound_message: message,
        ...(isSeen ? { context_entry: entryFor(conversation.id, message.id, chosen?.number ?? 0) } : {}),
        ...(turn === null ? {} : { turn }),
        choice,
        // Nobody reads along where there is no conversation.
        ...(isSeen ? {} : { tasks: [{ kind: 'choice_waits', ticket_id: choice.ticket_id }] }),
      },
      details: {
        choice_id: choice.id,
        kind: choice.kind,
        option_id: choice.option_id,
        contact_id: link.contact_id,
        message_id: message.id,
        sent_message_id: link.message.id,
        turn_id: turn?.id ?? null,
      },
      result: { choice_id: choice.id },
    };
  },
});

/** @throws DispatchError `not_found`: the facts are of the very link whose secret was sent */
function requireOwnSecret({ facts, input, tools }: RuleContext<Input>): void {
  const hash = facts.tapped_link?.hash;
  if (hash === undefined || hash !== tools.sha256Base64Url(input.link)) {
    refuse('not_found', { detail: 'not this link' });
  }
}

/** @throws DispatchError `superseded` once it was used; `invalid_state` where the ticket has moved on */
function requireStillSaid(link: TappedLinkFacts, state: TicketState): void {
  if (link.is_used !== false) refuse('superseded', { detail: 'choice_consumed' });
  if (!claimsState(link.message, state)) {
    refuse('invalid_state', { extra: { from_state: state, allowed_from: [] } });
  }
}

function tappedLink({ facts }: RuleContext): TappedLinkFacts {
  return need(facts.tapped_link, 'tapped_link');
}

/**
 * The offered time that was tapped; null for other times.
 * @throws DispatchError `superseded` after the hold, or when the offer was taken back; `not_found` for a time of another
 *   ticket
 */
function chosenOption(context: RuleContext<Input>, link: TappedLinkFacts) {
  const { facts, input, now } = context;
  const { kind, option_id: optionId } = input;
  if ((kind === 'OPTION') !== (optionId !== undefined)) {
    refuse('schema_mismatch', { extra: { fields: ['/option_id'] } });
  }
  const ticket = ticketOf(context);
  const { options } = need(facts.schedule, 'schedule');
  const open = openAnswers({ link, ticket, options, visit: facts.visit }, now);
  if (kind === 'OTHER_TIME') {
    return open.otherTime ? null : refuse('superseded', { detail: 'cannot be moved' });
  }
  const known = options.some((row) => row.id === optionId);
  return (
    open.options.find((row) => row.id === optionId) ??
    (known
      ? refuse('superseded', { detail: 'hold_expired' })
      : refuse('not_found', { detail: 'not_proposed' }))
  );
}

/** Where the ticket's words are, if they are the contact's. */
function conversationOf({ facts }: RuleContext, link: TappedLinkFacts): ConversationRow | null {
  const { conversation } = facts;
  const isTheirs = conversation?.contact_id === link.contact_id && conversation.state !== 'CLOSED';
  return isTheirs ? conversation : null;
}

/** The tap as words that came in: nobody wrote them, so the vault keeps none. */
function tapMessage(
  { caller, nowText, tools }: RuleContext,
  link: TappedLinkFacts,
  conversation: ConversationRow | null,
): MessageDraft {
  return {
    tenant_id: caller.tenantId,
    id: tools.newId(),
    direction: 'IN',
    channel: 'web',
    conversation_id: conversation?.id ?? null,
    contact_id: link.contact_id,
    ticket_id: null,
    state: 'RECEIVED',
    template: null,
    slots: {},
    claim: { kind: 'none' },
    text_id: null,
    provider_id: null,
    correlation_id: caller.context.correlationId,
    created_at: nowText,
  };
}

/** What the number says in a text, said by a tap. */
function entryFor(conversationId: string, messageId: string, number: number) {
  return {
    conversation_id: conversationId,
    message_id: messageId,
    mask_state: 'RELEASED' as const,
    masked_text: String(number),
  };
}

/** As after a text: the stop switch and a person's take-over keep the agent asleep. */
function turnFor(
  context: RuleContext,
  link: TappedLinkFacts,
  conversation: ConversationRow | null,
  message: MessageDraft,
) {
  const isAwake = conversation?.state === 'AGENT' && context.facts.autonomy?.paused === false;
  if (!isAwake) return null;
  const ticket = ticketOf(context);
  return openTurn(context, {
    contactId: link.contact_id,
    conversation,
    messageId: message.id,
    ticketId: ticket.id,
    role: agentFor(ticket.state),
  });
}
