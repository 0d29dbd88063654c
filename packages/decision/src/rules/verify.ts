import type { FreeTextRef } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { requireCompleteEvidence } from '../evidence-list.ts';
import type { Facts, OpenRemedy } from '../facts.ts';
import { requireStateIn } from '../gate/state.ts';
import { changed, changedTicket, need, ticketOf } from '../need.ts';
import { type RuleContext, rule } from '../rule.ts';

interface VerifyInput {
  readonly result: 'PASS' | 'FAIL';
  readonly wanting?: readonly string[];
  readonly rework?: 'remedy' | 'return_trip';
  readonly note?: FreeTextRef;
}

/**
 * Somebody who took no part in the work looks at it. A FAIL is a result like a PASS: recorded, with a way on.
 * @source T3.5
 */
export const VERIFY = rule<VerifyInput>('qa.verify', {
  guard: ({ facts }) => {
    // Whether the technician waits for the result or has left.
    requireStateIn(facts.visit, ['ON_SITE', 'CHECKED_OUT']);
  },
  isInvolved,
  run: (context) => {
    const { caller, facts, input } = context;
    const completion = need(facts.completion, 'completion');
    const isPass = input.result === 'PASS';
    const wanting = [...new Set(input.wanting ?? [])];
    if (isPass !== (wanting.length === 0) || (isPass && input.rework !== undefined)) {
      refuse('schema_mismatch', { extra: { fields: ['/wanting', '/rework'] } });
    }
    if (isPass) {
      if (completion.open_remedies.length > 0) {
        refuse('evidence_missing', { extra: { missing: completion.open_remedies.map((r) => r.key) } });
      }
      const ticket = ticketOf(context);
      // No completion comes in without a note, and a signature or the reason that there is none.
      requireCompleteEvidence(ticket, facts, {
        outcome: ticket.outcome,
        hasWorkNote: true,
        hasSignature: true,
      });
    }
    const verification = {
      completion_id: completion.id,
      result: input.result,
      wanting,
      verified_by: need(caller.subject.id, 'subject id'),
      note_text_id: input.note?.text_id ?? null,
    } as const;
    const details = { result: input.result, wanting, completion_id: completion.id };
    if (!isPass && input.rework !== 'return_trip') {
      return { changes: { ticket: changedTicket(context, {}), verification }, details };
    }
    // Either way this trip is over, and its technician is free.
    const visit = need(facts.visit, 'visit');
    return {
      changes: {
        ticket: changedTicket(
          context,
          isPass ? { state: 'VERIFIED' } : { state: 'READY_TO_SCHEDULE', outcome: null },
        ),
        verification,
        ...(visit.state === 'ON_SITE'
          ? { visit: changed(visit, { state: 'CHECKED_OUT' }), release_booking_of: visit.id }
          : {}),
      },
      details: { ...details, visit_id: visit.id },
    };
  },
});

/** Did the work, handed it in, or sent the technician. A person who cannot be compared counts as involved. */
function isInvolved({ facts }: RuleContext<VerifyInput>): boolean {
  const { subject, visit, completion, technician } = facts;
  if (subject === null || visit === null || completion === null || technician === null) return true;
  return (
    technician.id !== visit.technician_id ||
    technician.person_id === subject.person_id ||
    subject.id === visit.technician_id ||
    subject.id === visit.offered_by ||
    subject.id === completion.submitted_by
  );
}

interface RemedyInput {
  readonly remedies: readonly { readonly key: string; readonly evidence_id?: string }[];
  readonly note?: FreeTextRef;
}

/** Adds what was found wanting; the completion itself is never edited. */
export const REMEDY = rule<RemedyInput>('remedy.submit', {
  run: (context) => {
    const { facts, input } = context;
    const completion = need(facts.completion, 'completion');
    const keys = input.remedies.map((r) => r.key);
    const isOnce = new Set(keys).size === keys.length;
    if (!isOnce || keys.length === 0) refuse('schema_mismatch', { extra: { fields: ['/remedies'] } });
    for (const remedy of input.remedies) {
      const open = completion.open_remedies.find((r) => r.key === remedy.key);
      if (open === undefined) return refuse('evidence_mismatch', { detail: 'nobody found this wanting' });
      requireAnswer(open, remedy.evidence_id, facts.evidence);
    }
    const remedies = input.remedies.map((r) => ({ key: r.key, evidence_id: r.evidence_id ?? null }));
    const open = completion.open_remedies.map((r) => r.key).filter((key) => !keys.includes(key));
    return {
      changes: { ticket: changedTicket(context, {}), remedies },
      details: { completion_id: completion.id, remedied: keys, still_open: open },
      result: { still_open: open },
    };
  },
});

/** A photo answers with a photo, and nothing answers with what was on file when it was found wanting. */
function requireAnswer(open: OpenRemedy, evidenceId: string | undefined, evidence: Facts['evidence']): void {
  const isPhoto = open.key.startsWith('photo.');
  if (evidenceId === undefined) {
    if (isPhoto) refuse('evidence_missing', { extra: { missing: [open.key] } });
    return;
  }
  const item = evidence.find((e) => e.id === evidenceId);
  if (item === undefined || (isPhoto && item.key !== open.key)) {
    refuse('evidence_mismatch', { detail: 'not finalized evidence of this key' });
  }
  // An instant that is missing or does not parse is before every verification.
  if (!(Date.parse(item?.finalized_at ?? '') > Date.parse(open.since))) {
    refuse('evidence_mismatch', { detail: 'on file when it was found wanting' });
  }
}
