import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGENT_ROLES, PERSON_ROLES, RELEASED_VERSIONS, SERVICES } from '@deadlatch/catalogue';
import { verifies } from '../../../../test/requirements.ts';
import { publicationFacts } from '../testing/publication-facts.ts';
import { at, HOUR, LONG_AGO, NOW } from '../testing/rows.ts';
import { accept, code, refusal, type Twist } from '../testing/scene.ts';

const TYPE = 'incident_type.publish';
const COMMANDS = [TYPE, 'template.publish'] as const;

/** Version 2 of one type is in force, and this is asked. */
const latch = (input: object, ...published: readonly (readonly [number, string])[]): Twist => ({
  input: { type: 'DOOR_WONT_LATCH', ...input },
  facts: {
    publications: publicationFacts('incident_type', 'DOOR_WONT_LATCH', [2, LONG_AGO], ...published),
  },
});

test('a version comes into force now, by one row that follows the last one', () => {
  verifies('I.3');
  const { changes, event, answer } = accept(TYPE, 'admin', latch({ version: 1 }));
  const publication = {
    kind: 'incident_type',
    name: 'DOOR_WONT_LATCH',
    number: 2,
    version: 1,
    effective_from: NOW,
  };
  assert.deepEqual(changes, { publication });
  assert.deepEqual([event.effects, event.details, answer.result], [[], publication, publication]);
});

test('or later, and not a moment before now', () => {
  const later = (effective_at: string) => latch({ version: 1, effective_at });
  assert.equal(accept(TYPE, 'admin', later(at(HOUR))).changes.publication?.effective_from, at(HOUR));
  assert.equal(accept(TYPE, 'admin', later(NOW)).changes.publication?.effective_from, NOW);
  for (const past of [at(-1), LONG_AGO]) {
    const { code: why, extra } = refusal(TYPE, 'admin', later(past));
    assert.deepEqual([why, extra.fields], ['schema_mismatch', ['/effective_at']]);
  }
});

test('every version of the release can be published where another is in force, and no other version ever', () => {
  verifies('C.8');
  for (const { kind, name, version } of RELEASED_VERSIONS) {
    const named = kind === 'template' ? { template: name } : { type: name };
    const twist = (wanted: number, current: number): Twist => ({
      input: { ...named, version: wanted },
      facts: { publications: publicationFacts(kind, name, [current, LONG_AGO]) },
    });
    assert.equal(code(`${kind}.publish`, 'admin', twist(version, version + 1)), 'accepted', name);
    assert.equal(code(`${kind}.publish`, 'admin', twist(version, version)), 'invalid_state', name);
    for (const unknown of [99, 0, -1, 1.5]) {
      assert.equal(code(`${kind}.publish`, 'admin', twist(unknown, version)), 'schema_mismatch', name);
    }
  }
  for (const type of ['constructor', 'M01', '']) {
    assert.equal(code(TYPE, 'admin', { input: { type, version: 1 } }), 'schema_mismatch');
  }
});

test('going back is publishing again; what is planned is taken back by what is to stay, for the same moment', () => {
  const planned = [1, at(HOUR)] as const;
  // Nothing changes: 2 is in force now, and 1 will be.
  assert.equal(code(TYPE, 'admin', latch({ version: 2 }, planned)), 'invalid_state');
  assert.equal(code(TYPE, 'admin', latch({ version: 1, effective_at: at(HOUR) }, planned)), 'invalid_state');
  const back = accept(TYPE, 'admin', latch({ version: 2, effective_at: at(HOUR) }, planned));
  assert.deepEqual([back.changes.publication?.number, back.changes.publication?.version], [3, 2]);
  assert.equal(code(TYPE, 'admin', latch({ version: 1 }, planned)), 'accepted');
});

test('without the facts of exactly this name nothing is published', () => {
  verifies('C.5');
  const input = { type: 'DOOR_WONT_LATCH', version: 1 };
  for (const publications of [
    null,
    publicationFacts('incident_type', 'DOOR_CANNOT_SECURE', [2, LONG_AGO]),
    publicationFacts('template', 'DOOR_WONT_LATCH', [2, LONG_AGO]),
  ]) {
    assert.equal(code(TYPE, 'admin', { input, facts: { publications } }), 'unavailable');
  }
  // The first of a name that came with this release.
  const first = { publications: publicationFacts('incident_type', 'DOOR_WONT_LATCH') };
  assert.equal(accept(TYPE, 'admin', { input, facts: first }).changes.publication?.number, 1);
});

test('it is an admin who does: no other role, no agent, no service alone, and nobody with less than a session', () => {
  verifies('T1.1', 'A.3a', 'C.2');
  for (const command of COMMANDS) {
    assert.equal(code(command, 'admin'), 'accepted');
    for (const role of PERSON_ROLES.filter((r) => r !== 'admin')) {
      const expected = role === 'approver' ? 'above_ceiling' : 'not_granted';
      assert.equal(code(command, role), expected, role);
    }
    for (const agentRole of AGENT_ROLES) {
      assert.equal(code(command, 'agent', { agentRole }), 'above_ceiling', agentRole);
    }
    for (const actor of ['gateway', 'system'] as const) {
      assert.equal(code(command, actor), 'above_ceiling', actor);
    }
    for (const service of SERVICES.filter((s) => s !== 'web' && s !== 'cli')) {
      assert.equal(code(command, 'admin', { caller: { service } }), 'above_ceiling', service);
    }
    assert.equal(code(command, 'admin', { caller: { assurance: 'L0' } }), 'assurance_required');
  }
});
