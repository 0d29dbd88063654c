import type { FreeTextRef } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Changes, ConsentDraft } from '../changes.ts';
import { typeOf } from '../evidence-list.ts';
import type { ConsentFacts } from '../facts.ts';
import { requireState } from '../gate/state.ts';
import { changed, changedTicket, need, ticketOf } from '../need.ts';
import { type Outcome, type RuleContext, rule } from '../rule.ts';

interface WaiveInput {
  readonly key: string;
  readonly reason: FreeTextRef;
}

/**
 * Going without one piece of evidence takes two people: quality says that it can, a supervisor that it may.
 * @invariant only a key whose type names a supervisor as whoever may waive it; never by the person who asked
 * @invariant deciding needs L3, as the table of proofs has it
 * @source 05, EVIDENCE_WAIVER
 */
export const WAIVE = rule<WaiveInput>('evidence.waive', {
  proof: ({ acting }) => (isSupervisor(acting) ? 'L3' : 'L1'),
  isInvolved: (context) => isSupervisor(context.acting) && isParty(context),
  run: (context) => {
    const { acting, facts, input } = context;
    const asked = consentsOn(facts.consents, { act: 'evidence.waive', object: input.key, version: 0 });
    const rule = typeOf(ticketOf(context)).evidence.find((e) => e.key === input.key);
    if (rule?.waivableBy !== 'supervisor') refuse('policy_denied', { detail: 'nobody may waive this' });
    if (asked.some((c) => c.role === roleOf(acting))) {
      refuse('invalid_state', { extra: { from_state: 'ASKED', allowed_from: [] } });
    }
    if (isSupervisor(acting)) requireOther(context, asked);
    return consented(context, { act: 'evidence.waive', object: input.key, object_version: 0 }, {});
  },
});

export const DISPUTE = rule<{ readonly reason: FreeTextRef }>('billing.dispute', {
  guard: ({ facts }) => {
    requireState('invoice', 'billing.dispute', facts.invoice);
  },
  run: (context) => {
    const invoice = changed(need(context.facts.invoice, 'invoice'), { state: 'DISPUTED' });
    const ticket = changedTicket(context, {});
    return {
      changes: { ticket, invoice, tasks: [{ kind: 'invoice_disputed', ticket_id: ticket.id }] },
      details: { invoice_id: invoice.id, reason_text_id: context.input.reason.text_id },
    };
  },
});

/**
 * Taking an invoice back takes finance first and a supervisor second, each with L3; what finance signed is one version
 * of one invoice.
 * @source 05, CREDIT_OR_VOID
 */
export const VOID = rule<{ readonly reason: FreeTextRef }>('billing.void', {
  guard: ({ facts }) => {
    requireState('invoice', 'billing.void', facts.invoice);
  },
  run: (context) => {
    const { acting, facts } = context;
    const before = need(facts.invoice, 'invoice');
    const given = consentsOn(facts.consents, {
      act: 'billing.void',
      object: before.id,
      version: before.version,
    });
    const draft = { act: 'billing.void', object: before.id, object_version: before.version } as const;
    if (!isSupervisor(acting)) {
      if (given.length > 0) refuse('invalid_state', { extra: { from_state: 'ASKED', allowed_from: [] } });
      return consented(context, draft, {});
    }
    requireOther(context, given);
    const invoice = changed(before, { state: 'VOID' });
    return consented(context, draft, { invoice });
  },
});

type Acting = RuleContext['acting'];

function isSupervisor(acting: Acting): boolean {
  return acting.kind === 'person' && acting.role === 'supervisor';
}

function roleOf(acting: Acting): ConsentFacts['role'] {
  return acting.kind === 'person' ? acting.role : refuse('unavailable', { detail: 'not a person' });
}

function consentsOn(
  consents: readonly ConsentFacts[],
  about: { readonly act: ConsentFacts['act']; readonly object: string; readonly version: number },
): readonly ConsentFacts[] {
  return consents.filter(
    (c) => c.act === about.act && c.object === about.object && c.object_version === about.version,
  );
}

/** Somebody else has said yes before. Compared as persons: one human being with two accounts is one. */
function requireOther(context: RuleContext, given: readonly ConsentFacts[]): void {
  const person = need(context.facts.subject, 'subject').person_id;
  const others = given.filter((c) => c.role !== 'supervisor');
  if (others.length === 0) refuse('invalid_state', { extra: { from_state: null, allowed_from: ['ASKED'] } });
  if (others.some((c) => c.person_id === person)) refuse('separation_of_duty');
}

/** Did the work or sent somebody to it: whoever cannot be told apart counts as such. */
function isParty({ facts }: RuleContext): boolean {
  const { subject, visit, technician } = facts;
  if (subject === null) return true;
  if (visit === null) return false;
  return (
    subject.id === visit.offered_by ||
    technician === null ||
    technician.id !== visit.technician_id ||
    technician.person_id === subject.person_id
  );
}

/** The first yes pages the second person; the second comes with what it does. */
function consented(
  context: RuleContext<{ readonly reason: FreeTextRef }>,
  about: Pick<ConsentDraft, 'act' | 'object' | 'object_version'>,
  effect: Pick<Changes, 'invoice'>,
): Outcome {
  const { acting, facts, input } = context;
  const subject = need(facts.subject, 'subject');
  const consent: ConsentDraft = {
    ...about,
    role: roleOf(acting),
    staff_id: subject.id,
    person_id: subject.person_id,
    reason_text_id: input.reason.text_id,
  };
  const isSecond = isSupervisor(acting);
  const isVoided = effect.invoice !== undefined;
  const ticket = changedTicket(context, isVoided ? { state: 'VERIFIED' } : {});
  return {
    changes: {
      ticket,
      consent,
      ...effect,
      ...(isSecond ? {} : { tasks: [{ kind: 'consent_needed' as const, ticket_id: ticket.id }] }),
    },
    details: { object: about.object, role: consent.role, reason_text_id: consent.reason_text_id },
    result: { granted: isSecond },
  };
}
