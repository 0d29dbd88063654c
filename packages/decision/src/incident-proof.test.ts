import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  ANSWERS,
  INCIDENT_DEFINITIONS,
  type IncidentTypeDefinition,
  incidentType,
  PRIORITIES,
} from '@deadlatch/catalogue';
import type { JsonValue } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { contradictionsOf } from './incident-proof.ts';
import { priorityByRule, stillMissing, unansweredQuestions } from './intake.ts';
import { sortedJson } from './testing/tools.ts';

function named(type: string, version: number): IncidentTypeDefinition {
  const found = incidentType(type, version);
  assert.ok(found, `${type} ${version}`);
  return found;
}

for (const definition of INCIDENT_DEFINITIONS) {
  test(`${definition.type} v${definition.version}: no answers require what is hidden or let a danger lower a priority`, () => {
    verifies('I.3', 'C.0', 'T3.8');
    assert.deepEqual(contradictionsOf(definition), []);
  });
}

test('each fault is found where there is one', () => {
  const OPERATOR = named('AUTO_OPERATOR_FAULT', 1);
  const SENSOR = named('AUTO_SENSOR_SAFETY', 1);
  const FIRE = named('FIRE_DOOR_DEFICIENCY', 1);
  const LOCK = named('DOOR_CANNOT_SECURE', 1);
  const withEvidence = (base: IncidentTypeDefinition, change: object, key: string) => ({
    ...base,
    evidence: base.evidence.map((rule) => (rule.key === key ? { ...rule, ...change } : rule)),
  });
  const LABEL = 'photo.before.label';
  const POSTED = 'photo.after.door_off_and_posted';
  const cases: readonly (readonly [IncidentTypeDefinition, string])[] = [
    [withEvidence(FIRE, { requiredWhen: 'always' }, LABEL), `${LABEL}: required while hidden`],
    [withEvidence(SENSOR, { visibleWhen: 'never' }, POSTED), `${POSTED}: required while hidden`],
    [
      withEvidence(SENSOR, { visibleWhen: { failed: 'presence' } }, POSTED),
      `${POSTED}: visible: by more than answers`,
    ],
    [
      withEvidence(OPERATOR, { requiredWhen: { notNo: 'only_entrance_stuck' } }, 'photo.before.fault_code'),
      'photo.before.fault_code: required by silence nobody was asked about',
    ],
    [
      { ...OPERATOR, raises: [{ unlessNo: ['only_entrance_stuck'], to: 'EMERGENCY' }] },
      'only_entrance_stuck: silence raises what nobody was asked',
    ],
    [{ ...OPERATOR, raises: [{ unlessNo: [], to: 'EMERGENCY' }] }, 'raise 0: reads nothing'],
    [
      { ...FIRE, raises: [{ unlessNo: ['label_present'], to: 'EMERGENCY' }] },
      'raise 0: reads no safety question',
    ],
    [
      { ...LOCK, mitigated: { whenAllNo: ['anyone_hurt', 'which_door'], to: 'URGENT' } },
      'mitigated: reads no safety question',
    ],
    [
      {
        ...LOCK,
        defaultPriority: 'URGENT',
        mitigated: { whenAllNo: ['anyone_hurt'], to: 'EMERGENCY' },
        raises: [],
      },
      'anyone_hurt: danger lowers the priority',
    ],
    [{ ...LOCK, mitigated: { whenAllNo: [], to: 'ROUTINE' } }, 'mitigated: never so'],
    [{ ...SENSOR, raises: [{ unlessNo: ['hit_someone'], to: 'ROUTINE' }] }, 'raise 0: never so'],
    [
      withEvidence(SENSOR, { requiredWhen: { failed: 'hold_open' } }, POSTED),
      `${POSTED}: reads a test that there is not`,
    ],
    [
      withEvidence(SENSOR, { requiredWhen: { notNo: 'anyone_hurt' } }, POSTED),
      `${POSTED}: reads a question nobody asks`,
    ],
    [withEvidence(SENSOR, { requiredWhen: { outcome: [] } }, POSTED), `${POSTED}: true: never so`],
    [{ ...OPERATOR, ask: [...OPERATOR.ask].reverse() }, 'only_entrance_stuck: hidden by a later question'],
  ];
  for (const [definition, fault] of cases) {
    const found = contradictionsOf(definition);
    assert.ok(found.includes(fault), `${fault}\n  not in: ${found.join('; ')}`);
  }
});

/** The design's table, written a second time: what makes each type what priority. */
const NAIVE: Readonly<Record<string, (is: (question: string) => boolean) => string>> = {
  DOOR_CANNOT_SECURE: (is) =>
    is('cannot_lock_anything') || is('open_to_public') || is('anyone_hurt') ? 'EMERGENCY' : 'URGENT',
  DOOR_WONT_LATCH: (is) => (is('exit_blocked') ? 'EMERGENCY' : 'URGENT'),
  CLOSER_LEAK_OR_SLAM: (is) => (is('hit_someone') ? 'URGENT' : 'ROUTINE'),
  AUTO_OPERATOR_FAULT: (is) =>
    is('stuck_open_or_closed') && is('only_entrance_stuck') ? 'EMERGENCY' : 'URGENT',
  AUTO_SENSOR_SAFETY: (is) => (is('hit_someone') || is('cannot_switch_off') ? 'EMERGENCY' : 'URGENT'),
  GLASS_OR_FRAME_DAMAGE: (is) =>
    is('open_to_street') || (is('people_near') && is('not_safety_glass')) ? 'EMERGENCY' : 'URGENT',
  EGRESS_OR_PANIC_HARDWARE: (is) => (is('exit_blocked') ? 'EMERGENCY' : 'URGENT'),
  FIRE_DOOR_DEFICIENCY: () => 'URGENT',
  ROLLING_OR_DOCK_DOOR: (is) => (is('jammed_open') ? 'EMERGENCY' : 'URGENT'),
  ACCESS_CONTROL_STRIKE: (is) => (is('cannot_lock_anything') || is('exit_blocked') ? 'EMERGENCY' : 'URGENT'),
  HARDWARE_REPLACEMENT: () => 'ROUTINE',
  ADA_OPERATOR_OR_THRESHOLD: () => 'URGENT',
};

