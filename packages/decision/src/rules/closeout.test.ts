import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { completeEvidence } from '../testing/facts.ts';
import { fixedId, IDS, personOf } from '../testing/ids.ts';
import { accountFacts, approvalRow, at, invoiceRow, MINUTE, visitRow } from '../testing/rows.ts';
import { accept, code, refusal } from '../testing/scene.ts';
import { technicianFacts } from '../testing/schedule-rows.ts';

function completion(open: readonly string[], submittedBy: string = IDS.technician) {
  const open_remedies = open.map((key) => ({ key, since: at(-MINUTE) }));
  return { completion: { id: IDS.completion, submitted_by: submittedBy, open_remedies } };
}

test('a pass needs nothing left open and nothing said to be wanting', () => {
  verifies('C.4');
  assert.equal(code('qa.verify', 'qa'), 'accepted');
  assert.deepEqual(refusal('qa.verify', 'qa', { facts: completion(['work']) }).extra, { missing: ['work'] });
  for (const input of [
    { result: 'PASS', wanting: ['work'] },
    { result: 'PASS', rework: 'remedy' },
    { result: 'FAIL' },
  ]) {
    assert.equal(code('qa.verify', 'qa', { input }), 'schema_mismatch');
  }
  assert.equal(code('qa.verify', 'qa', { facts: { evidence: [] } }), 'evidence_missing');
});

test('whoever did the work, handed it in or sent the technician does not verify it', () => {
  verifies('T3.5');
  const offered = { visit: visitRow({ offered_by: IDS.dispatcher }) };
  assert.equal(code('qa.verify', 'dispatcher'), 'accepted');
  assert.equal(code('qa.verify', 'dispatcher', { facts: offered }), 'separation_of_duty');
  const sameHuman = { technician: technicianFacts({ person_id: personOf(IDS.qa) }) };
  assert.equal(code('qa.verify', 'qa', { facts: sameHuman }), 'separation_of_duty');
  assert.equal(code('qa.verify', 'qa', { facts: completion([], IDS.qa) }), 'separation_of_duty');
  assert.equal(code('qa.verify', 'qa', { facts: { technician: null } }), 'separation_of_duty');
  const other = { technician: technicianFacts({ id: IDS.otherPerson }) };
  assert.equal(code('qa.verify', 'qa', { facts: other }), 'separation_of_duty');
});

test('a verified trip is over and its technician free', () => {
  const { changes } = accept('qa.verify', 'qa');
  assert.equal(changes.ticket?.state, 'VERIFIED');
  assert.equal(changes.visit?.state, 'CHECKED_OUT');
  assert.equal(changes.release_booking_of, IDS.visit);
});

test('a remedy answers what was found wanting, with finalized evidence of that key', () => {
  verifies('C.4');
  const key = 'photo.after.secured_inside';
  const remedy = (remedies: readonly Record<string, string>[]) =>
    code('remedy.submit', 'technician', { facts: completion([key, 'work']), input: { remedies } });
  assert.equal(remedy([{ key, evidence_id: fixedId(0x203) }]), 'accepted');
  assert.equal(remedy([{ key: 'work' }]), 'accepted');
  assert.equal(remedy([{ key }]), 'evidence_missing');
  assert.equal(remedy([{ key, evidence_id: fixedId(0x200) }]), 'evidence_mismatch');
  assert.equal(remedy([{ key, evidence_id: IDS.evidence }]), 'evidence_mismatch');
  assert.equal(
    remedy([{ key: 'photo.after.secured_outside', evidence_id: fixedId(0x202) }]),
    'evidence_mismatch',
  );
  assert.equal(remedy([{ key: 'work' }, { key: 'work' }]), 'schema_mismatch');
});

test('what was on file when it was found wanting is no remedy, be it of that key or of none', () => {
  verifies('C.4');
  const key = 'photo.after.secured_inside';
  const remedy = (finalized_at: string | null, remedied: string = key) =>
    code('remedy.submit', 'technician', {
      facts: {
        ...completion([key, 'work']),
        evidence: completeEvidence().map((e) => ({ ...e, finalized_at })),
      },
      input: { remedies: [{ key: remedied, evidence_id: fixedId(0x203) }] },
    });
  for (const remedied of [key, 'work']) {
    assert.equal(remedy(at(-MINUTE + 1), remedied), 'accepted');
    assert.equal(remedy(at(-MINUTE), remedied), 'evidence_mismatch');
    assert.equal(remedy(null, remedied), 'evidence_mismatch');
  }
});

test('an invoice holds parts, time at the contract rate and one trip, and never more than the NTE', () => {
  verifies('T1.2');
  const costs = { parts: [{ part_number: 'LK-9', quantity: 2, unit_cents: 10_001 }], minutes: 50 };
  const { changes } = accept('billing.generate_invoice', 'finance', { facts: { costs } });
  assert.deepEqual(
    changes.invoice?.lines.map((l) => [l.kind, l.quantity, l.unit_cents, l.total_cents]),
    [
      ['PART', 2, 10_001, 20_002],
      ['LABOR', 50, 9_500, 7_917],
      ['TRIP', 1, 9_000, 9_000],
    ],
  );
  assert.equal(changes.invoice?.total_cents, 36_919);
  const dear = { ...costs, minutes: 1_000 };
  assert.equal(code('billing.generate_invoice', 'finance', { facts: { costs: dear } }), 'nte_exceeded');
  const half = { ...costs, minutes: 0.5 };
  assert.equal(code('billing.generate_invoice', 'finance', { facts: { costs: half } }), 'schema_mismatch');
});

test('one live invoice, nothing pending, and nobody on site', () => {
  verifies('C.3');
  assert.equal(
    code('billing.generate_invoice', 'finance', { facts: { invoice: invoiceRow() } }),
    'invalid_state',
  );
  const pending = { approvals: [approvalRow()] };
  assert.equal(code('billing.generate_invoice', 'finance', { facts: pending }), 'invalid_state');
  assert.equal(
    code('billing.generate_invoice', 'finance', { facts: { visit: visitRow() } }),
    'invalid_state',
  );
});

test('an invoice is issued, paid in full and closed, in this order', () => {
  verifies('C.3');
  assert.equal(accept('billing.issue', 'finance').changes.invoice?.state, 'ISSUED');
  assert.equal(code('billing.issue', 'finance', { facts: { invoice: null } }), 'invalid_state');
  assert.equal(code('payment.record', 'finance', { facts: { invoice: invoiceRow() } }), 'invalid_state');
  for (const amount of [8_999, 9_001, 0]) {
    const input = { amount_cents: amount, method: 'ACH' };
    assert.equal(code('payment.record', 'finance', { input }), 'policy_denied');
  }
  const issued = { invoice: invoiceRow({ state: 'ISSUED' }) };
  assert.equal(code('ticket.close', 'finance', { facts: issued }), 'invalid_state');
  const account = accountFacts({ close_when_issued: true });
  assert.equal(code('ticket.close', 'finance', { facts: { ...issued, account } }), 'accepted');
  const draft = { invoice: invoiceRow(), account };
  assert.equal(code('ticket.close', 'finance', { facts: draft }), 'invalid_state');
});
