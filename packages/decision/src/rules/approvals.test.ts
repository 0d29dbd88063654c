import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import type { Facts } from '../facts.ts';
import type { ApprovalRow } from '../rows.ts';
import { FREE_TEXT, fixedId, IDS, personOf } from '../testing/ids.ts';
import {
  approvalRow,
  approverFacts,
  at,
  contact,
  HOUR,
  MINUTE,
  membership,
  visitRow,
} from '../testing/rows.ts';
import { accept, code, refusal, type Twist } from '../testing/scene.ts';
import { technicianFacts } from '../testing/schedule-rows.ts';
import { sha256Base64Url } from '../testing/tools.ts';

const WORKING = { state: 'IN_PROGRESS' } as const;

function ask(cents: number, patch: Record<string, unknown> = {}) {
  return {
    kind: 'NTE_INCREASE',
    lines: [{ kind: 'PART', quantity: 1, unit_cents: cents, incurred: 'no' }],
    photos: [fixedId(0x200)],
    reason: FREE_TEXT,
    ...patch,
  };
}

function approver(patch: Partial<ReturnType<typeof membership>> = {}): Pick<Facts, 'subject'> {
  return {
    subject: contact(
      IDS.approver,
      membership({
        site_id: null,
        may_request: false,
        may_approve: true,
        approval_limit_cents: 500_000,
        ...patch,
      }),
    ),
  };
}

const OWNER = { contact_id: fixedId(72), person_id: personOf(fixedId(72)), approval_limit_cents: 2_000_000 };

/** Decides an approval whose row differs. */
function decideOn(approval: ApprovalRow, facts: Partial<Facts> = {}): Twist {
  return {
    facts: { approval, approvals: [approval], ...facts },
    context: { actionDigest: approval.action_digest },
    input: { decision: 'APPROVE', action_digest: approval.action_digest },
  };
}

test('what is asked is written down in full, hashed as it is stored, and sent to the decider alone', () => {
  verifies('T3.4', 'T2.3');
  const { changes, outbox } = accept('tech.request_change', 'technician', {
    ...WORKING,
    input: ask(20_000),
  });
  const approval = changes.approval;
  assert.ok(approval);
  assert.equal(sha256Base64Url(approval.action), approval.action_digest);
  const action = JSON.parse(approval.action);
  assert.equal(action.amount_cents, 20_000);
  assert.equal(action.new_nte_cents, 95_000);
  assert.equal(action.decider, IDS.approver);
  assert.equal(action.site, 'store-114');
  assert.equal(action.expires_at, at(30 * MINUTE));
  assert.deepEqual(action.target, { kind: 'ticket', id: IDS.ticket, version: 8 });
  assert.deepEqual(action.not_by, [personOf(IDS.requester), personOf(IDS.technician)]);
  assert.ok(action.policy_bundle.length > 20);
  assert.equal(changes.ticket?.resume_state, 'IN_PROGRESS');
  assert.equal(changes.timers?.[0]?.due_at, approval.expires_at);
  const [message] = changes.messages ?? [];
  assert.equal(message?.template, 'M11');
  assert.equal(message?.contact_id, IDS.approver);
  assert.equal(message?.conversation_id, null);
  assert.deepEqual(
    changes.links?.map((l) => l.purpose),
    ['approval'],
  );
  assert.deepEqual(
    outbox.map((o) => o.order_key),
    [IDS.approver],
  );
});

test('off site there is more time, and an approval leads on to scheduling', () => {
  verifies('A.3d');
  const { photos: _photos, ...input } = ask(20_000);
  const { changes } = accept('approval.request', 'dispatcher', { input });
  assert.equal(changes.approval?.expires_at, at(4 * HOUR));
  assert.equal(changes.approval?.resume_approved, 'READY_TO_SCHEDULE');
  assert.equal(changes.approval?.resume_denied, 'TRIAGED');
});

test('a question needs finalized photos of this ticket, an amount, and no other question', () => {
  verifies('C.4');
  const photos = ask(20_000, { photos: [IDS.evidence] });
  assert.equal(code('tech.request_change', 'technician', { ...WORKING, input: photos }), 'evidence_missing');
  assert.equal(code('tech.request_change', 'technician', { ...WORKING, input: ask(0) }), 'schema_mismatch');
  const pending = { facts: { approvals: [approvalRow()] } };
  assert.equal(code('tech.request_change', 'technician', { ...WORKING, ...pending }), 'invalid_state');
});

