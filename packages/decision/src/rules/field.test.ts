import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_OPEN_UPLOADS, UNUSABLE_REASONS } from '@deadlatch/catalogue';
import { verifies } from '../../../../test/requirements.ts';
import { isWithinDeskHours } from '../desk-hours.ts';
import type { ObservedObject } from '../facts.ts';
import { completeEvidence, completeTests } from '../testing/facts.ts';
import { FREE_TEXT, fixedId, IDS } from '../testing/ids.ts';
import { accountFacts, at, evidenceRow, HOUR, MINUTE, observedObject, visitRow } from '../testing/rows.ts';
import { accept, code, refusal } from '../testing/scene.ts';
import { STORE, technicianFacts } from '../testing/schedule-rows.ts';

const WORKING = { state: 'IN_PROGRESS' } as const;

test('only an emergency skips the proposal, and only for a technician who is fit and free', () => {
  verifies('T1.2');
  const dispatch = (technician: Partial<ReturnType<typeof technicianFacts>>) =>
    code('visit.dispatch_emergency', 'dispatcher', { facts: { technician: technicianFacts(technician) } });
  assert.equal(dispatch({}), 'accepted');
  assert.equal(dispatch({ active: false }), 'not_eligible');
  assert.equal(dispatch({ territories: ['south'] }), 'not_eligible');
  assert.equal(dispatch({ territories: [] }), 'not_eligible');
  assert.equal(
    dispatch({ commitments: [{ starts_at: at(HOUR), ends_at: at(2 * HOUR), place: STORE }] }),
    'double_booking',
  );
  assert.equal(dispatch({ id: IDS.otherPerson }), 'not_found');
  assert.equal(
    code('visit.dispatch_emergency', 'dispatcher', { ticket: { priority: 'URGENT' } }),
    'policy_denied',
  );
  assert.equal(
    code('visit.dispatch_emergency', 'dispatcher', { facts: { visit: visitRow({ state: 'OFFERED' }) } }),
    'invalid_state',
  );
});

test('an emergency books four hours from now and offers the visit', () => {
  verifies('A.3d');
  const { changes, event } = accept('visit.dispatch_emergency', 'dispatcher');
  assert.equal(changes.visit?.state, 'OFFERED');
  assert.equal(changes.visit?.offered_by, IDS.dispatcher);
  assert.deepEqual(changes.booking, {
    visit_id: changes.visit?.id,
    technician_id: IDS.technician,
    starts_at: at(0),
    ends_at: at(4 * HOUR),
  });
  assert.deepEqual(
    event.effects.map((e) => `${e.object} ${e.before_state} ${e.after_state} ${e.version}`),
    ['ticket TRIAGED DISPATCHED 8', 'visit - OFFERED 1'],
  );
});

test('outside desk hours nobody dispatches alone', () => {
  verifies('T3.5');
  // The fixtures' now is 10:00 in New York.
  const hours = (from: number, to: number) => ({
    facts: { account: accountFacts({ desk_hours: { from_minute: from, to_minute: to } }) },
  });
  assert.equal(code('visit.dispatch_emergency', 'dispatcher', hours(480, 1080)), 'accepted');
  assert.equal(code('visit.dispatch_emergency', 'dispatcher', hours(480, 600)), 'after_hours');
  assert.equal(code('visit.dispatch_emergency', 'dispatcher', hours(1080, 480)), 'after_hours');
  const nowhere = {
    site: {
      id: IDS.site,
      account_id: IDS.account,
      slug: 'crater',
      time_zone: 'Mars/Olympus',
      territory: 'north',
    },
  };
  const zone = { facts: { ...hours(480, 1080).facts, ...nowhere } };
  assert.equal(code('visit.dispatch_emergency', 'dispatcher', zone), 'unavailable');
});

