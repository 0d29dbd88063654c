import type { ConsentDraft, SuggestionRow } from '@deadlatch/decision';
import type { CommandPath } from '@deadlatch/postgres';
import {
  commitOf,
  effectOf,
  firstMessage,
  instantIn,
  newId,
  newTicket,
  next,
  ticketStep,
} from './commits.ts';
import type { SeededTenant } from './seed.ts';

/** Quality's yes; each person has a row of their own by `personOf`. */
export function newConsent(t: SeededTenant, over: Partial<ConsentDraft> = {}): ConsentDraft {
  return {
    act: 'evidence.waive',
    object: 'photo.before.opening',
    object_version: 0,
    role: 'qa',
    staff_id: t.staff.quinn,
    person_id: newId(),
    reason_text_id: newId(),
    ...over,
  };
}

/** What the agent of a turn wanted. */
export function newSuggestion(
  t: SeededTenant,
  of: { readonly conversationId: string; readonly turnId: string },
  over: Partial<SuggestionRow> = {},
): SuggestionRow {
  return {
    tenant_id: t.tenantId,
    id: newId(),
    version: 1,
    state: 'OPEN',
    command: 'ticket.create',
    agent_role: 'agent.intake',
    subject_kind: 'contact',
    subject_id: t.contacts.maria,
    conversation_id: of.conversationId,
    turn_id: of.turnId,
    ticket_id: null,
    ticket_version: null,
    input: {},
    safety: false,
    digest: 'd'.repeat(43),
    sameness: newId(),
    suggested_at: instantIn(),
    expires_at: instantIn(60_000),
    decided_by: null,
    decided_at: null,
    ...over,
  };
}

/** A ticket at work with one consent, and a suggestion that somebody rejected. */
export async function playLife(path: CommandPath, t: SeededTenant): Promise<void> {
  const created = newTicket(t, { state: 'NEW' });
  await path.commitDecision(ticketStep(t, 'ticket.create', null, created));
  const triaged = next(created, { state: 'TRIAGED' });
  await path.commitDecision(ticketStep(t, 'ticket.triage', created, triaged));
  await path.commitDecision(
    ticketStep(t, 'ticket.retriage', triaged, next(triaged), { changes: { consent: newConsent(t) } }),
  );
  const first = firstMessage(t, { channel: 'web' }, { channel: 'web' });
  await path.commitDecision(first.commit);
  const of = { conversationId: first.conversation.id, turnId: first.turn.id };
  const suggestion = newSuggestion(t, of);
  await path.commitDecision(
    commitOf(t, 'ticket.create', {
      effects: [effectOf('suggestion', null, suggestion)],
      changes: { suggestion },
    }),
  );
  const rejected = next(suggestion, {
    state: 'REJECTED',
    decided_by: t.staff.dana,
    decided_at: instantIn(),
  });
  await path.commitDecision(
    commitOf(t, 'suggestion.reject', {
      effects: [effectOf('suggestion', suggestion, rejected)],
      changes: { suggestion: rejected },
    }),
  );
}
