import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { REMEDY_KEYS } from '../commands/closeout.ts';
import { assuranceRank } from '../roles.ts';
import { PRIORITIES } from '../states.ts';
import { EVIDENCE_KEYS, INCIDENT_TYPES, incidentType, TEST_KEYS } from './catalogue.ts';
import type { IncidentTypeDefinition } from './shape.ts';

const definitions: readonly IncidentTypeDefinition[] = INCIDENT_TYPES.map((type) => {
  const definition = incidentType(type);
  assert.ok(definition, type);
  return definition;
});

const unique = (words: readonly string[]) => new Set(words).size === words.length;

describe('incident types', () => {
  it('are known by exactly their names', () => {
    verifies('C.8');
    assert.deepEqual([...INCIDENT_TYPES], ['DOOR_CANNOT_SECURE', 'DOOR_WONT_LATCH', 'CLOSER_LEAK_OR_SLAM']);
    for (const definition of definitions) assert.equal(incidentType(definition.type), definition);
    for (const name of ['constructor', 'door_wont_latch', 'OTHER', '']) {
      assert.equal(incidentType(name), undefined);
    }
  });

  for (const definition of definitions) {
    describe(definition.type, () => {
      it('asks each question once, and every question that a priority rule reads', () => {
        const asked = definition.ask.map((a) => a.question);
        assert.ok(unique(asked));
        assert.ok(definition.ask.some((a) => a.required));
        const read = [
          ...definition.raises.map((rule) => rule.when),
          ...(definition.mitigated?.whenAllNo ?? []),
        ];
        for (const question of read) assert.ok(asked.includes(question), `${question} is never asked`);
      });

      it('raises by its rules, and lowers only when mitigated', () => {
        const rank = (priority: (typeof PRIORITIES)[number]) => PRIORITIES.indexOf(priority);
        for (const rule of definition.raises) {
          assert.ok(rank(rule.to) >= rank(definition.defaultPriority), rule.when);
        }
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
            evidence.some((rule) => rule.phase === phase && rule.minimum >= 1),
            phase,
          );
        }
        for (const rule of evidence) {
          assert.ok(rule.key.startsWith(`${rule.kind}.${rule.phase}.`), rule.key);
          assert.ok(Number.isInteger(rule.minimum) && rule.minimum >= 0, rule.key);
          assert.ok(EVIDENCE_KEYS.includes(rule.key), rule.key);
        }
      });

      it('has typed tests with bounds that can be met', () => {
        assert.ok(definition.tests.length > 0);
        assert.ok(unique(definition.tests.map((test) => test.key)));
        for (const test of definition.tests) {
          assert.equal(test.unit === 'none', test.pass === null, test.key);
          if (test.pass) assert.ok(test.pass.min <= test.pass.max, test.key);
          assert.ok(TEST_KEYS.includes(test.key), test.key);
        }
      });

      it('is an emergency by default only if it is a safety type', () => {
        if (definition.defaultPriority === 'EMERGENCY') assert.equal(definition.safety, true);
      });
    });
  }

  it('share closed lists of keys without doubles', () => {
    for (const keys of [EVIDENCE_KEYS, TEST_KEYS, REMEDY_KEYS]) assert.ok(unique(keys));
    assert.ok(REMEDY_KEYS.includes('work'));
  });
});

describe('assurance', () => {
  it('is a ladder', () => {
    assert.deepEqual((['L0', 'L1', 'L2', 'L3'] as const).map(assuranceRank), [0, 1, 2, 3]);
  });
});
