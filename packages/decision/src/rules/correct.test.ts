import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { FREE_TEXT, IDS } from '../testing/ids.ts';
import { reportFacts } from '../testing/life-rows.ts';
import { accountFacts, approvalRow, at, conversationRow, HOUR, ticketRow } from '../testing/rows.ts';
import { accept, code, refusal } from '../testing/scene.ts';

const ANSWERED = [
  { question: 'cannot_lock_anything', answer: 'no' },
  { question: 'open_to_public', answer: 'no' },
  { question: 'anyone_hurt', answer: 'no' },
];
const CALMER = { type: 'DOOR_CANNOT_SECURE', answers: ANSWERED, reason: FREE_TEXT };

test('a corrected triage moves priority and limit and nothing else', () => {
  verifies('T1.5');
  const { changes } = accept('ticket.retriage', 'dispatcher', { input: CALMER });
  assert.equal(changes.ticket?.priority, 'URGENT');
  assert.deepEqual([changes.ticket?.base_nte_cents, changes.ticket?.nte_cents], [50_000, 50_000]);
  assert.equal(changes.ticket?.state, 'TRIAGED');
  assert.equal(changes.ticket?.reported_at, ticketRow().reported_at);
  assert.deepEqual(
    changes.messages?.map((m) => m.template),
    ['M04'],
  );
  assert.equal(accept('ticket.retriage', 'dispatcher').changes.messages, undefined, 'nothing new to say');
});

test('a limit that money was approved or spent under does not fall', () => {
  verifies('T3.4');
  const nte = (facts: object) =>
    accept('ticket.retriage', 'dispatcher', { input: CALMER, ...facts }).changes.ticket?.nte_cents;
  const approved = approvalRow({ state: 'CONSUMED' });
  assert.equal(nte({ facts: { approvals: [approved] }, ticket: { nte_cents: 95_000 } }), 95_000);
  const part = { part_number: 'L-1', quantity: 1, unit_cents: 60_000 };
  assert.equal(nte({ facts: { costs: { parts: [part], minutes: 0 } } }), 75_000);
  assert.equal(nte({ facts: { costs: { parts: [], minutes: 1 } } }), 75_000);
  const raised = { nte_cents: 70_000, base_nte_cents: 50_000, priority: 'URGENT' } as const;
  const toEmergency = { ...CALMER, answers: [{ question: 'anyone_hurt', answer: 'yes' }] };
  const up = accept('ticket.retriage', 'dispatcher', { input: toEmergency, ticket: raised });
  assert.equal(up.changes.ticket?.nte_cents, 95_000, 'what was released stays on top');
});

test('what is ready to be scheduled is not made incomplete', () => {
  verifies('C.4');
  const input = { type: 'HARDWARE_REPLACEMENT', answers: [], reason: FREE_TEXT };
  assert.equal(code('ticket.retriage', 'dispatcher', { input }), 'accepted');
  assert.equal(
    code('ticket.retriage', 'dispatcher', { input, state: 'READY_TO_SCHEDULE' }),
    'evidence_missing',
  );
  const answered = { ...input, answers: [{ question: 'quote_number', answer: 'stated' }] };
  assert.equal(
    code('ticket.retriage', 'dispatcher', { input: answered, state: 'READY_TO_SCHEDULE' }),
    'accepted',
  );
});

test('a duplicate is of the same place and type, and names a ticket that goes on', () => {
  verifies('A.3b');
  const { changes } = accept('ticket.link_duplicate', 'dispatcher');
  assert.equal(changes.ticket?.state, 'CANCELLED');
  assert.equal(changes.ticket?.duplicate_of, IDS.otherTicket);
  assert.equal(changes.conversation?.ticket_id, null);
  const against = (patch: Parameters<typeof ticketRow>[0]) =>
    code('ticket.link_duplicate', 'dispatcher', {
      facts: { duplicates: [ticketRow({ id: IDS.otherTicket, state: 'TRIAGED', ...patch })] },
    });
  assert.equal(against({}), 'accepted');
  for (const patch of [
    { state: 'CLOSED' },
    { state: 'CANCELLED' },
    { site_id: IDS.otherSite },
    { account_id: IDS.otherAccount },
    { tenant_id: IDS.otherTenant },
    { incident_type: 'DOOR_WONT_LATCH' },
    { id: IDS.ticket },
  ] as const) {
    assert.equal(against(patch), 'not_found', JSON.stringify(patch));
  }
  assert.equal(code('ticket.link_duplicate', 'dispatcher', { facts: { duplicates: [] } }), 'not_found');
});

