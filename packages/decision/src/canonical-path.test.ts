import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import type { Decision } from './changes.ts';
import {
  agentCaller,
  gatewayCaller,
  NO_CONTEXT,
  staffCaller,
  stepUpCaller,
  technicianCaller,
} from './testing/callers.ts';
import { FREE_TEXT, fixedId, IDS } from './testing/ids.ts';
import { approverFacts, contact, membership, staffMember, technicianSubject } from './testing/rows.ts';
import { technicianFacts } from './testing/schedule-rows.ts';
import { createTestTools } from './testing/tools.ts';
import { addPhoto, createWorld, type Person, type World } from './testing/world.ts';

const GATEWAY: Person = { caller: gatewayCaller(), subject: null };
const DANA: Person = {
  caller: staffCaller(IDS.dispatcher),
  subject: staffMember(IDS.dispatcher, 'dispatcher'),
};
const QUINN: Person = { caller: staffCaller(IDS.qa), subject: staffMember(IDS.qa, 'qa') };
const FAY: Person = { caller: staffCaller(IDS.finance), subject: staffMember(IDS.finance, 'finance') };
const TOM: Person = { caller: technicianCaller(), subject: technicianSubject() };
const TESS: Person = {
  caller: technicianCaller(fixedId(40)),
  subject: technicianSubject(fixedId(40)),
};
const MARIA = contact(IDS.requester, membership());
const ALAN = contact(
  IDS.approver,
  membership({ site_id: null, may_request: false, may_approve: true, approval_limit_cents: 500_000 }),
);

function codeOf(decision: Decision): string {
  return decision.kind === 'refused' ? decision.code : decision.kind;
}

function inbound(world: World, providerId: string) {
  return world.must(
    GATEWAY,
    'message.receive',
    null,
    {
      channel: 'sms',
      provider_id: providerId,
      contact_id: IDS.requester,
      sender_hash: 'h'.repeat(43),
      doubts: [],
      received_at: world.facts.now,
      text_id: IDS.text,
      mask_state: 'RELEASED',
      masked_text: 'front door will not lock, we close in an hour',
    },
    {
      inbound: {
        known_message_id: null,
        contact_id: IDS.requester,
        contact_account_ids: [IDS.account],
        site_ids: [IDS.site],
        conversation: null,
        reported_today: false,
        schedule: null,
      },
    },
  );
}

/** From the first text to a technician at work with the before-photos on file. */
function toWork(world: World): string {
  inbound(world, 'SM1');
  const agent: Person = {
    caller: agentCaller({
      agent: { role: 'agent.intake', turnId: world.facts.turn?.id ?? '' },
      context: { ...NO_CONTEXT, conversationId: world.facts.conversation?.id ?? '' },
    }),
    subject: MARIA,
  };
  const ticketId = String(world.must(agent, 'ticket.create', null, {}).answer.result.ticket_id);
  const again = world.must(agent, 'ticket.create', null, {});
  assert.equal(again.answer.result.ticket_id, ticketId);
  assert.deepEqual(again.changes, {});
  const answers = [
    { question: 'cannot_lock_anything', answer: 'yes' },
    { question: 'open_to_public', answer: 'yes' },
    { question: 'anyone_hurt', answer: 'no' },
  ];
  world.must(agent, 'ticket.triage', ticketId, { type: 'DOOR_CANNOT_SECURE', answers });
  assert.equal(world.facts.ticket?.priority, 'EMERGENCY');
  assert.equal(world.facts.ticket?.nte_cents, 75_000);
  world.must(
    DANA,
    'visit.dispatch_emergency',
    ticketId,
    { technician_id: IDS.technician, reason: 'CANNOT_SECURE' },
    { technician: technicianFacts() },
  );
  world.facts = { ...world.facts, technician: technicianFacts() };
  assert.equal(codeOf(world.run(TESS, 'visit.accept', ticketId, {})), 'not_found');
  world.must(TOM, 'visit.accept', ticketId, {});
  assert.equal(codeOf(world.run(TESS, 'tech.check_in', ticketId, {})), 'not_found');
  world.must(TOM, 'tech.check_in', ticketId, { client_time: '1999-01-01T00:00:00.000Z' });
  assert.equal(world.facts.visit?.checked_in_at, world.facts.now);
  assert.equal(codeOf(world.run(TOM, 'tech.complete', ticketId, completeInput())), 'invalid_state');
  assert.equal(codeOf(world.run(TOM, 'tech.start', ticketId, {})), 'evidence_missing');
  addPhoto(world, TOM, 'photo.before.site_overview');
  addPhoto(world, TOM, 'photo.before.opening');
  addPhoto(world, TOM, 'photo.before.failed_lock');
  world.must(TOM, 'tech.start', ticketId, {});
  return ticketId;
}

