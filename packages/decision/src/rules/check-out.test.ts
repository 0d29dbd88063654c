import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECK_OUT_OUTCOMES } from '@deadlatch/catalogue';
import { verifies } from '../../../../test/requirements.ts';
import { IDS } from '../testing/ids.ts';
import { approvalRow, at, HOUR, visitRow } from '../testing/rows.ts';
import { accept, code } from '../testing/scene.ts';

const HOUR_LATER = at(HOUR);
const STATES = ['ON_SITE', 'IN_PROGRESS', 'APPROVAL_REQUIRED', 'COMPLETED_PENDING_VERIFICATION'] as const;

test('each reason to leave is said in its states and leads where it says, and frees the technician', () => {
  verifies('A.3d');
  const lead = STATES.flatMap((state) =>
    CHECK_OUT_OUTCOMES.map((outcome) => {
      const twist = { state, input: { outcome, hold_until: HOUR_LATER } };
      if (code('tech.check_out', 'technician', twist) !== 'accepted') return null;
      const { changes } = accept('tech.check_out', 'technician', twist);
      assert.equal(changes.visit?.state, 'CHECKED_OUT');
      assert.equal(changes.release_booking_of, IDS.visit);
      return `${state} ${outcome} ${changes.ticket?.state} ${changes.ticket?.resume_state}`;
    }),
  ).filter((line) => line !== null);
  assert.deepEqual(lead, [
    'ON_SITE PARTS ON_HOLD ON_SITE',
    'ON_SITE NO_ACCESS ON_HOLD ON_SITE',
    'ON_SITE RETURN_TRIP READY_TO_SCHEDULE null',
    'IN_PROGRESS PARTS ON_HOLD IN_PROGRESS',
    'IN_PROGRESS NO_ACCESS ON_HOLD IN_PROGRESS',
    'IN_PROGRESS RETURN_TRIP READY_TO_SCHEDULE null',
    'APPROVAL_REQUIRED WAITING_APPROVAL ON_HOLD APPROVAL_REQUIRED',
    'COMPLETED_PENDING_VERIFICATION COMPLETE COMPLETED_PENDING_VERIFICATION null',
  ]);
});

test('no wait without an end: given for parts and access, the question’s own while one is open', () => {
  const wait = (hold_until?: string) => {
    const input = { outcome: 'PARTS', ...(hold_until && { hold_until }) };
    return code('tech.check_out', 'technician', { state: 'IN_PROGRESS', input });
  };
  assert.equal(wait(HOUR_LATER), 'accepted');
  for (const end of [undefined, at(-1), at(91 * 24 * HOUR)]) assert.equal(wait(end), 'schema_mismatch');
  const asked = accept('tech.check_out', 'technician', { state: 'APPROVAL_REQUIRED' }).changes;
  assert.equal(asked.ticket?.hold_until, approvalRow().expires_at);
  const unasked = { state: 'APPROVAL_REQUIRED', facts: { approvals: [] } } as const;
  assert.equal(code('tech.check_out', 'technician', unasked), 'unavailable');
});

test('whoever is not there does not leave, and who left is on nothing but the work they handed in', () => {
  verifies('A.3b');
  const gone = { facts: { visit: visitRow({ state: 'CHECKED_OUT' }) } };
  assert.equal(code('tech.check_out', 'technician', gone), 'not_found');
  const accepted = { facts: { visit: visitRow({ state: 'ACCEPTED' }) } };
  assert.equal(code('tech.check_out', 'technician', accepted), 'invalid_state');
  assert.equal(code('part.record', 'technician', gone), 'not_found');
  const handedIn = { ...gone, state: 'COMPLETED_PENDING_VERIFICATION' } as const;
  assert.equal(code('remedy.submit', 'technician', handedIn), 'accepted');
  assert.equal(code('evidence.presign', 'technician', handedIn), 'accepted');
  assert.equal(code('tech.check_out', 'technician', handedIn), 'invalid_state');
  const others = { facts: { visit: visitRow({ state: 'CHECKED_OUT', technician_id: IDS.otherPerson }) } };
  assert.equal(
    code('remedy.submit', 'technician', { ...others, state: 'COMPLETED_PENDING_VERIFICATION' }),
    'not_found',
  );
});

test('an answer that comes while nobody is there leads to another trip, a yes with its money', () => {
  verifies('T3.4', 'A.3d');
  const digest = approvalRow().action_digest;
  const answers = [
    ['approval.decide', 'approver', { decision: 'APPROVE', action_digest: digest }, 95_000],
    ['approval.decide', 'approver', { decision: 'DENY', action_digest: digest }, 75_000],
    ['approval.withdraw', 'dispatcher', {}, 75_000],
    ['approval.expire', 'system', {}, 75_000],
  ] as const;
  for (const [command, actor, input, nte] of answers) {
    const { ticket } = accept(command, actor, { state: 'ON_HOLD', input }).changes;
    assert.deepEqual(
      [ticket?.state, ticket?.nte_cents, ticket?.resume_state, ticket?.hold_until],
      ['READY_TO_SCHEDULE', nte, null, null],
    );
    // On hold for anything else, no question is waited for.
    const elsewhere = { state: 'ON_HOLD', input, ticket: { resume_state: 'IN_PROGRESS' } } as const;
    assert.equal(code(command, actor, elsewhere), 'invalid_state');
  }
});

test('work on hold goes on by another trip when nobody is on it, and not at all while a question is open', () => {
  const resumed = (facts: object, input: object = {}) =>
    accept('ticket.resume', 'dispatcher', { facts, input }).changes.ticket?.state;
  assert.equal(resumed({}), 'IN_PROGRESS');
  assert.equal(resumed({ visit: null }), 'READY_TO_SCHEDULE');
  assert.equal(resumed({ visit: null }, { return_trip: 'no' }), 'READY_TO_SCHEDULE');
  const open = { facts: { approvals: [approvalRow()] } };
  assert.equal(code('ticket.resume', 'dispatcher', open), 'invalid_state');
});
