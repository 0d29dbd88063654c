import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ANSWERS,
  INCIDENT_DEFINITIONS,
  INCIDENT_TYPES,
  type IncidentTypeDefinition,
  PRIORITIES,
} from '@deadlatch/catalogue';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { mergeAnswers, priorityByRule } from './intake.ts';
import { FREE_TEXT } from './testing/ids.ts';
import { accountFacts } from './testing/rows.ts';
import { accept, code, refusal } from './testing/scene.ts';

function typeNamed(name: string): IncidentTypeDefinition {
  const found = INCIDENT_DEFINITIONS.findLast((d) => d.type === name);
  assert.ok(found);
  return found;
}

const LOCK = typeNamed('DOOR_CANNOT_SECURE');
const ALL_NO = { cannot_lock_anything: 'no', open_to_public: 'no', anyone_hurt: 'no' };
const CALM = Object.entries(ALL_NO).map(([question, answer]) => ({ question, answer }));
/** A ticket on which nothing was said or decided yet. */
const FRESH = { answers: {}, priority: null, incident_type: null } as const;

test('only a plain no lowers a danger; silence, words and doubt count as yes', () => {
  verifies('C.0');
  assert.equal(priorityByRule(LOCK, ALL_NO), 'URGENT');
  for (const answer of ['yes', 'unknown', 'stated']) {
    assert.equal(priorityByRule(LOCK, { ...ALL_NO, anyone_hurt: answer }), 'EMERGENCY');
  }
  assert.equal(priorityByRule(LOCK, {}), 'EMERGENCY');
  const closer = typeNamed('CLOSER_LEAK_OR_SLAM');
  assert.equal(priorityByRule(closer, { hit_someone: 'no' }), 'ROUTINE');
  assert.equal(priorityByRule(closer, { hit_someone: 'unknown' }), 'URGENT');
});

test('taking an answer back, or turning a no into anything else, never lowers a priority', () => {
  verifies('C.0');
  const questions = [...new Set(INCIDENT_TYPES.flatMap((t) => typeNamed(t).ask.map((a) => a.question)))];
  const anyAnswers = fc.dictionary(fc.constantFrom(...questions), fc.constantFrom(...ANSWERS));
  fc.assert(
    fc.property(
      fc.constantFrom(...INCIDENT_TYPES),
      anyAnswers,
      fc.constantFrom(...questions),
      fc.constantFrom('yes', 'unknown', 'stated', undefined),
      (type, answers, question, answer) => {
        const { [question]: _old, ...rest } = answers;
        const worse = answer === undefined ? rest : { ...rest, [question]: answer };
        const before = priorityByRule(typeNamed(type), { ...rest, [question]: 'no' });
        const after = priorityByRule(typeNamed(type), worse);
        assert.ok(PRIORITIES.indexOf(after) >= PRIORITIES.indexOf(before));
      },
    ),
  );
});

test('an agent may report danger and never take it back; a person may correct', () => {
  verifies('T3.8', 'T1.7');
  const given = [{ question: 'anyone_hurt', answer: 'no' }];
  assert.deepEqual(mergeAnswers({ anyone_hurt: 'yes' }, given, true), { anyone_hurt: 'yes' });
  assert.deepEqual(mergeAnswers({ anyone_hurt: 'yes' }, given, false), { anyone_hurt: 'no' });
  const hurt = { ...FRESH, answers: { anyone_hurt: 'yes' } };
  const input = { type: 'DOOR_CANNOT_SECURE', answers: CALM };
  const { changes } = accept('ticket.triage', 'agent', { ticket: hurt, input });
  assert.equal(changes.ticket?.priority, 'EMERGENCY');
});

test('the same question answered twice is ambiguous', () => {
  verifies('C.0');
  const answers = [
    { question: 'anyone_hurt', answer: 'no' },
    { question: 'anyone_hurt', answer: 'yes' },
  ];
  assert.equal(code('ticket.provide_info', 'requester', { input: { answers } }), 'schema_mismatch');
});

test('priority and NTE follow from facts and contract, and a safety type pages a dispatcher', () => {
  verifies('T1.5', 'T3.8');
  const input = { type: 'DOOR_CANNOT_SECURE', answers: CALM };
  const { changes } = accept('ticket.triage', 'agent', { ticket: FRESH, input });
  assert.equal(changes.ticket?.priority, 'URGENT');
  assert.equal(changes.ticket?.nte_cents, 50_000);
  assert.equal(changes.ticket?.base_nte_cents, 50_000);
  assert.deepEqual(changes.tasks, [{ kind: 'safety_triage', ticket_id: changes.ticket?.id }]);
  const closer = { type: 'CLOSER_LEAK_OR_SLAM', answers: [] };
  const second = accept('ticket.triage', 'agent', { ticket: FRESH, input: closer });
  assert.equal(second.changes.tasks, undefined);
});

test('a priority is raised freely and lowered only by a dispatcher with a reason', () => {
  verifies('T1.2');
  const base = { type: 'DOOR_CANNOT_SECURE', answers: CALM };
  const triage = (input: Record<string, unknown>) =>
    code('ticket.triage', 'dispatcher', { ticket: FRESH, input: { ...base, ...input } });
  assert.equal(triage({ priority: 'EMERGENCY' }), 'accepted');
  assert.equal(triage({ priority: 'ROUTINE' }), 'policy_denied');
  assert.equal(triage({ priority: 'ROUTINE', reason: FREE_TEXT }), 'accepted');
  assert.equal(
    code('ticket.triage', 'agent', { ticket: FRESH, input: { ...base, priority: 'ROUTINE' } }),
    'schema_mismatch',
  );
  // What was an emergency stays one when it is triaged again.
  const again = accept('ticket.triage', 'dispatcher', { input: base, ticket: { priority: 'EMERGENCY' } });
  assert.equal(again.changes.ticket?.priority, 'EMERGENCY');
});

test('a contract without an amount for the priority refuses instead of starting at nothing', () => {
  verifies('C.0');
  for (const amount of [0, -1, 0.5, undefined]) {
    const nte = { ROUTINE: 1, URGENT: 1, EMERGENCY: amount as number };
    const account = accountFacts({ nte_cents: nte });
    assert.equal(code('ticket.triage', 'dispatcher', { facts: { account } }), 'unavailable');
  }
});

test('a ticket is ready when its type knows all it needs and nothing is pending', () => {
  verifies('C.4');
  assert.equal(code('ticket.ready', 'agent'), 'accepted');
  const refused = refusal('ticket.ready', 'agent', {
    ticket: { answers: { anyone_hurt: 'no' }, missing: ['which_door'] },
  });
  assert.deepEqual(refused.extra, { missing: ['cannot_lock_anything', 'open_to_public', 'which_door'] });
  const account = accountFacts({ quote_first: true });
  assert.equal(code('ticket.ready', 'agent', { facts: { account } }), 'policy_denied');
});

test('asking and answering keep count of what is missing', () => {
  verifies('A.3d');
  const asked = accept('ticket.request_info', 'agent', {
    input: { missing: ['which_door', 'which_door', 'since_when'] },
  });
  assert.deepEqual(asked.changes.ticket?.missing, ['which_door', 'since_when']);
  assert.deepEqual(asked.changes.messages?.[0]?.slots.questions, ['which_door', 'since_when']);
  const answered = accept('ticket.provide_info', 'agent', {
    ticket: { missing: ['which_door', 'since_when'] },
    input: { answers: [{ question: 'which_door', answer: 'stated' }] },
  });
  assert.deepEqual(answered.changes.ticket?.missing, ['since_when']);
  assert.equal(answered.changes.ticket?.state, 'NEW');
});