test('an agent suggests a duplicate only where the rows leave one ticket to name', () => {
  verifies('T1.5', 'T1.9');
  const one = ticketRow({ id: IDS.otherTicket, state: 'TRIAGED' });
  assert.equal(code('ticket.link_duplicate', 'agent', { facts: { duplicates: [one] } }), 'suggested');
  const two = [one, ticketRow({ id: IDS.message, state: 'NEW' })];
  assert.equal(code('ticket.link_duplicate', 'agent', { facts: { duplicates: two } }), 'not_found');
  assert.equal(code('ticket.link_duplicate', 'agent', { facts: { duplicates: [] } }), 'not_found');
  const typed = { survivor_id: IDS.otherTicket };
  assert.equal(code('ticket.link_duplicate', 'agent', { input: typed }), 'schema_mismatch');
});

test('a recall is a ticket of its own with a limit of zero, for thirty days', () => {
  verifies('C.3');
  const { changes, event } = accept('ticket.reopen', 'requester', { state: 'CLOSED' });
  const recall = changes.ticket;
  assert.notEqual(recall?.id, IDS.ticket);
  assert.deepEqual(
    [recall?.state, recall?.nte_cents, recall?.recall_of, recall?.requester_id],
    ['NEW', 0, IDS.ticket, IDS.requester],
  );
  assert.deepEqual(
    event.effects.map((e) => [e.object, e.before_state, e.after_state]),
    [['ticket', '-', 'NEW']],
  );
  const days = (n: number) => ({ updated_at: at(-n * 24 * HOUR) });
  assert.equal(code('ticket.reopen', 'requester', { state: 'CLOSED', ticket: days(30) }), 'accepted');
  assert.equal(code('ticket.reopen', 'requester', { state: 'CLOSED', ticket: days(31) }), 'policy_denied');
  assert.equal(
    code('ticket.reopen', 'requester', { state: 'CLOSED', ticket: { updated_at: 'no instant' } }),
    'policy_denied',
  );
  // A conversation goes on about the recall only when it is about nothing else.
  const free = { conversation: conversationRow({ ticket_id: null }) };
  const about = (state: 'CLOSED' | 'INVOICED', facts: object) =>
    accept('ticket.reopen', 'requester', { state, facts }).changes.ticket?.conversation_id;
  assert.equal(about('CLOSED', free), IDS.conversation);
  assert.equal(about('CLOSED', {}), null);
  assert.equal(about('INVOICED', free), null);
});

test('a recall has no limit of the contract, and charges nothing until somebody approves one', () => {
  verifies('T3.4');
  const recall = { recall_of: IDS.otherTicket, base_nte_cents: 0, nte_cents: 0, priority: null } as const;
  const triaged = accept('ticket.triage', 'dispatcher', { ticket: recall }).changes.ticket;
  assert.deepEqual([triaged?.base_nte_cents, triaged?.nte_cents], [0, 0]);
  const costs = { parts: [{ part_number: 'L-1', quantity: 1, unit_cents: 5_000 }], minutes: 60 };
  const invoice = (nte_cents: number) =>
    accept('billing.generate_invoice', 'finance', { ticket: { ...recall, nte_cents }, facts: { costs } })
      .changes.invoice?.total_cents;
  assert.equal(invoice(0), 0);
  assert.equal(invoice(30_000), 5_000 + 9_500 + accountFacts().contract.trip_cents);
  const capped = { ticket: { ...recall, nte_cents: 1 }, facts: { costs } };
  assert.equal(code('billing.generate_invoice', 'finance', capped), 'nte_exceeded');
});

test('a stranger’s words are attached once, to a ticket or a site, and make nobody its requester', () => {
  verifies('T1.9');
  const { changes } = accept('report.attach', 'dispatcher');
  assert.deepEqual(
    [changes.ticket?.requester_id, changes.ticket?.conversation_id, changes.ticket?.description_text_id],
    [null, null, IDS.text],
  );
  assert.equal(changes.ticket?.reported_at, reportFacts().reported_at);
  assert.equal(changes.messages, undefined);
  const to = { input: { ticket_id: IDS.ticket }, state: 'TRIAGED' } as const;
  assert.deepEqual(accept('report.attach', 'dispatcher', to).changes, {
    attach: { report_id: IDS.report, ticket_id: IDS.ticket },
  });
  assert.equal(code('report.attach', 'dispatcher', { ...to, facts: { ticket: null } }), 'not_found');
  assert.equal(code('report.attach', 'dispatcher', { input: { site_id: IDS.otherSite } }), 'not_found');
  for (const input of [{}, { site_id: IDS.site, ticket_id: IDS.ticket }]) {
    assert.equal(code('report.attach', 'dispatcher', { input }), 'schema_mismatch');
  }
  const done = { report: reportFacts({ attached_ticket_id: IDS.ticket }) };
  assert.equal(refusal('report.attach', 'dispatcher', { facts: done }).code, 'invalid_state');
  assert.equal(code('report.attach', 'dispatcher', { facts: { report: null } }), 'not_found');
  const foreign = { report: reportFacts({ tenant_id: IDS.otherTenant }) };
  assert.equal(code('report.attach', 'dispatcher', { facts: foreign }), 'not_found');
});