test('desk hours follow the wall clock of the site, over midnight and over the change of the hour', () => {
  const night = { from_minute: 22 * 60, to_minute: 6 * 60 };
  const zone = 'America/New_York';
  assert.equal(isWithinDeskHours(night, Date.parse('2026-03-02T04:00:00.000Z'), zone), true);
  assert.equal(isWithinDeskHours(night, Date.parse('2026-03-02T11:00:00.000Z'), zone), false);
  // 8 March 2026: the clock jumps from 02:00 to 03:00, so 10:00Z is 06:00 and no longer 05:00.
  assert.equal(isWithinDeskHours(night, Date.parse('2026-03-07T10:00:00.000Z'), zone), true);
  assert.equal(isWithinDeskHours(night, Date.parse('2026-03-08T10:00:00.000Z'), zone), false);
  assert.equal(isWithinDeskHours(null, 0, undefined), true);
});

test('a visit is accepted once, arrived at once, and started with the before-photos on file', () => {
  verifies('A.3d', 'I.3');
  for (const [command, state] of [
    ['visit.accept', 'ACCEPTED'],
    ['tech.check_in', 'OFFERED'],
    ['tech.start', 'ACCEPTED'],
  ] as const) {
    const visit = visitRow({ state });
    const refused = refusal(command, 'technician', { facts: { visit } });
    assert.equal(refused.code, 'invalid_state');
    assert.equal(refused.extra.from_state, state);
  }
  const evidence = completeEvidence().filter((e) => e.key !== 'photo.before.failed_lock');
  const refused = refusal('tech.start', 'technician', { facts: { evidence } });
  assert.deepEqual(refused.extra.missing, ['photo.before.failed_lock']);
  assert.equal(accept('tech.start', 'technician').changes.visit?.started_at, at(0));
});

test('an intake photo under the same key proves nothing about the work', () => {
  verifies('I.3');
  const evidence = completeEvidence().map((e) => ({ ...e, phase: 'intake' as const }));
  assert.equal(code('tech.start', 'technician', { facts: { evidence } }), 'evidence_missing');
});

test('work is complete with every key and every test that passed, and within the NTE', () => {
  verifies('I.3', 'C.4');
  assert.equal(code('tech.complete', 'technician'), 'accepted');
  for (const { key } of completeEvidence()) {
    const evidence = completeEvidence().filter((e) => e.key !== key);
    assert.deepEqual(refusal('tech.complete', 'technician', { facts: { evidence } }).extra.missing, [key]);
  }
  for (const { test: name } of completeTests()) {
    const missing = completeTests().filter((t) => t.test !== name);
    const failed = completeTests().map((t) => ({ ...t, passed: t.test !== name }));
    for (const tests of [missing, failed]) {
      assert.deepEqual(refusal('tech.complete', 'technician', { facts: { tests } }).extra.missing, [
        `test.${name}`,
      ]);
    }
  }
  const short = { tests: completeTests().map((t) => ({ ...t, value: t.value === null ? null : 4 })) };
  assert.equal(code('tech.complete', 'technician', { facts: short }), 'evidence_missing');
  const again = [
    ...completeTests(),
    { test: 'egress_opens', passed: false, value: null, recorded_at: at(0) },
  ];
  assert.equal(code('tech.complete', 'technician', { facts: { tests: again } }), 'evidence_missing');
});

