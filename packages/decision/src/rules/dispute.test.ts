import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCommand, type PersonRole } from '@deadlatch/catalogue';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import type { ConsentFacts, Facts } from '../facts.ts';
import type { Outcome, RuleContext } from '../rule.ts';
import { findRule } from '../rules.ts';
import { completeEvidence } from '../testing/facts.ts';
import { FREE_TEXT, IDS, personOf } from '../testing/ids.ts';
import { consentFacts, WAIVABLE_KEY } from '../testing/life-rows.ts';
import { callerOf, factsOf, requestOf } from '../testing/matrix-facts.ts';
import { accountFacts, at, HOUR, invoiceRow, staffMember } from '../testing/rows.ts';
import { accept, cellOf, code, refusal } from '../testing/scene.ts';
import { createTestTools } from '../testing/tools.ts';

const tools = createTestTools();

/** What the rule itself answers to a person whose passkey was proven: nobody can claim that yet over any service. */
function withPasskey(
  command: string,
  role: PersonRole,
  patch: Partial<Facts> = {},
  input?: unknown,
): Outcome {
  const cell = cellOf(command, role);
  const entry = findCommand(command);
  const rule = findRule(command);
  assert.ok(entry && rule);
  const facts = { ...factsOf(cell), ...patch };
  const context: RuleContext = {
    entry,
    caller: { ...callerOf(cell), assurance: 'L3' },
    facts,
    tools,
    acting: { kind: 'person', role, membership: 'tenant' },
    targetId: IDS.ticket,
    input: input ?? requestOf(cell).input,
    now: Date.parse(facts.now),
    nowText: facts.now,
    again: () => assert.fail('nothing was suggested'),
  };
  assert.equal(rule.proof?.(context) ?? entry.proof, 'L3');
  rule.guard?.(context);
  if (rule.isInvolved?.(context) === true) throw new DispatchError('separation_of_duty');
  return rule.run(context);
}

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'accepted';
  } catch (error) {
    return error instanceof DispatchError ? error.code : String(error);
  }
};

test('quality asks for a waiver, and nobody without a passkey grants one', () => {
  verifies('T3.11');
  const { changes } = accept('evidence.waive', 'qa');
  assert.deepEqual(changes.consent, { ...consentFacts(), reason_text_id: FREE_TEXT.text_id });
  assert.deepEqual(changes.tasks, [{ kind: 'consent_needed', ticket_id: IDS.ticket }]);
  assert.equal(code('evidence.waive', 'supervisor'), 'assurance_required');
  assert.equal(code('evidence.waive', 'qa', { facts: { consents: [consentFacts()] } }), 'invalid_state');
  const fixed = { key: 'record.before.check_in', reason: FREE_TEXT };
  assert.equal(code('evidence.waive', 'qa', { input: fixed }), 'policy_denied');
});

test('a supervisor with a passkey grants what another person asked for, once', () => {
  verifies('T3.5');
  const granted = withPasskey('evidence.waive', 'supervisor');
  assert.equal(granted.changes.consent?.role, 'supervisor');
  assert.equal(granted.result?.granted, true);
  const waive = (patch: Partial<Facts>) => codeOf(() => withPasskey('evidence.waive', 'supervisor', patch));
  assert.equal(waive({ consents: [] }), 'invalid_state');
  assert.equal(waive({ consents: [consentFacts({ object: 'photo.before.failed_lock' })] }), 'invalid_state');
  const own = consentFacts({ person_id: personOf(IDS.supervisor) });
  assert.equal(waive({ consents: [own] }), 'separation_of_duty');
  const twice = consentFacts({ role: 'supervisor', person_id: personOf(IDS.supervisor) });
  assert.equal(waive({ consents: [consentFacts(), twice] }), 'invalid_state');
  const sender = {
    visit: { ...factsOf(cellOf('evidence.waive', 'supervisor')).visit, offered_by: IDS.supervisor },
  };
  assert.equal(waive(sender as Partial<Facts>), 'separation_of_duty');
});