test('priority follows the table for every combination of answers, and an unknown counts as yes', () => {
  verifies('C.0', 'T3.8');
  for (const definition of INCIDENT_DEFINITIONS) {
    const naive = NAIVE[definition.type];
    assert.ok(naive, definition.type);
    const questions = definition.ask.map((ask) => ask.question);
    let answersOfAll: Record<string, string>[] = [{}];
    for (const question of questions) {
      answersOfAll = answersOfAll.flatMap((a) => [a, ...ANSWERS.map((said) => ({ ...a, [question]: said }))]);
    }
    for (const answers of answersOfAll) {
      const expected = naive((question) => answers[question] !== 'no');
      assert.equal(priorityByRule(definition, answers), expected, JSON.stringify([definition.type, answers]));
    }
    assert.equal(
      priorityByRule(definition, {}),
      naive(() => true),
    );
    assert.ok(PRIORITIES.some((priority) => priority === definition.defaultPriority));
  }
});

test('a question that an answer hides is neither needed nor still missing', () => {
  verifies('I.3');
  const operator = named('AUTO_OPERATOR_FAULT', 1);
  assert.deepEqual(unansweredQuestions(operator, {}), ['stuck_open_or_closed', 'only_entrance_stuck']);
  assert.deepEqual(unansweredQuestions(operator, { stuck_open_or_closed: 'unknown' }), [
    'only_entrance_stuck',
  ]);
  const moves = { stuck_open_or_closed: 'no' };
  assert.deepEqual(unansweredQuestions(operator, moves), []);
  // What a person asked beside the type's own questions stays asked.
  const missing = ['only_entrance_stuck', 'since_when'];
  assert.deepEqual(stillMissing(operator, missing, moves), ['since_when']);
  assert.deepEqual(stillMissing(operator, missing, {}), missing);
  assert.deepEqual(stillMissing(null, missing, moves), missing);
});

const PUBLISHED: Readonly<Record<string, string>> = {
  'ACCESS_CONTROL_STRIKE v1': 'a6IdpLeg13_1Gykp',
  'ADA_OPERATOR_OR_THRESHOLD v1': 'wTrFluFkWjZxUnJR',
  'AUTO_OPERATOR_FAULT v1': 'PG09mRFx6ap7Hg_j',
  'AUTO_OPERATOR_FAULT v2': 'v0wdBZVRav-k8PJA',
  'AUTO_SENSOR_SAFETY v1': 'NGl_2lPyk7KyE3HP',
  'AUTO_SENSOR_SAFETY v2': '3MRdt4SHpSG2C6_M',
  'CLOSER_LEAK_OR_SLAM v1': 'nn4cK9RNWw2wTZDo',
  'CLOSER_LEAK_OR_SLAM v2': 'zTL2lQbDXLjJ9d1e',
  'DOOR_CANNOT_SECURE v1': 'xmSOOZcOS2wpjk2Q',
  'DOOR_CANNOT_SECURE v2': 'hfjn6sVGcLfpzdwl',
  'DOOR_WONT_LATCH v1': '7KTrw-5z3DoWvC_D',
  'DOOR_WONT_LATCH v2': '7X6XfZQLYqI-VQIK',
  'EGRESS_OR_PANIC_HARDWARE v1': 'K3pYYVxMG5U0VGzR',
  'FIRE_DOOR_DEFICIENCY v1': 'V8XJY7RqclR6edb2',
  'FIRE_DOOR_DEFICIENCY v2': 'kRe2LsQDZ3adoGLJ',
  'GLASS_OR_FRAME_DAMAGE v1': 'Z_Zr7AgBmqrI4t8L',
  'HARDWARE_REPLACEMENT v1': 'GAnb2EMhowAU6r1M',
  'ROLLING_OR_DOCK_DOOR v1': '8G5DvEg1hvSd9lW4',
  'ROLLING_OR_DOCK_DOOR v2': 'y0WHTcPLVBOGIOro',
};

test('what was published is, to the byte, what tickets were triaged by', () => {
  verifies('I.3');
  const digests = INCIDENT_DEFINITIONS.map((d) => [
    `${d.type} v${d.version}`,
    createHash('sha256')
      .update(sortedJson(structuredClone(d) as unknown as JsonValue))
      .digest('base64url')
      .slice(0, 16),
  ]);
  // A line that differs is a published version that was changed: publish the next version instead.
  assert.deepEqual(Object.fromEntries(digests), PUBLISHED);
});
