import type { FreeTextRef } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { confirm } from '../draft-message.ts';
import { siteForNewTicket } from '../gate/site.ts';
import { changed, need } from '../need.ts';
import { referenceOf } from '../reference.ts';
import type { TicketRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';

interface Input {
  readonly site_id?: string;
  readonly description?: FreeTextRef;
}

/** The promise begins. A conversation that has an open ticket is answered with that ticket, and nothing changes. */
export const TICKET_CREATE = rule<Input>('ticket.create', {
  guard: ({ acting, facts }) => {
    // A turn makes one ticket. When that one has ended meanwhile, the next message opens another turn.
    const isMade = acting.kind === 'agent' && facts.turn?.ticket_id !== null;
    if (isMade && facts.open_ticket_of_conversation === null) refuse('turn_ended', { detail: 'ticket made' });
  },
  run: (context) => {
    const { caller, facts, input } = context;
    const place = siteForNewTicket(caller, facts, input.site_id ?? null);
    if (place.existing !== null) {
      return {
        changes: {},
        details: { existing: true, ticket_id: place.existing.id },
        result: { ticket_id: place.existing.id, existing: true },
        answersTicket: place.existing,
      };
    }
    const turn = caller.agent === null ? null : need(facts.turn, 'turn');
    const conversation = turn === null ? null : need(facts.conversation, 'conversation');
    const ticket: TicketRow = {
      ...blankTicket(context, place.accountId, place.siteId),
      requester_id:
        conversation?.contact_id ?? (caller.subject.kind === 'contact' ? caller.subject.id : null),
      conversation_id: conversation?.id ?? null,
      description_text_id: input.description?.text_id ?? null,
      // The clocks start when the customer wrote, not when somebody got around to it.
      reported_at: turn?.opened_at ?? context.nowText,
    };
    return {
      changes: {
        ticket,
        ...(conversation === null ? {} : { conversation: changed(conversation, { ticket_id: ticket.id }) }),
        ...(turn === null ? {} : { turn_ticket: { turn_id: turn.id, ticket_id: ticket.id } }),
        ...confirm(context, ticket, 'M01'),
      },
      details: { ticket_id: ticket.id, reference: ticket.reference, existing: false },
      result: { ticket_id: ticket.id, existing: false },
    };
  },
});

/** A ticket about which nothing is known but where. */
export function blankTicket(
  { caller, nowText, tools }: RuleContext,
  accountId: string,
  siteId: string,
): TicketRow {
  const id = tools.newId();
  return {
    tenant_id: caller.tenantId,
    id,
    version: 1,
    state: 'NEW',
    reference: referenceOf(id),
    account_id: accountId,
    site_id: siteId,
    requester_id: null,
    conversation_id: null,
    resume_state: null,
    hold_reason: null,
    hold_owner: null,
    hold_until: null,
    scope_capped: false,
    outcome: null,
    incident_type: null,
    incident_version: null,
    safety: false,
    priority: null,
    answers: {},
    missing: [],
    base_nte_cents: 0,
    nte_cents: 0,
    description_text_id: null,
    recall_of: null,
    duplicate_of: null,
    reported_at: nowText,
    created_at: nowText,
    updated_at: nowText,
  };
}