test('above five thousand dollars nobody is asked, because nobody alone could answer', () => {
  verifies('T3.5');
  const rich = { facts: { approvers: [approverFacts({ approval_limit_cents: 2_000_000 })] } };
  const twist = { ...WORKING, ...rich };
  assert.equal(code('tech.request_change', 'technician', { ...twist, input: ask(500_000) }), 'accepted');
  assert.equal(
    code('tech.request_change', 'technician', { ...twist, input: ask(500_001) }),
    'assurance_required',
  );
});

test('the digests of token, body and row are one, and the row is what was hashed', () => {
  verifies('T3.4');
  const other = approvalRow({}, { amount_cents: 1 }).action_digest;
  assert.equal(code('approval.decide', 'approver'), 'accepted');
  assert.equal(code('approval.decide', 'approver', { context: { actionDigest: other } }), 'digest_mismatch');
  const body = { decision: 'APPROVE', action_digest: other };
  assert.equal(code('approval.decide', 'approver', { input: body }), 'digest_mismatch');
  const edited = { ...approvalRow(), action: approvalRow({}, { amount_cents: 1 }).action };
  assert.equal(code('approval.decide', 'approver', decideOn(edited)), 'digest_mismatch');
  // A token for one action is good for nothing else.
  assert.equal(code('ticket.triage', 'dispatcher', { context: { actionDigest: other } }), 'digest_mismatch');
});

test('consumed, denied, expired, withdrawn and void approvals are decided no more', () => {
  verifies('T3.4', 'C.3');
  for (const state of ['CONSUMED', 'DENIED', 'EXPIRED', 'WITHDRAWN', 'VOID'] as const) {
    const refused = refusal('approval.decide', 'approver', decideOn(approvalRow({ state })));
    assert.equal(refused.code, 'invalid_state');
    assert.deepEqual(refused.extra, { from_state: state, allowed_from: ['PENDING'] });
  }
});

test('a passkey level is refused whatever the token claims, and so are two deciders', () => {
  verifies('T3.2', 'T4.5');
  const passkey = decideOn(approvalRow({ proof_assurance: 'L3' }));
  for (const assurance of ['L2', 'L3'] as const) {
    assert.equal(
      code('approval.decide', 'approver', { ...passkey, caller: { assurance } }),
      'assurance_required',
    );
  }
  assert.equal(
    code('approval.decide', 'approver', decideOn(approvalRow({ deciders: 2 }))),
    'assurance_required',
  );
});

test('the limit on file now covers everything released on the ticket', () => {
  verifies('T3.5', 'T3.1');
  const enough = { facts: approver({ approval_limit_cents: 20_000 }) };
  assert.equal(code('approval.decide', 'approver', enough), 'accepted');
  const small = { facts: approver({ approval_limit_cents: 19_999 }) };
  assert.equal(code('approval.decide', 'approver', small), 'limit_exceeded');
  const before = approvalRow({ id: fixedId(80), state: 'CONSUMED', amount_cents: 485_000 });
  const used = { approvals: [before, approvalRow()] };
  assert.equal(code('approval.decide', 'approver', { facts: used }), 'limit_exceeded');
});

test('a contact that changed within a day cannot approve', () => {
  verifies('T3.6');
  const fresh = { facts: approver({ changed_at: at(-23 * HOUR) }) };
  assert.equal(code('approval.decide', 'approver', fresh), 'cooling_off');
  const settled = { facts: approver({ changed_at: at(-24 * HOUR) }) };
  assert.equal(code('approval.decide', 'approver', settled), 'accepted');
});

test('the decider is compared as a person with whoever asked, opened or works', () => {
  verifies('T3.5');
  const asker = approvalRow({}, { not_by: [personOf(IDS.approver)] });
  assert.equal(code('approval.decide', 'approver', decideOn(asker)), 'separation_of_duty');
  assert.equal(
    code('approval.decide', 'approver', { ticket: { requester_id: IDS.approver } }),
    'separation_of_duty',
  );
  const another = decideOn(approvalRow({ requested_by_kind: 'staff', requested_by_id: IDS.dispatcher }));
  assert.equal(code('approval.decide', 'approver', another), 'accepted');
  const works = { technician: technicianFacts({ person_id: personOf(IDS.approver) }) };
  assert.equal(
    code('approval.decide', 'approver', { ...another, facts: { ...another.facts, ...works } }),
    'separation_of_duty',
  );
  const unknown = { ...another.facts, technician: null };
  assert.equal(code('approval.decide', 'approver', { ...another, facts: unknown }), 'separation_of_duty');
});

