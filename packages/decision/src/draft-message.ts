import { type MessageTemplate, type Phrase, TICKET_STATES, type TicketState } from '@deadlatch/catalogue';
import type { Changes, LinkDraft } from './changes.ts';
import type { MessageClaim, MessageDraft, TicketRow } from './rows.ts';
import type { RuleContext } from './rule.ts';

/** A status page stays open for this long. */
const STATUS_LINK_MS = 30 * 24 * 60 * 60 * 1000;

/** What a text would say once it is delivered, and hence until when it is true. */
const TRUE_WHILE: ReadonlyMap<MessageTemplate, readonly TicketState[]> = new Map<
  MessageTemplate,
  readonly TicketState[]
>([
  ['M01', TICKET_STATES.filter((s) => s !== 'CANCELLED')],
  ['M02', ['NEEDS_INFO']],
  ['M04', TICKET_STATES.filter((s) => !['NEW', 'NEEDS_INFO', 'CANCELLED'].includes(s))],
  ['M06', ['DISPATCHED', 'ON_SITE']],
  ['M08', ['DISPATCHED']],
  ['M09', ['READY_TO_SCHEDULE', 'SCHEDULE_PROPOSED']],
  ['M10', ['ON_SITE', 'IN_PROGRESS', 'APPROVAL_REQUIRED']],
  ['M13', ['ON_HOLD']],
  ['M14', ['ON_HOLD']],
  ['M15', ['COMPLETED_PENDING_VERIFICATION', 'VERIFIED', 'INVOICED', 'CLOSED']],
  ['M16', TICKET_STATES.filter((s) => s !== 'CANCELLED')],
  ['M17', ['INVOICED', 'CLOSED']],
  ['M18', ['CANCELLED']],
  ['M20', ['CANCELLED']],
]);

export type MessageChanges = Pick<Changes, 'messages' | 'links'>;

/**
 * The customer's confirmation of what this command commits, to whoever asked for the ticket.
 * @param ticket as it stands after the command
 * @returns nothing to send when nobody is to be told
 * @invariant created only by the command that commits the fact, with values of that same change
 * @source T2.1, T2.3, T2.6
 */
export function confirm(
  context: RuleContext,
  ticket: TicketRow,
  template: MessageTemplate,
  slots: MessageDraft['slots'] = {},
): MessageChanges {
  const states = TRUE_WHILE.get(template);
  if (states === undefined) throw new Error(`${template} does not speak of a ticket's state`);
  return confirmAs(context, ticket, template, { kind: 'ticket_state', states }, slots);
}

/** As `confirm`, where the text speaks of an approval and not of the ticket's state. */
export function confirmAs(
  context: RuleContext,
  ticket: TicketRow,
  template: MessageTemplate,
  claim: MessageClaim,
  slots: MessageDraft['slots'] = {},
): MessageChanges {
  if (ticket.requester_id === null) return {};
  const message = outbound(context, {
    contactId: ticket.requester_id,
    conversationId: ticket.conversation_id,
    ticket,
    template,
    slots,
    claim,
  });
  return { messages: [message], links: [statusLink(context, ticket, ticket.requester_id)] };
}

/** The same text, with a link of its own by which its recipient may answer with one tap, until `expires_at`. */
export function withChoiceLink(changes: MessageChanges, expires_at: string): MessageChanges {
  const { messages = [], links = [] } = changes;
  const made = messages.flatMap(({ contact_id, id }): LinkDraft[] =>
    contact_id === null ? [] : [{ purpose: 'choice', contact_id, object_id: id, expires_at }],
  );
  return made.length === 0 ? changes : { messages, links: [...links, ...made] };
}

/** A reviewed phrase: asserts nothing of a ticket. */
export function phraseMessage(
  context: RuleContext,
  to: { readonly contactId: string; readonly conversationId: string; readonly ticket: TicketRow | null },
  phrase: Phrase,
  slots: MessageDraft['slots'],
): MessageDraft {
  return outbound(context, { ...to, template: `phrase:${phrase}`, slots, claim: { kind: 'none' } });
}

export function outbound(
  { caller, facts, nowText, tools }: RuleContext,
  draft: {
    readonly contactId: string;
    readonly conversationId: string | null;
    readonly ticket: TicketRow | null;
    readonly template: string;
    readonly slots: MessageDraft['slots'];
    readonly claim: MessageClaim;
  },
): MessageDraft {
  const isOfConversation = facts.conversation !== null && facts.conversation.id === draft.conversationId;
  return {
    tenant_id: caller.tenantId,
    id: tools.newId(),
    direction: 'OUT',
    // A contact who wrote is answered where they wrote; everybody else by text message.
    channel: isOfConversation ? facts.conversation.channel : 'sms',
    conversation_id: draft.conversationId,
    contact_id: draft.contactId,
    ticket_id: draft.ticket?.id ?? null,
    state: 'QUEUED',
    template: draft.template,
    slots: draft.ticket === null ? draft.slots : { reference: draft.ticket.reference, ...draft.slots },
    claim: draft.claim,
    text_id: null,
    provider_id: null,
    correlation_id: caller.context.correlationId,
    created_at: nowText,
  };
}

function statusLink({ now }: RuleContext, ticket: TicketRow, contactId: string): LinkDraft {
  return {
    purpose: 'status',
    contact_id: contactId,
    object_id: ticket.id,
    expires_at: new Date(now + STATUS_LINK_MS).toISOString(),
  };
}
