import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newestIncidentType } from '@deadlatch/catalogue';
import { verifies } from '../../../test/requirements.ts';
import type { Facts } from './facts.ts';
import type { TicketRow } from './rows.ts';
import { fixedId, IDS } from './testing/ids.ts';
import { NOW } from './testing/rows.ts';
import { accept, code, refusal, type Twist } from './testing/scene.ts';

const ANSWERED = { which_door: 'stated', closes_by_itself: 'no' };

/** A ticket that was triaged when a version was the newest. */
function latch(version: number | null, patch: Partial<TicketRow> = {}): Partial<TicketRow> {
  return {
    incident_type: 'DOOR_WONT_LATCH',
    incident_version: version,
    safety: false,
    priority: 'URGENT',
    answers: ANSWERED,
    ...patch,
  };
}

const photos = (...keys: string[]): Facts['evidence'] =>
  keys.map((key, i) => ({
    id: fixedId(0x400 + i),
    key,
    phase: key.split('.')[1] as 'before' | 'after',
    visit_id: IDS.visit,
    finalized_at: NOW,
  }));
const passed = (gap: number): Facts['tests'] => [
  { test: 'latch_cycles_of_10', passed: true, value: 10, recorded_at: NOW },
  { test: 'gap', passed: true, value: gap, recorded_at: NOW },
];
const V1 = ['photo.before.edge_and_strike', 'photo.after.latched', 'photo.after.gap_visible'];
/** All that version 1 demands, and nothing that version 2 adds. */
const DONE_BY_V1: Partial<Facts> = {
  evidence: photos(...V1),
  tests: passed(4),
  costs: { parts: [], minutes: 0 },
};

test('publishing version 2 leaves a ticket of version 1 its questions', () => {
  verifies('I.3');
  assert.equal(newestIncidentType('DOOR_WONT_LATCH')?.version, 2);
  const triaged = (version: number): Twist => ({ state: 'TRIAGED', ticket: latch(version) });
  assert.equal(code('ticket.ready', 'dispatcher', triaged(1)), 'accepted');
  assert.deepEqual(refusal('ticket.ready', 'dispatcher', triaged(2)).extra.missing, [
    'exit_blocked',
    'since_when',
  ]);
});

test('and its evidence list and tests, from the first photo to the verification', () => {
  verifies('I.3', 'C.4');
  for (const [command, actor, ofV2] of [
    ['tech.start', 'technician', ['photo.before.site_overview']],
    ['tech.complete', 'technician', ['photo.before.site_overview', 'record.closeout.time']],
    ['qa.verify', 'qa', ['photo.before.site_overview', 'record.closeout.time']],
  ] as const) {
    const by = (version: number) => ({ ticket: latch(version), facts: DONE_BY_V1 });
    assert.equal(code(command, actor, by(1)), 'accepted', command);
    assert.deepEqual(refusal(command, actor, by(2)).extra.missing, ofV2, command);
  }
  const presign = (version: number, key: string) =>
    code('evidence.presign', 'technician', {
      state: 'IN_PROGRESS',
      ticket: latch(version),
      input: { key, content_type: 'image/png', size_bytes: 1, sha256: 'a'.repeat(64) },
    });
  assert.equal(presign(1, 'photo.before.edge_and_strike'), 'accepted');
  assert.equal(presign(1, 'photo.before.site_overview'), 'schema_mismatch');
  assert.equal(presign(2, 'photo.before.site_overview'), 'accepted');

  const closer = (version: number, name: string, value: number) =>
    play(name, value, { incident_type: 'CLOSER_LEAK_OR_SLAM', incident_version: version });
  const play = (name: string, value: number, ticket: Partial<TicketRow>) => {
    const twist = { state: 'IN_PROGRESS', ticket, input: { test: name, passed: true, value } } as const;
    return code('test.record', 'technician', twist) === 'accepted'
      ? accept('test.record', 'technician', twist).changes.test?.passed
      : 'refused';
  };
  // Four seconds were enough once.
  assert.deepEqual([closer(1, 'closing_time', 4), closer(2, 'closing_time', 4)], [true, false]);
  assert.deepEqual([closer(1, 'opening_force', 30), closer(2, 'opening_force', 30)], ['refused', true]);
});