test('one person with two contacts neither asks themselves nor decides for themselves', () => {
  verifies('T3.5', 'T3.1');
  const self = { requester_person_id: personOf(IDS.approver) };
  const asking = { ...WORKING, input: ask(20_000) };
  assert.equal(code('tech.request_change', 'technician', asking), 'accepted');
  assert.equal(code('tech.request_change', 'technician', { ...asking, facts: self }), 'limit_exceeded');
  const other = { facts: { ...self, approvers: [approverFacts(), approverFacts(OWNER)] } };
  const { changes } = accept('tech.request_change', 'technician', { ...asking, ...other });
  assert.equal(changes.approval?.decider_id, OWNER.contact_id);
  assert.equal(code('approval.decide', 'approver'), 'accepted');
  assert.equal(code('approval.decide', 'approver', { facts: self }), 'separation_of_duty');
  // Whoever opened it and cannot be compared counts as the same person; a ticket that nobody opened has no such person.
  const unknown = { requester_person_id: null };
  assert.equal(code('tech.request_change', 'technician', { ...asking, facts: unknown }), 'unavailable');
  assert.equal(code('approval.decide', 'approver', { facts: unknown }), 'separation_of_duty');
  const unopened = { ticket: { requester_id: null }, facts: unknown };
  assert.equal(code('tech.request_change', 'technician', { ...asking, ...unopened }), 'accepted');
  assert.equal(code('approval.decide', 'approver', unopened), 'accepted');
});

test('an approver who was not the one asked is answered as if there were nothing to decide', () => {
  verifies('T3.1', 'T3.4');
  const owner = contact(
    OWNER.contact_id,
    membership({ site_id: null, may_request: false, may_approve: true, approval_limit_cents: 2_000_000 }),
  );
  const caller = { subject: { kind: 'contact' as const, id: owner.id } };
  assert.equal(code('approval.decide', 'approver', { caller, facts: { subject: owner } }), 'not_found');
  // Asked by the bytes that were signed, that is: a row that names somebody else is a forgery.
  const asked = decideOn(approvalRow({ decider_id: owner.id }, { decider: owner.id }), { subject: owner });
  assert.equal(code('approval.decide', 'approver', { ...asked, caller }), 'accepted');
  const forged = decideOn(approvalRow({ decider_id: owner.id }), { subject: owner });
  assert.equal(code('approval.decide', 'approver', { ...forged, caller }), 'digest_mismatch');
});

test('an approval of another site, account or ticket is unknown', () => {
  verifies('A.3b', 'T3.1');
  assert.equal(
    code('approval.decide', 'approver', { facts: approver({ site_id: IDS.otherSite }) }),
    'not_found',
  );
  assert.equal(
    code('approval.decide', 'approver', { facts: approver({ account_id: IDS.otherAccount }) }),
    'not_found',
  );
  const foreign = approvalRow({ ticket_id: IDS.otherTicket });
  assert.equal(code('approval.decide', 'approver', decideOn(foreign)), 'not_found');
  assert.equal(code('approval.decide', 'approver', { context: { ticketId: IDS.otherTicket } }), 'not_found');
});

test('an NTE that moved since it was asked supersedes the question', () => {
  verifies('T3.4');
  assert.equal(code('approval.decide', 'approver', { ticket: { nte_cents: 80_000 } }), 'superseded');
  const wrong = approvalRow({ new_nte_cents: 950_000 });
  assert.equal(code('approval.decide', 'approver', decideOn(wrong)), 'superseded');
});

test('a technician takes back only the own question', () => {
  verifies('A.3b');
  assert.equal(code('approval.withdraw', 'technician'), 'accepted');
  const other = approvalRow({ requested_by_id: IDS.otherPerson });
  assert.equal(code('approval.withdraw', 'technician', { facts: { approval: other } }), 'not_found');
  const { changes } = accept('approval.withdraw', 'dispatcher');
  assert.equal(changes.approval?.state, 'WITHDRAWN');
  assert.equal(changes.ticket?.scope_capped, true);
});

test('cancelling voids the question, cancels the trip and frees the technician', () => {
  verifies('A.3d');
  const asked = accept('ticket.cancel', 'dispatcher', { state: 'APPROVAL_REQUIRED' });
  assert.equal(asked.changes.approval?.state, 'VOID');
  const visit = visitRow({ state: 'ACCEPTED' });
  const { changes } = accept('ticket.cancel', 'dispatcher', { state: 'DISPATCHED', facts: { visit } });
  assert.equal(changes.visit?.state, 'CANCELLED');
  assert.equal(changes.release_booking_of, visit.id);
  assert.equal(changes.conversation?.ticket_id, null);
  const onSite = { state: 'APPROVAL_REQUIRED', facts: { visit: visitRow() } } as const;
  assert.equal(code('ticket.cancel', 'dispatcher', onSite), 'invalid_state');
});
