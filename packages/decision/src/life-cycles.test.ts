import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ALL_EDGES,
  APPROVAL_STATES,
  CONVERSATION_STATES,
  EVIDENCE_STATES,
  INVOICE_STATES,
  type ObjectKind,
  SUGGESTION_STATES,
  TERMINAL_TICKET_STATES,
  TERMINAL_VISIT_STATES,
  TICKET_STATES,
  VISIT_STATES,
} from '@deadlatch/catalogue';
import { verifies } from '../../../test/requirements.ts';
import type { Facts } from './facts.ts';
import { suggestionRow } from './testing/life-rows.ts';
import { approvalRow, at, conversationRow, evidenceRow, invoiceRow, visitRow } from './testing/rows.ts';
import { type Actor, accept } from './testing/scene.ts';

/** How whoever owns a state leaves it: a command, and as whom. */
type Exit = readonly [command: string, actor: Actor];

const WAYS: readonly (readonly [object: ObjectKind, state: string, ...exits: readonly Exit[]])[] = [
  ['ticket', 'NEW', ['ticket.triage', 'dispatcher']],
  ['ticket', 'NEEDS_INFO', ['ticket.provide_info', 'requester'], ['ticket.triage', 'dispatcher']],
  ['ticket', 'TRIAGED', ['ticket.ready', 'dispatcher']],
  ['ticket', 'APPROVAL_REQUIRED', ['approval.decide', 'approver'], ['approval.expire', 'system']],
  ['ticket', 'READY_TO_SCHEDULE', ['schedule.propose', 'dispatcher']],
  ['ticket', 'SCHEDULE_PROPOSED', ['schedule.confirm', 'requester'], ['schedule.release', 'system']],
  ['ticket', 'SCHEDULED', ['visit.dispatch', 'dispatcher']],
  ['ticket', 'DISPATCHED', ['tech.check_in', 'technician'], ['visit.miss', 'system']],
  ['ticket', 'ON_SITE', ['tech.start', 'technician']],
  ['ticket', 'IN_PROGRESS', ['tech.complete', 'technician']],
  ['ticket', 'ON_HOLD', ['ticket.resume', 'technician'], ['ticket.resume', 'dispatcher']],
  ['ticket', 'COMPLETED_PENDING_VERIFICATION', ['qa.verify', 'qa']],
  ['ticket', 'VERIFIED', ['billing.generate_invoice', 'finance']],
  ['ticket', 'INVOICED', ['ticket.close', 'finance'], ['ticket.close', 'system']],
  [
    'visit',
    'OFFERED',
    ['visit.accept', 'technician'],
    ['visit.decline', 'technician'],
    ['visit.miss', 'system'],
  ],
  ['visit', 'ACCEPTED', ['visit.depart', 'technician'], ['tech.check_in', 'technician']],
  ['visit', 'EN_ROUTE', ['tech.check_in', 'technician']],
  ['visit', 'ON_SITE', ['tech.check_out', 'technician'], ['qa.verify', 'qa']],
  ['approval', 'PENDING', ['approval.decide', 'approver'], ['approval.withdraw', 'technician']],
  ['invoice', 'DRAFT', ['billing.issue', 'finance']],
  ['invoice', 'ISSUED', ['payment.record', 'finance'], ['billing.dispute', 'requester']],
  ['invoice', 'DISPUTED', ['billing.issue', 'finance']],
  ['evidence', 'PRESIGNED', ['evidence.finalize', 'technician']],
  ['conversation', 'AGENT', ['conversation.take_over', 'dispatcher'], ['conversation.close', 'dispatcher']],
  ['conversation', 'HUMAN', ['conversation.hand_back', 'dispatcher'], ['conversation.close', 'dispatcher']],
  ['suggestion', 'OPEN', ['suggestion.accept', 'dispatcher'], ['suggestion.reject', 'dispatcher']],
];

/** States of every life cycle that is about work or words, and those that end it. */
const CYCLES: readonly (readonly [object: ObjectKind, states: readonly string[], ends: readonly string[]])[] =
  [
    ['ticket', TICKET_STATES, TERMINAL_TICKET_STATES],
    ['visit', VISIT_STATES, TERMINAL_VISIT_STATES],
    ['approval', APPROVAL_STATES, APPROVAL_STATES.filter((s) => s !== 'PENDING')],
    ['invoice', INVOICE_STATES, ['PAID', 'VOID']],
    ['evidence', EVIDENCE_STATES, ['FINALIZED']],
    ['conversation', CONVERSATION_STATES, ['CLOSED']],
    ['suggestion', SUGGESTION_STATES, SUGGESTION_STATES.filter((s) => s !== 'OPEN')],
  ];

/** The object in the state that is to be left, in a situation that suits the command otherwise. */
function factsIn(object: ObjectKind, state: string, command: string): Partial<Facts> {
  const due = command.endsWith('.expire') ? { expires_at: at(-1) } : {};
  switch (object) {
    case 'visit':
      return {
        visit: visitRow({ state: state as never, ...(command === 'visit.miss' && { ends_at: at(-1) }) }),
      };
    case 'approval':
      return { approval: approvalRow({ state: state as never, ...due }) };
    case 'invoice':
      return { invoice: invoiceRow({ state: state as never }) };
    case 'evidence':
      return { evidence_item: evidenceRow({ state: state as never }) };
    case 'conversation':
      return { conversation: conversationRow({ state: state as never }) };
    case 'suggestion':
      return { suggestion: suggestionRow({ state: state as never, ...due }) };
    default:
      return {};
  }
}

test('the ways out are written down for every state that is not an end, and for no other', () => {
  const wanted = CYCLES.flatMap(([object, states, ends]) =>
    states.filter((state) => !ends.includes(state)).map((state) => `${object} ${state}`),
  );
  assert.deepEqual(WAYS.map(([object, state]) => `${object} ${state}`).sort(), wanted.sort());
});

/** Where the ticket stands meanwhile, if that matters. */
const MEANWHILE: Readonly<Record<string, 'NEW' | 'IN_PROGRESS'>> = {
  'tech.check_out': 'IN_PROGRESS',
  'suggestion.accept': 'NEW',
};

const EDGES = new Set(ALL_EDGES.map((e) => `${e.object} ${e.command} ${e.from} ${e.to}`));

for (const [object, state, ...exits] of WAYS) {
  for (const [command, actor] of exits) {
    test(`a ${object} leaves ${state} by ${command} of the ${actor}`, () => {
      verifies('A.3d', 'C.3');
      const twist =
        object === 'ticket' ? { state: state as never } : { facts: factsIn(object, state, command) };
      const meanwhile = MEANWHILE[command];
      const { event } = accept(command, actor, { ...(meanwhile && { state: meanwhile }), ...twist });
      const left = event.effects.find((e) => e.object === object && e.before_state === state);
      assert.ok(left && left.after_state !== state, JSON.stringify(event.effects));
      assert.ok(EDGES.has(`${object} ${command} ${state} ${left.after_state}`));
    });
  }
}