test('a ticket that is triaged again keeps its version; another type comes in its newest', () => {
  verifies('I.3');
  const again = (type: string, ticket: Partial<TicketRow>) =>
    accept('ticket.triage', 'dispatcher', { ticket, input: { type, answers: [] } }).changes.ticket;
  assert.equal(again('DOOR_WONT_LATCH', latch(1))?.incident_version, 1);
  assert.equal(again('DOOR_WONT_LATCH', latch(2))?.incident_version, 2);
  const fresh = { incident_type: null, incident_version: null, answers: {}, priority: null };
  assert.equal(again('DOOR_WONT_LATCH', fresh)?.incident_version, 2);
  assert.equal(again('CLOSER_LEAK_OR_SLAM', latch(1))?.incident_version, 2);
});

test('a version that is not in the catalogue is no version: nothing is decided by another one', () => {
  verifies('C.8');
  for (const version of [null, 0, 3]) {
    const ticket = latch(version);
    assert.equal(code('ticket.ready', 'dispatcher', { state: 'TRIAGED', ticket }), 'unavailable');
    for (const [command, actor] of [
      ['tech.start', 'technician'],
      ['tech.complete', 'technician'],
      ['qa.verify', 'qa'],
      ['ticket.triage', 'dispatcher'],
    ] as const) {
      const input = command === 'ticket.triage' ? { input: { type: 'DOOR_WONT_LATCH', answers: [] } } : {};
      assert.equal(code(command, actor, { ticket, facts: DONE_BY_V1, ...input }), 'unavailable', command);
    }
  }
});

const SENSOR: Partial<TicketRow> = {
  incident_type: 'AUTO_SENSOR_SAFETY',
  incident_version: 1,
  answers: { hit_someone: 'no', cannot_switch_off: 'no' },
};
const LEFT = [
  'photo.before.site_overview',
  'photo.before.sensors',
  'photo.before.floor_zone',
  'photo.after.decals',
];
const POSTED = 'photo.after.door_off_and_posted';

function completeSensor(outcome: string, walked: number, ...more: string[]): readonly unknown[] | string {
  const twist: Twist = {
    ticket: SENSOR,
    facts: {
      evidence: photos(...LEFT, ...more),
      tests: [
        { test: 'detection_walk_of_3', passed: walked === 3, value: walked, recorded_at: NOW },
        { test: 'presence', passed: true, value: 12, recorded_at: NOW },
      ],
      costs: { parts: [], minutes: 45 },
    },
    input: {
      outcome,
      work_note: { text_id: IDS.text, commitment: 'c'.repeat(43) },
      signature: { kind: 'signed', text: { text_id: IDS.text, commitment: 'c'.repeat(43) } },
    },
  };
  if (code('tech.complete', 'technician', twist) === 'accepted') return 'accepted';
  return refusal('tech.complete', 'technician', twist).extra.missing as readonly unknown[];
}

test('a sensor that still fails is left out of service and posted, and is never called resolved', () => {
  verifies('I.3', 'C.4');
  assert.equal(completeSensor('RESOLVED', 3), 'accepted');
  assert.deepEqual(completeSensor('TEMPORARY_REPAIR', 2), [POSTED]);
  assert.equal(completeSensor('TEMPORARY_REPAIR', 2, POSTED), 'accepted');
  assert.equal(completeSensor('CANNOT_COMPLETE', 2, POSTED), 'accepted');
  for (const outcome of ['RESOLVED', 'NO_FAULT', 'NO_ACCESS']) {
    assert.deepEqual(completeSensor(outcome, 2, POSTED), ['test.detection_walk_of_3'], outcome);
  }
});
