import { type FreeTextRef, type Priority, REOPEN_WITHIN_MS } from '@deadlatch/catalogue';
import { addCents, refuse } from '@deadlatch/kernel';
import { releasedCents } from '../approval-terms.ts';
import { confirm } from '../draft-message.ts';
import { changed, changedTicket, endOfTopic, need, ticketOf } from '../need.ts';
import type { TicketRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';
import { baseNte, classified, classify, requireCompleteIntake } from './intake.ts';
import { blankTicket } from './ticket-create.ts';

interface RetriageInput {
  readonly type: string;
  readonly answers: readonly { readonly question: string; readonly answer: string }[];
  readonly priority?: Priority;
  readonly reason: FreeTextRef;
}

/**
 * The facts were other than they seemed. Where the ticket stands does not change, nor when it was reported.
 * @invariant the NTE never falls below what was approved, and not at all once anything was approved or spent
 */
export const RETRIAGE = rule<RetriageInput>('ticket.retriage', {
  run: (context) => {
    const { facts, input } = context;
    const before = ticketOf(context);
    const { definition, answers, byRule } = classify(context);
    // What is ready to be scheduled stays ready: the other type's questions are answered in the same breath.
    if (before.state !== 'TRIAGED') requireCompleteIntake(definition, [], answers);
    const priority = input.priority ?? byRule;
    const base = baseNte(context, priority);
    const released = releasedCents(before, facts.approvals);
    const isCommitted = released > 0 || facts.costs.parts.length > 0 || facts.costs.minutes > 0;
    const nte = addCents(base, released);
    const ticket = changedTicket(context, {
      ...classified(before, definition, answers),
      priority,
      base_nte_cents: base,
      nte_cents: isCommitted ? Math.max(nte, before.nte_cents) : nte,
    });
    return {
      changes: {
        ticket,
        ...(definition.safety && !before.safety
          ? { tasks: [{ kind: 'safety_triage' as const, ticket_id: ticket.id }] }
          : {}),
        ...(priority === before.priority ? {} : confirm(context, ticket, 'M04', { priority })),
      },
      details: {
        type: definition.type,
        priority,
        priority_by_rule: byRule,
        nte_cents: ticket.nte_cents,
        reason_text_id: input.reason.text_id,
      },
    };
  },
});

/**
 * Two tickets about one thing. The words and photos of this one are shown with the other from now on, where they are:
 * nothing that came in is rewritten. Whoever reported it is told, and does not own the other one.
 */
export const LINK_DUPLICATE = rule<{ readonly survivor_id?: string }>('ticket.link_duplicate', {
  // An agent has nothing to say here unless the rows leave it one ticket to name.
  guard: (context) => {
    if (context.acting.kind === 'agent') survivorOf(context);
  },
  run: (context) => {
    const survivor = survivorOf(context);
    const ticket = changedTicket(context, {
      state: 'CANCELLED',
      resume_state: null,
      duplicate_of: survivor.id,
    });
    return {
      changes: {
        ticket,
        ...endOfTopic(context, ticket),
        ...confirm(context, ticket, 'M20', { survivor: survivor.reference }),
      },
      details: { survivor_id: survivor.id },
      result: { survivor_id: survivor.id },
    };
  },
});

/** The named ticket, or for an agent the only one there is; of the same place, of no other type, and not over. */
function survivorOf(context: RuleContext<{ readonly survivor_id?: string }>): TicketRow {
  const { acting, facts, input } = context;
  const before = ticketOf(context);
  const able = facts.duplicates.filter(
    (other) =>
      other.id !== before.id &&
      other.tenant_id === before.tenant_id &&
      other.account_id === before.account_id &&
      other.site_id === before.site_id &&
      other.state !== 'CANCELLED' &&
      other.state !== 'CLOSED' &&
      (before.incident_type === null || other.incident_type === before.incident_type),
  );
  const named =
    acting.kind === 'agent' ? (able.length === 1 ? able[0] : undefined) : able.find(isNamed(input));
  return named ?? refuse('not_found', { detail: 'no ticket that this one repeats' });
}

function isNamed({ survivor_id: id }: { readonly survivor_id?: string }): (other: TicketRow) => boolean {
  return (other) => id !== undefined && other.id === id;
}

/**
 * A recall: another ticket that names the one whose repair did not last.
 * @invariant the ticket that is over is not touched, and the new one has a limit of zero; one at a time
 */
export const REOPEN = rule<{ readonly reason: FreeTextRef }>('ticket.reopen', {
  run: (context) => {
    const { facts, input, now } = context;
    const over = ticketOf(context);
    if (!(now - Date.parse(over.updated_at) <= REOPEN_WITHIN_MS)) {
      refuse('policy_denied', { detail: 'over for too long' });
    }
    if (facts.open_recalls !== 0) {
      refuse('invalid_state', { extra: { from_state: 'OPEN_RECALL', allowed_from: [] } });
    }
    const blank = blankTicket(context, over.account_id, over.site_id);
    const { conversation } = facts;
    // Only a conversation that is about nothing else goes on about the recall.
    const isFree =
      conversation !== null &&
      conversation.id === over.conversation_id &&
      conversation.state !== 'CLOSED' &&
      conversation.ticket_id === null &&
      over.state === 'CLOSED';
    const ticket: TicketRow = {
      ...blank,
      requester_id: over.requester_id,
      conversation_id: isFree ? conversation.id : null,
      recall_of: over.id,
      description_text_id: input.reason.text_id,
    };
    return {
      changes: {
        ticket,
        ...(isFree ? { conversation: changed(conversation, { ticket_id: ticket.id }) } : {}),
        ...confirm(context, ticket, 'M16', { over: over.reference }),
      },
      details: { ticket_id: ticket.id, reference: ticket.reference, recall_of: over.id },
      result: { ticket_id: ticket.id },
    };
  },
});

interface AttachInput {
  readonly ticket_id?: string;
  readonly site_id?: string;
}

/**
 * The only way out of UNVERIFIED: a person says where a stranger's words belong.
 * @invariant the stranger is nobody's requester: they own nothing, and are told nothing
 */
export const ATTACH = rule<AttachInput>('report.attach', {
  guard: ({ facts }) => {
    if (facts.report?.attached_ticket_id !== null) {
      refuse('invalid_state', { extra: { from_state: 'ATTACHED', allowed_from: ['UNVERIFIED'] } });
    }
  },
  run: (context) => {
    const { caller, facts, input } = context;
    const report = need(facts.report, 'report');
    if ((input.ticket_id === undefined) === (input.site_id === undefined)) {
      refuse('schema_mismatch', { extra: { fields: ['/ticket_id', '/site_id'] } });
    }
    if (input.ticket_id !== undefined) {
      const { ticket } = facts;
      const isOurs = ticket !== null && ticket.id === input.ticket_id && ticket.tenant_id === caller.tenantId;
      if (!isOurs) return refuse('not_found', { detail: 'ticket' });
      return attached(report.id, ticket.id, {});
    }
    const site = facts.site;
    if (site === null || site.id !== input.site_id) return refuse('not_found', { detail: 'site' });
    const ticket: TicketRow = {
      ...blankTicket(context, site.account_id, site.id),
      description_text_id: report.text_id,
      reported_at: report.reported_at,
    };
    return attached(report.id, ticket.id, { ticket });
  },
});

function attached(reportId: string, ticketId: string, made: { readonly ticket?: TicketRow }) {
  const ids = { report_id: reportId, ticket_id: ticketId };
  return {
    changes: { ...made, attach: ids },
    details: { ...ids, is_new: made.ticket !== undefined },
    result: { ticket_id: ticketId },
  };
}
