import type { FreeTextRef, Outcome as WorkOutcome } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { chargedLines, invoiceLines, totalCents } from '../costs.ts';
import { confirm } from '../draft-message.ts';
import {
  isWithinBounds,
  knownFacts,
  missingEvidence,
  NOTHING_HANDED_IN,
  requireCompleteEvidence,
  typeOf,
} from '../evidence-list.ts';
import { requireStateIn } from '../gate/state.ts';
import { changed, changedTicket, contractOf, need, ticketOf } from '../need.ts';
import { type RuleContext, rule } from '../rule.ts';
import { requireVisit } from './visit.ts';

/** Whoever works is there. */
function requireOnSite({ facts }: RuleContext): void {
  requireStateIn(facts.visit, ['ON_SITE']);
}

/** What was found is on file before anything is touched. */
export const START = rule<Record<string, never>>('tech.start', {
  guard: requireVisit('tech.start'),
  run: (context) => {
    const { facts } = context;
    const visit = need(facts.visit, 'visit');
    const before = ticketOf(context);
    const known = knownFacts(before, facts, null);
    const missing = missingEvidence(typeOf(before), ['before'], known, facts, NOTHING_HANDED_IN);
    if (missing.length > 0) refuse('evidence_missing', { extra: { missing } });
    return {
      changes: {
        ticket: changedTicket(context, { state: 'IN_PROGRESS' }),
        visit: changed(visit, { started_at: visit.started_at ?? context.nowText }),
      },
      details: { visit_id: visit.id },
    };
  },
});

interface PartInput {
  readonly part_number: string;
  readonly quantity: number;
  readonly unit_cents: number;
}

export const RECORD_PART = rule<PartInput>('part.record', {
  guard: requireOnSite,
  run: (context) => {
    const { part_number, quantity, unit_cents } = context.input;
    const part = { part_number, quantity, unit_cents };
    // A figure that no invoice could hold is refused here and not only at the end.
    invoiceLines({ parts: [part], minutes: 0 }, contractOf(context));
    return { changes: { ticket: changedTicket(context, {}), part }, details: { ...part } };
  },
});

export const RECORD_TIME = rule<{ readonly minutes: number }>('time.record', {
  guard: requireOnSite,
  run: (context) => {
    const { minutes } = context.input;
    return { changes: { ticket: changedTicket(context, {}), minutes }, details: { minutes } };
  },
});

interface TestInput {
  readonly test: string;
  readonly passed: boolean;
  readonly value?: number;
}

/** A pass is what the bounds say, and only then what the technician says. */
export const RECORD_TEST = rule<TestInput>('test.record', {
  guard: requireOnSite,
  run: (context) => {
    const { input } = context;
    const before = ticketOf(context);
    const testRule = typeOf(before).tests.find((t) => t.key === input.test);
    if (testRule === undefined) {
      return refuse('schema_mismatch', { extra: { fields: ['/test'] } });
    }
    const value = input.value ?? null;
    if (testRule.pass !== null && value === null) {
      refuse('schema_mismatch', { extra: { fields: ['/value'] } });
    }
    const passed = input.passed === true && isWithinBounds(testRule, value);
    return {
      changes: { ticket: changedTicket(context, {}), test: { test: testRule.key, passed, value } },
      details: { test: testRule.key, passed, value },
      result: { passed },
    };
  },
});

interface CompleteInput {
  readonly outcome: WorkOutcome;
  readonly work_note: FreeTextRef;
  readonly signature: { readonly kind: 'signed' | 'unavailable'; readonly text: FreeTextRef };
}

/**
 * Hands the work in.
 * @invariant all that the type demands for this outcome is there, and the cost is within the NTE
 * @source I.3, C.4
 */
export const COMPLETE = rule<CompleteInput>('tech.complete', {
  guard: requireOnSite,
  run: (context) => {
    const { caller, facts, input, tools } = context;
    const before = ticketOf(context);
    requireCompleteEvidence(before, facts, {
      outcome: input.outcome,
      hasWorkNote: input.work_note?.text_id !== undefined,
      hasSignature: input.signature?.text?.text_id !== undefined,
    });
    const cost = totalCents(chargedLines(before, facts.costs, contractOf(context)));
    if (!(cost <= before.nte_cents)) {
      refuse('nte_exceeded', { extra: { cost_cents: cost, nte_cents: before.nte_cents } });
    }
    const visit = need(facts.visit, 'visit');
    const ticket = changedTicket(context, {
      state: 'COMPLETED_PENDING_VERIFICATION',
      outcome: input.outcome,
    });
    const completion = {
      id: tools.newId(),
      visit_id: visit.id,
      submitted_by: need(caller.subject.id, 'subject id'),
      outcome: input.outcome,
      work_note_text_id: input.work_note.text_id,
      signature_kind: input.signature.kind,
      signature_text_id: input.signature.text.text_id,
    };
    return {
      changes: { ticket, completion, ...confirm(context, ticket, 'M15', { outcome: input.outcome }) },
      details: { completion_id: completion.id, outcome: input.outcome, cost_cents: cost },
      result: { completion_id: completion.id },
    };
  },
});