test('a trip proves itself: photos of an earlier one and tests from before it arrived count for nothing', () => {
  verifies('I.3', 'C.4');
  const visit = visitRow();
  const earlier = { evidence: completeEvidence().map((e) => ({ ...e, visit_id: fixedId(0x300) })) };
  const unbound = { evidence: completeEvidence().map((e) => ({ ...e, visit_id: null })) };
  const before = (checked_in_at: string) => ({
    tests: completeTests().map((t) => ({ ...t, recorded_at: at(-30 * MINUTE) })),
    visit: { ...visit, checked_in_at },
  });
  for (const facts of [earlier, unbound]) {
    assert.equal(code('tech.start', 'technician', { facts }), 'evidence_missing');
    assert.equal(code('tech.complete', 'technician', { facts }), 'evidence_missing');
    assert.equal(code('qa.verify', 'qa', { facts }), 'evidence_missing');
  }
  for (const [command, actor] of [
    ['tech.complete', 'technician'],
    ['qa.verify', 'qa'],
  ] as const) {
    assert.equal(code(command, actor, { facts: before(at(-30 * MINUTE)) }), 'accepted');
    assert.deepEqual(refusal(command, actor, { facts: before(at(-30 * MINUTE + 1)) }).extra.missing, [
      'test.lock_unlock_x5',
      'test.egress_opens',
    ]);
    const nowhere = { visit: { ...visit, checked_in_at: null } };
    assert.equal(code(command, actor, { facts: nowhere }), 'evidence_missing');
  }
});

test('parts, time and one trip together stay within the NTE, to the cent', () => {
  verifies('T1.2');
  // 75,000 less the trip of 9,000 and half an hour at 9,500.
  const costs = (unit: number) => ({
    facts: {
      costs: { parts: [{ part_number: 'A', quantity: 1, unit_cents: unit }], minutes: 30 },
    },
  });
  assert.equal(code('tech.complete', 'technician', costs(61_250)), 'accepted');
  assert.deepEqual(refusal('tech.complete', 'technician', costs(61_251)).extra, {
    cost_cents: 75_001,
    nte_cents: 75_000,
  });
});

test('a test passes when its bounds say so and the technician says so', () => {
  verifies('I.3');
  const record = (input: Record<string, unknown>) =>
    accept('test.record', 'technician', { ...WORKING, input }).changes.test?.passed;
  assert.equal(record({ test: 'lock_unlock_x5', passed: true, value: 5 }), true);
  assert.equal(record({ test: 'lock_unlock_x5', passed: true, value: 4 }), false);
  assert.equal(record({ test: 'lock_unlock_x5', passed: false, value: 5 }), false);
  assert.equal(
    code('test.record', 'technician', { ...WORKING, input: { test: 'lock_unlock_x5', passed: true } }),
    'schema_mismatch',
  );
  // A test of another type.
  assert.equal(
    code('test.record', 'technician', { ...WORKING, input: { test: 'gap', passed: true, value: 1 } }),
    'schema_mismatch',
  );
});

test('evidence is what was found in the store, byte for byte as announced', () => {
  verifies('C.4', 'R.7');
  const finalize = (found: Partial<ObservedObject> | null) =>
    code('evidence.finalize', 'technician', {
      ...WORKING,
      facts: { observed_object: found && observedObject(found) },
    });
  assert.equal(finalize({}), 'accepted');
  assert.equal(finalize(null), 'evidence_missing');
  assert.equal(finalize({ size_bytes: 999 }), 'evidence_mismatch');
  assert.equal(finalize({ sha256: 'b'.repeat(64) }), 'evidence_mismatch');
});

test('announced bytes without a picture in them are no evidence, and the refusal says why', () => {
  verifies('C.4', 'C.0');
  const finalize = (found: Partial<ObservedObject>) =>
    refusal('evidence.finalize', 'technician', {
      ...WORKING,
      facts: { observed_object: observedObject(found) },
    });
  for (const reason of UNUSABLE_REASONS) {
    const refused = finalize({ kept: null, unusable: reason });
    assert.deepEqual([refused.code, refused.extra.reason], ['evidence_unusable', reason]);
    assert.equal(finalize({ unusable: reason }).code, 'evidence_unusable');
  }
  assert.equal(finalize({ kept: null }).code, 'evidence_unusable');
});