function completeInput() {
  return { outcome: 'RESOLVED', work_note: FREE_TEXT, signature: { kind: 'signed', text: FREE_TEXT } };
}

function askMore(world: World, ticketId: string, cents: number): Decision {
  return world.run(
    TOM,
    'tech.request_change',
    ticketId,
    {
      kind: 'NTE_INCREASE',
      lines: [{ kind: 'PART', quantity: 1, unit_cents: cents, incurred: 'no' }],
      photos: [world.facts.evidence[0]?.id],
      reason: FREE_TEXT,
    },
    { approvers: [approverFacts()] },
  );
}

function decideWithCode(world: World, decision: 'APPROVE' | 'DENY', assurance: 'L1' | 'L2' | 'L3' = 'L2') {
  const digest = world.facts.approval?.action_digest ?? '';
  const caller = stepUpCaller(digest, assurance);
  const alan: Person = {
    caller: { ...caller, context: { ...caller.context, ticketId: world.facts.ticket?.id ?? '' } },
    subject: ALAN,
  };
  return world.run(alan, 'approval.decide', world.facts.approval?.id ?? '', {
    decision,
    action_digest: digest,
  });
}

test('the canonical path runs from a text to a closed ticket, and the approved money is in the NTE', () => {
  verifies('T1.2', 'T3.4', 'A.3d', 'C.3', 'C.4');
  const world = createWorld(createTestTools());
  const ticketId = toWork(world);

  assert.equal(codeOf(askMore(world, ticketId, 20_000)), 'accepted');
  assert.equal(world.facts.ticket?.state, 'APPROVAL_REQUIRED');
  assert.equal(codeOf(decideWithCode(world, 'APPROVE', 'L1')), 'assurance_required');
  assert.equal(codeOf(decideWithCode(world, 'APPROVE')), 'accepted');
  assert.equal(world.facts.ticket?.nte_cents, 95_000);
  assert.equal(world.facts.ticket?.state, 'IN_PROGRESS');
  assert.equal(codeOf(decideWithCode(world, 'APPROVE')), 'invalid_state');

  const refusal = world.run(TOM, 'tech.complete', ticketId, completeInput());
  assert.equal(codeOf(refusal), 'evidence_missing');
  assert.deepEqual(refusal.kind === 'refused' ? refusal.extra.missing : null, [
    'photo.after.secured_outside',
    'photo.after.secured_inside',
    'record.closeout.time',
    'test.lock_unlock_x5',
    'test.egress_opens',
  ]);
  addPhoto(world, TOM, 'photo.after.secured_outside');
  addPhoto(world, TOM, 'photo.after.secured_inside');
  world.must(TOM, 'test.record', ticketId, { test: 'lock_unlock_x5', passed: true, value: 5 });
  world.must(TOM, 'test.record', ticketId, { test: 'egress_opens', passed: true });
  world.must(TOM, 'part.record', ticketId, { part_number: 'LK-9', quantity: 1, unit_cents: 60_000 });
  world.must(TOM, 'time.record', ticketId, { minutes: 90 });
  world.must(TOM, 'tech.complete', ticketId, completeInput());

  assert.equal(codeOf(world.run(QUINN, 'qa.verify', ticketId, { result: 'FAIL' })), 'schema_mismatch');
  world.must(QUINN, 'qa.verify', ticketId, { result: 'FAIL', wanting: ['photo.after.secured_inside'] });
  assert.equal(world.facts.ticket?.state, 'COMPLETED_PENDING_VERIFICATION');
  assert.equal(codeOf(world.run(QUINN, 'qa.verify', ticketId, { result: 'PASS' })), 'evidence_missing');
  const rejected = world.facts.evidence.findLast((e) => e.key === 'photo.after.secured_inside')?.id;
  const remedy = (id: unknown) => ({ remedies: [{ key: 'photo.after.secured_inside', evidence_id: id }] });
  assert.equal(codeOf(world.run(TOM, 'remedy.submit', ticketId, remedy(rejected))), 'evidence_mismatch');
  world.advance(1_000);
  const evidenceId = addPhoto(world, TOM, 'photo.after.secured_inside');
  world.must(TOM, 'remedy.submit', ticketId, remedy(evidenceId));
  assert.equal(codeOf(world.run(DANA, 'qa.verify', ticketId, { result: 'PASS' })), 'separation_of_duty');
  world.must(QUINN, 'qa.verify', ticketId, { result: 'PASS' });
  world.must(FAY, 'billing.generate_invoice', ticketId, {});
  assert.equal(world.facts.invoice?.total_cents, 60_000 + 14_250 + 9_000);
  world.must(FAY, 'billing.issue', ticketId, {});
  assert.equal(codeOf(world.run(FAY, 'ticket.close', ticketId, {})), 'invalid_state');
  world.must(FAY, 'payment.record', ticketId, { amount_cents: 83_250, method: 'ACH' });
  world.must(FAY, 'ticket.close', ticketId, {});
  assert.equal(world.facts.ticket?.state, 'CLOSED');
  assert.deepEqual(
    world.messages.map((m) => m.template),
    ['M01', 'M04', 'M06', 'M10', 'M11', 'M12', 'M15', 'M17'],
  );
});

