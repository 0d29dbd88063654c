import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INCIDENT_DEFINITIONS, INCIDENT_TYPES } from '@deadlatch/catalogue';
import { verifies } from '../../../test/requirements.ts';
import type { Facts } from './facts.ts';
import type { TicketRow } from './rows.ts';
import { fixedId, IDS } from './testing/ids.ts';
import { publicationFacts } from './testing/publication-facts.ts';
import { at, HOUR, LONG_AGO, NOW } from './testing/rows.ts';
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

const FRESH: Partial<TicketRow> = {
  incident_type: null,
  incident_version: null,
  answers: {},
  priority: null,
};
const REASON = { text_id: IDS.text, commitment: 'c'.repeat(43) };

/** What triage, or triage again, makes of a ticket while these publications of the type are on file. */
function triaged(
  command: 'ticket.triage' | 'ticket.retriage',
  type: string,
  ticket: Partial<TicketRow>,
  ...published: readonly (readonly [version: number, effectiveFrom: string])[]
): number | null | undefined {
  const input = { type, answers: [], ...(command === 'ticket.retriage' && { reason: REASON }) };
  const facts = { publications: publicationFacts('incident_type', type, ...published) };
  const state = command === 'ticket.retriage' ? ({ state: 'TRIAGED' } as const) : {};
  return accept(command, 'dispatcher', { ...state, ticket, facts, input }).changes.ticket?.incident_version;
}

test('a ticket that has a version keeps it, whatever is published while it is in flight', () => {
  verifies('I.3');
  for (const command of ['ticket.triage', 'ticket.retriage'] as const) {
    for (const version of [1, 2]) {
      for (const published of [1, 2]) {
        assert.equal(triaged(command, 'DOOR_WONT_LATCH', latch(version), [published, LONG_AGO]), version);
        assert.equal(
          triaged(command, 'DOOR_WONT_LATCH', latch(version), [3 - published, LONG_AGO], [published, NOW]),
          version,
        );
      }
    }
  }
});

test('a type that is new to a ticket comes in the version in force at that moment, and never in the newest for that', () => {
  verifies('I.3');
  for (const { type, version } of INCIDENT_DEFINITIONS) {
    const other = INCIDENT_TYPES.find((name) => name !== type) ?? '';
    const before = { incident_type: other, incident_version: 1, answers: {} };
    assert.equal(triaged('ticket.triage', type, FRESH, [version, LONG_AGO]), version);
    assert.equal(triaged('ticket.triage', type, before, [version, LONG_AGO]), version);
    assert.equal(triaged('ticket.retriage', type, before, [version, LONG_AGO]), version);
  }
  const latched = (...published: readonly (readonly [number, string])[]) =>
    triaged('ticket.triage', 'DOOR_WONT_LATCH', FRESH, ...published);
  // Taken in under version 2, and by the time of its triage version 1 had been published again.
  assert.equal(latched([2, LONG_AGO], [1, NOW]), 1);
  assert.equal(latched([2, LONG_AGO], [1, at(1)]), 2);
  assert.equal(latched([1, LONG_AGO], [2, at(-HOUR)], [1, at(HOUR)]), 2);
});

test('where no version is in force, or one of another release, nothing is triaged by any', () => {
  verifies('C.5', 'C.8');
  const input = { type: 'DOOR_WONT_LATCH', answers: [] };
  for (const publications of [
    null,
    publicationFacts('incident_type', 'DOOR_WONT_LATCH'),
    publicationFacts('incident_type', 'DOOR_WONT_LATCH', [2, at(1)]),
    publicationFacts('incident_type', 'DOOR_WONT_LATCH', [3, LONG_AGO]),
    publicationFacts('incident_type', 'CLOSER_LEAK_OR_SLAM', [2, LONG_AGO]),
    publicationFacts('template', 'DOOR_WONT_LATCH', [2, LONG_AGO]),
  ]) {
    for (const [actor, ticket] of [
      ['dispatcher', FRESH],
      ['agent', { ...FRESH, priority: null }],
    ] as const) {
      assert.equal(code('ticket.triage', actor, { ticket, facts: { publications }, input }), 'unavailable');
    }
    const retriage = {
      state: 'TRIAGED',
      ticket: { ...latch(1), incident_type: 'CLOSER_LEAK_OR_SLAM' },
    } as const;
    assert.equal(
      code('ticket.retriage', 'dispatcher', {
        ...retriage,
        facts: { publications },
        input: { ...input, reason: REASON },
      }),
      'unavailable',
    );
    // What a ticket has, it has.
    assert.equal(
      code('ticket.triage', 'dispatcher', { ticket: latch(1), facts: { publications }, input }),
      'accepted',
    );
  }
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