test('what is kept is the picture, and the row remembers the bytes it was drawn from', () => {
  verifies('R.7');
  const { changes, event } = accept('evidence.finalize', 'technician', WORKING);
  const { kept } = observedObject();
  const { sha256, content_key, kept_sha256, kept_size_bytes } = changes.evidence ?? evidenceRow();
  assert.deepEqual(
    [sha256, content_key, kept_sha256, kept_size_bytes],
    ['a'.repeat(64), kept?.content_key, kept?.sha256, kept?.size_bytes],
  );
  assert.deepEqual([event.details.sha256, event.details.kept_sha256], [sha256, kept_sha256]);
});

test('a ticket holds so many announced and unfinished uploads, and no more', () => {
  verifies('C.0', 'I.4');
  const presign = (open_uploads: number | null) =>
    code('evidence.presign', 'technician', { ...WORKING, facts: { open_uploads } });
  assert.equal(presign(MAX_OPEN_UPLOADS - 1), 'accepted');
  assert.equal(presign(MAX_OPEN_UPLOADS), 'too_many_uploads');
  assert.equal(presign(null), 'unavailable');
});

test('evidence of another ticket or person is unknown, and final evidence stays as it is', () => {
  verifies('R.7', 'A.3b');
  const mine = { created_by_kind: 'technician', created_by_id: IDS.technician } as const;
  const finalize = (patch: Parameters<typeof evidenceRow>[0]) =>
    code('evidence.finalize', 'technician', {
      ...WORKING,
      facts: { evidence_item: evidenceRow({ ...mine, ...patch }) },
    });
  assert.equal(finalize({}), 'accepted');
  assert.equal(finalize({ ticket_id: IDS.otherTicket }), 'not_found');
  assert.equal(finalize({ created_by_id: IDS.otherPerson }), 'not_found');
  assert.equal(finalize({ id: fixedId(99) }), 'not_found');
  assert.equal(finalize({ state: 'FINALIZED' }), 'invalid_state');
});

test('a requester adds intake photos and no others, and nobody chooses the phase', () => {
  verifies('A.3d', 'I.2');
  const intake = accept('evidence.presign', 'requester', { state: 'NEW' });
  assert.equal(intake.changes.evidence?.phase, 'intake');
  assert.equal(code('evidence.presign', 'requester', WORKING), 'invalid_state');
  const before = accept('evidence.presign', 'technician', WORKING);
  assert.equal(before.changes.evidence?.phase, 'before');
  const input = {
    key: 'photo.before.edge_and_strike',
    content_type: 'image/png',
    size_bytes: 1,
    sha256: 'a'.repeat(64),
  };
  assert.equal(code('evidence.presign', 'technician', { ...WORKING, input }), 'schema_mismatch');
  assert.equal(
    code('evidence.presign', 'requester', {
      state: 'NEW',
      ticket: { incident_type: null },
      input,
    }),
    'accepted',
  );
});

test('a pause has an end in the future, and a resume leads back or to another trip', () => {
  verifies('A.3d');
  const hold = (until: string) =>
    code('ticket.hold', 'technician', {
      ...WORKING,
      input: { reason: 'PARTS', owner: 'PROVIDER', hold_until: until, note: FREE_TEXT },
    });
  assert.equal(hold(at(1)), 'accepted');
  assert.equal(hold(at(0)), 'schema_mismatch');
  assert.equal(hold(at(91 * 24 * HOUR)), 'schema_mismatch');
  const back = accept('ticket.resume', 'technician');
  assert.equal(back.changes.ticket?.state, 'IN_PROGRESS');
  assert.equal(back.changes.ticket?.hold_until, null);
  const trip = accept('ticket.resume', 'technician', { input: { return_trip: 'yes' } });
  assert.equal(trip.changes.ticket?.state, 'READY_TO_SCHEDULE');
  assert.equal(trip.changes.visit?.state, 'CHECKED_OUT');
  assert.equal(trip.changes.release_booking_of, IDS.visit);
  assert.equal(code('ticket.resume', 'technician', { ticket: { resume_state: null } }), 'invalid_state');
});