test('one waived key is gone without, with both yeses and for nothing else', () => {
  verifies('C.4', 'I.3');
  const without = completeEvidence().filter((e) => e.key !== WAIVABLE_KEY);
  const completes = (...consents: readonly ConsentFacts[]) =>
    code('tech.complete', 'technician', { facts: { evidence: without, consents } });
  const yes = consentFacts({
    role: 'supervisor',
    staff_id: IDS.supervisor,
    person_id: personOf(IDS.supervisor),
  });
  assert.equal(completes(consentFacts(), yes), 'accepted');
  assert.equal(completes(), 'evidence_missing');
  assert.equal(completes(consentFacts()), 'evidence_missing');
  assert.equal(completes(yes), 'evidence_missing');
  assert.equal(completes(consentFacts(), { ...yes, object: 'photo.before.failed_lock' }), 'evidence_missing');
  assert.equal(completes(consentFacts(), { ...yes, act: 'billing.void' }), 'evidence_missing');
  assert.equal(completes(consentFacts({ person_id: yes.person_id }), yes), 'evidence_missing', 'one person');
  // A key that the type lets nobody waive is not waived by any number of yeses.
  const key = 'record.before.check_in';
  const visit = { ...factsOf(cellOf('tech.complete', 'technician')).visit, checked_in_at: null };
  const forced = { consents: [consentFacts({ object: key }), { ...yes, object: key }], visit };
  assert.deepEqual(
    refusal('tech.complete', 'technician', {
      facts: forced as unknown as Partial<Facts>,
      ticket: { incident_version: 2 },
    }).code,
    'evidence_missing',
  );
});

test('an invoice is contested by whoever asked for the work, and paid only once it stands again', () => {
  const { changes } = accept('billing.dispute', 'requester');
  assert.equal(changes.invoice?.state, 'DISPUTED');
  assert.deepEqual(changes.tasks, [{ kind: 'invoice_disputed', ticket_id: IDS.ticket }]);
  const disputed = { facts: { invoice: invoiceRow({ state: 'DISPUTED' }) } };
  assert.equal(code('payment.record', 'finance', disputed), 'invalid_state');
  assert.equal(code('ticket.close', 'finance', disputed), 'invalid_state');
  assert.equal(accept('billing.issue', 'finance', disputed).changes.invoice?.state, 'ISSUED');
  assert.equal(code('billing.dispute', 'requester', disputed), 'invalid_state');
});

test('voiding takes finance and a supervisor, each with a passkey, about one version of one invoice', () => {
  verifies('T3.11', 'T3.5');
  for (const role of ['finance', 'supervisor'] as const) {
    assert.equal(code('billing.void', role), 'assurance_required');
  }
  const first = withPasskey('billing.void', 'finance').changes;
  assert.equal(first.invoice, undefined);
  assert.equal(first.ticket?.state, 'INVOICED');
  const signed = { ...first.consent, reason_text_id: undefined } as unknown as ConsentFacts;
  const second = withPasskey('billing.void', 'supervisor', { consents: [signed] }).changes;
  assert.deepEqual([second.invoice?.state, second.ticket?.state], ['VOID', 'VERIFIED']);
  const voids = (role: PersonRole, patch: Partial<Facts>) =>
    codeOf(() => withPasskey('billing.void', role, patch));
  assert.equal(voids('supervisor', { consents: [] }), 'invalid_state');
  assert.equal(voids('supervisor', { consents: [{ ...signed, object_version: 9 }] }), 'invalid_state');
  assert.equal(voids('supervisor', { consents: [{ ...signed, object: IDS.evidence }] }), 'invalid_state');
  const same = {
    consents: [signed],
    subject: { ...staffMember(IDS.supervisor, 'supervisor'), person_id: signed.person_id },
  };
  assert.equal(voids('supervisor', same), 'separation_of_duty');
  assert.equal(voids('finance', { consents: [signed] }), 'invalid_state');
  assert.equal(voids('finance', { invoice: invoiceRow({ state: 'PAID' }) }), 'invalid_state');
});

test('a timer closes what was paid or only had to be issued, and never early', () => {
  verifies('R.3');
  const hours = (n: number) => at(-n * HOUR);
  const closes = (patch: Parameters<typeof invoiceRow>[0], facts: Partial<Facts> = {}) =>
    code('ticket.close', 'system', { facts: { invoice: invoiceRow(patch), ...facts } });
  assert.equal(closes({ state: 'PAID', paid_at: hours(24) }), 'accepted');
  assert.equal(closes({ state: 'PAID', paid_at: hours(23) }), 'not_due');
  assert.equal(closes({ state: 'PAID', paid_at: null }), 'not_due');
  const issued = { state: 'ISSUED', issued_at: hours(14 * 24) } as const;
  const whenIssued = { account: accountFacts({ close_when_issued: true }) };
  assert.equal(closes(issued), 'invalid_state');
  assert.equal(closes(issued, whenIssued), 'accepted');
  assert.equal(closes({ ...issued, issued_at: hours(13 * 24) }, whenIssued), 'not_due');
  assert.equal(closes({ ...issued, state: 'DISPUTED' }, whenIssued), 'invalid_state');
  const timers = accept('payment.record', 'finance').changes.timers;
  assert.deepEqual(
    timers?.map((t) => [t.kind, t.target_id, t.due_at]),
    [['ticket.close', IDS.ticket, at(24 * HOUR)]],
  );
});
