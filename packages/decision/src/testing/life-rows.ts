import type { ConsentFacts, Facts, ReportFacts } from '../facts.ts';
import type { SuggestionRow } from '../rows.ts';
import { IDS, personOf } from './ids.ts';
import { at, contact, HOUR, invoiceRow, MINUTE, membership, ticketRow, turnRow } from './rows.ts';

/** A key that the fixtures' type lets a supervisor waive. */
export const WAIVABLE_KEY = 'photo.before.opening';

export function reportFacts(patch: Partial<ReportFacts> = {}): ReportFacts {
  return {
    tenant_id: IDS.tenant,
    id: IDS.report,
    message_id: IDS.message,
    text_id: IDS.text,
    attached_ticket_id: null,
    reported_at: at(-HOUR),
    ...patch,
  };
}

/** Quality's yes to going without the key. */
export function consentFacts(patch: Partial<ConsentFacts> = {}): ConsentFacts {
  return {
    act: 'evidence.waive',
    object: WAIVABLE_KEY,
    object_version: 0,
    role: 'qa',
    staff_id: IDS.qa,
    person_id: personOf(IDS.qa),
    ...patch,
  };
}

export const SUGGESTION_DIGEST = 'd'.repeat(43);

/** Triage that the intake agent wanted in the fixtures' turn. */
export function suggestionRow(patch: Partial<SuggestionRow> = {}): SuggestionRow {
  return {
    tenant_id: IDS.tenant,
    id: IDS.suggestion,
    version: 1,
    state: 'OPEN',
    command: 'ticket.triage',
    agent_role: 'agent.intake',
    subject_kind: 'contact',
    subject_id: IDS.requester,
    conversation_id: IDS.conversation,
    turn_id: IDS.turn,
    ticket_id: IDS.ticket,
    ticket_version: ticketRow().version,
    input: { type: 'DOOR_CANNOT_SECURE', answers: [{ question: 'anyone_hurt', answer: 'no' }] },
    safety: true,
    digest: SUGGESTION_DIGEST,
    sameness: 's',
    suggested_at: at(-MINUTE),
    expires_at: at(HOUR),
    decided_by: null,
    decided_at: null,
    ...patch,
  };
}

/** What the commands about suggestions, reports, duplicates and consents find, beside what every command does. */
export function lifeFacts(command: string, role: string): Partial<Facts> {
  switch (command) {
    case 'conversation.close':
      return { loose_ends: { open_tickets: 0, open_suggestions: 0, is_unanswered: false } };
    case 'ticket.reopen':
      return { open_recalls: 0 };
    case 'report.attach':
      return { report: reportFacts() };
    case 'ticket.link_duplicate':
      return { duplicates: [ticketRow({ id: IDS.otherTicket, state: 'TRIAGED' })] };
    case 'evidence.waive':
      return { consents: role === 'supervisor' ? [consentFacts()] : [] };
    case 'suggestion.accept':
    case 'suggestion.reject':
      return {
        suggestion: suggestionRow(),
        suggested_for: contact(IDS.requester, membership()),
        turn: turnRow(),
      };
    case 'suggestion.expire':
      return { suggestion: suggestionRow({ expires_at: at(-1) }) };
    case 'billing.dispute':
    case 'billing.void':
      return { invoice: invoiceRow({ state: 'ISSUED', issued_at: at(-HOUR) }) };
    default:
      return {};
  }
}