test('after a return trip the work is proven again, and what qa found wanting is still asked for', () => {
  verifies('C.4', 'I.3');
  const world = createWorld(createTestTools());
  const ticketId = toWork(world);
  world.must(TOM, 'time.record', ticketId, { minutes: 30 });
  const proveAndComplete = () => {
    addPhoto(world, TOM, 'photo.after.secured_outside');
    addPhoto(world, TOM, 'photo.after.secured_inside');
    world.must(TOM, 'test.record', ticketId, { test: 'lock_unlock_x5', passed: true, value: 5 });
    world.must(TOM, 'test.record', ticketId, { test: 'egress_opens', passed: true });
    world.must(TOM, 'tech.complete', ticketId, completeInput());
  };
  proveAndComplete();
  const fail = { result: 'FAIL', wanting: ['work'], rework: 'return_trip' };
  world.must(QUINN, 'qa.verify', ticketId, fail);
  assert.equal(world.facts.ticket?.state, 'READY_TO_SCHEDULE');
  world.advance(1_000);
  const dispatch = { technician_id: IDS.technician, reason: 'CANNOT_SECURE' };
  world.must(DANA, 'visit.dispatch_emergency', ticketId, dispatch, { technician: technicianFacts() });
  world.must(TOM, 'visit.accept', ticketId, {});
  world.must(TOM, 'tech.check_in', ticketId, {});
  assert.equal(codeOf(world.run(TOM, 'tech.start', ticketId, {})), 'evidence_missing');
  addPhoto(world, TOM, 'photo.before.site_overview');
  addPhoto(world, TOM, 'photo.before.opening');
  addPhoto(world, TOM, 'photo.before.failed_lock');
  world.must(TOM, 'tech.start', ticketId, {});
  const refusal = world.run(TOM, 'tech.complete', ticketId, completeInput());
  assert.deepEqual(refusal.kind === 'refused' ? refusal.extra.missing : null, [
    'photo.after.secured_outside',
    'photo.after.secured_inside',
    'test.lock_unlock_x5',
    'test.egress_opens',
  ]);
  proveAndComplete();
  const pass = world.run(QUINN, 'qa.verify', ticketId, { result: 'PASS' });
  assert.deepEqual(pass.kind === 'refused' ? pass.extra : null, { missing: ['work'] });
  world.must(TOM, 'remedy.submit', ticketId, { remedies: [{ key: 'work' }] });
  world.must(QUINN, 'qa.verify', ticketId, { result: 'PASS' });
  assert.equal(world.facts.ticket?.state, 'VERIFIED');
});

test('a second request of +$400 cannot be settled with a code', () => {
  verifies('T3.2', 'T3.5');
  const world = createWorld(createTestTools());
  const ticketId = toWork(world);
  askMore(world, ticketId, 20_000);
  decideWithCode(world, 'APPROVE');
  assert.equal(codeOf(askMore(world, ticketId, 40_000)), 'accepted');
  assert.equal(world.facts.approval?.proof_assurance, 'L3');
  assert.equal(codeOf(decideWithCode(world, 'APPROVE')), 'assurance_required');
  assert.equal(codeOf(decideWithCode(world, 'APPROVE', 'L3')), 'assurance_required');
  assert.equal(world.facts.ticket?.nte_cents, 95_000);
});
