import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { REMEDY_KEYS } from '../commands/closeout.ts';
import { assuranceRank } from '../roles.ts';
import { PRIORITIES } from '../states.ts';
import {
  EVIDENCE_KEYS,
  INCIDENT_DEFINITIONS,
  INCIDENT_TYPES,
  incidentType,
  PHOTO_KEYS,
  TEST_KEYS,
} from './catalogue.ts';
import { MAX_QUESTIONS_AT_ONCE, QUESTION_IDS } from './shape.ts';

const unique = (words: readonly string[]) => new Set(words).size === words.length;

/** What every visit leaves, in the newest version of every type. */
const COMMON = [
  'record.before.check_in',
  'photo.before.site_overview',
  'note.closeout.found_done_left',
  'record.closeout.time',
  'signature.closeout.signature_or_reason',
];

describe('incident types', () => {
  it('are known by exactly their names and versions', () => {
    verifies('C.8');
    assert.deepEqual(
      INCIDENT_DEFINITIONS.map((d) => `${d.type} ${d.version}`),
      [
        'DOOR_CANNOT_SECURE 1',
        'DOOR_CANNOT_SECURE 2',
        'DOOR_WONT_LATCH 1',
        'DOOR_WONT_LATCH 2',
        'CLOSER_LEAK_OR_SLAM 1',
        'CLOSER_LEAK_OR_SLAM 2',
        'AUTO_OPERATOR_FAULT 1',
        'AUTO_OPERATOR_FAULT 2',
        'AUTO_SENSOR_SAFETY 1',
        'AUTO_SENSOR_SAFETY 2',
        'GLASS_OR_FRAME_DAMAGE 1',
        'EGRESS_OR_PANIC_HARDWARE 1',
        'FIRE_DOOR_DEFICIENCY 1',
        'FIRE_DOOR_DEFICIENCY 2',
        'ROLLING_OR_DOCK_DOOR 1',
        'ROLLING_OR_DOCK_DOOR 2',
        'ACCESS_CONTROL_STRIKE 1',
        'HARDWARE_REPLACEMENT 1',
        'ADA_OPERATOR_OR_THRESHOLD 1',
      ],
    );
    assert.deepEqual([...new Set(INCIDENT_DEFINITIONS.map((d) => d.type))], [...INCIDENT_TYPES]);
    for (const definition of INCIDENT_DEFINITIONS) {
      assert.equal(incidentType(definition.type, definition.version), definition);
    }
    for (const name of ['constructor', 'door_wont_latch', 'OTHER', '']) {
      assert.equal(incidentType(name, 1), undefined);
    }
    for (const version of [0, 3, -1, 1.5, Number.NaN]) {
      assert.equal(incidentType('DOOR_WONT_LATCH', version), undefined);
    }
  });

  it('have versions that count from 1', () => {
    for (const type of INCIDENT_TYPES) {
      const versions = INCIDENT_DEFINITIONS.filter((d) => d.type === type).map((d) => d.version);
      assert.deepEqual(
        versions,
        versions.map((_, place) => place + 1),
      );
    }
  });

  it('leave after every visit what is common to all', () => {
    verifies('I.3');
    for (const type of INCIDENT_TYPES) {
      const newest = INCIDENT_DEFINITIONS.findLast((d) => d.type === type);
      const rules = newest?.evidence ?? [];
      for (const key of COMMON) {
        const found = rules.find((rule) => rule.key === key);
        assert.equal(found?.requiredWhen, 'always', `${type} ${key}`);
        assert.equal(found?.visibleWhen, 'always', `${type} ${key}`);
      }
    }
  });

  for (const definition of INCIDENT_DEFINITIONS) {
    describe(`${definition.type} v${definition.version}`, () => {
      it('asks each question once, and few enough for one text', () => {
        const asked = definition.ask.map((a) => a.question);
        assert.ok(unique(asked));
        assert.ok(definition.ask.some((a) => a.required));
        assert.ok(asked.length <= MAX_QUESTIONS_AT_ONCE);
      });

      it('raises by its rules, and lowers only when mitigated', () => {
        const rank = (priority: (typeof PRIORITIES)[number]) => PRIORITIES.indexOf(priority);
        for (const rule of definition.raises) assert.ok(rank(rule.to) >= rank(definition.defaultPriority));
        if (definition.mitigated) {
          assert.ok(definition.mitigated.whenAllNo.length > 0);
          assert.ok(rank(definition.mitigated.to) < rank(definition.defaultPriority));
        }
      });

      it('requires evidence before and after the work, under keys of its own', () => {
        verifies('I.3', 'C.4');
        const { evidence } = definition;
        assert.ok(unique(evidence.map((rule) => rule.key)));
        for (const phase of ['before', 'after'] as const) {
          assert.ok(
            evidence.some(
              (rule) => rule.phase === phase && rule.kind === 'photo' && rule.requiredWhen === 'always',
            ),
            phase,
          );
        }
        for (const rule of evidence) {
          assert.ok(rule.key.startsWith(`${rule.kind}.${rule.phase}.`), rule.key);
          assert.ok(Number.isInteger(rule.minimum) && rule.minimum >= 1, rule.key);
          assert.ok(EVIDENCE_KEYS.includes(rule.key), rule.key);
          assert.equal(PHOTO_KEYS.includes(rule.key), rule.kind === 'photo', rule.key);
        }
      });

      it('has typed tests with bounds that can be met', () => {
        assert.ok(definition.tests.length > 0);
        assert.ok(unique(definition.tests.map((test) => test.key)));
        for (const test of definition.tests) {
          assert.equal(test.unit === 'none', test.pass === null, test.key);
          if (test.pass) assert.ok(test.pass.min <= test.pass.max && test.pass.max <= 100_000, test.key);
          assert.notEqual(test.mustPassWhen, 'never', test.key);
          assert.ok(TEST_KEYS.includes(test.key), test.key);
        }
      });

      it('is an emergency by default only if it is a safety type', () => {
        if (definition.defaultPriority === 'EMERGENCY') assert.equal(definition.safety, true);
      });
    });
  }

  it('ask every question that can be asked, and share closed lists of keys without doubles', () => {
    const asked = new Set(INCIDENT_DEFINITIONS.flatMap((d) => d.ask.map((a) => a.question)));
    assert.deepEqual([...asked].sort(), [...QUESTION_IDS].sort());
    for (const keys of [EVIDENCE_KEYS, PHOTO_KEYS, TEST_KEYS, REMEDY_KEYS]) assert.ok(unique(keys));
    assert.ok(REMEDY_KEYS.includes('work'));
  });
});

describe('assurance', () => {
  it('is a ladder', () => {
    assert.deepEqual((['L0', 'L1', 'L2', 'L3'] as const).map(assuranceRank), [0, 1, 2, 3]);
  });
});
