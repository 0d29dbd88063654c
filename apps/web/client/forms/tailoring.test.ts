import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandForm, IncidentForm } from '../api.ts';
import { askedOf, incidentOf, sentBeside, startOf, withQuestions } from './tailoring.ts';
import type { FormValue } from './values.ts';

const form = (name: string, fields: readonly string[]): CommandForm => ({
  name,
  summary: '',
  target: 'ticket',
  from: [],
  roles: [],
  input: {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field, { type: 'string' }])),
  },
});
const fieldsOf = (name: string, fields: readonly string[], value: Record<string, string> = {}) =>
  Object.keys(askedOf(form(name, fields), value).properties ?? {});

test('a check-in asks nothing and sends the time of the device', () => {
  assert.deepEqual(fieldsOf('tech.check_in', ['client_time', 'position']), []);
  assert.deepEqual(sentBeside('tech.check_in', '2026-11-22T10:00:00.000Z'), {
    client_time: '2026-11-22T10:00:00.000Z',
  });
  assert.deepEqual(sentBeside('tech.start', '2026-11-22T10:00:00.000Z'), {});
});

test('what must be remedied is asked only when the work fails', () => {
  const fields = ['result', 'wanting', 'rework', 'note'];
  assert.deepEqual(fieldsOf('qa.verify', fields, { result: 'PASS' }), ['result', 'note']);
  assert.deepEqual(fieldsOf('qa.verify', fields, { result: 'FAIL' }), fields);
  assert.deepEqual(fieldsOf('ticket.hold', fields), fields);
});

const DOOR: IncidentForm = {
  type: 'DOOR',
  version: 2,
  ask: [
    { question: 'stuck', required: true, unless_no: [] },
    { question: 'since_when', required: false, unless_no: [] },
    { question: 'only_entrance', required: true, unless_no: ['stuck'] },
  ],
  evidence: [],
  tests: [],
};
const OLD_DOOR: IncidentForm = {
  ...DOOR,
  version: 1,
  ask: [{ question: 'old', required: true, unless_no: [] }],
};
const INCIDENTS = [DOOR];
const choose = (before: FormValue, after: FormValue, current?: IncidentForm) =>
  withQuestions('ticket.triage', before, after, INCIDENTS, current);

test('choosing a type brings its required questions once, and keeps answers', () => {
  const chosen = choose({ answers: [] }, { type: 'DOOR', answers: [] });
  assert.deepEqual(chosen, { type: 'DOOR', answers: [{ question: 'stuck' }, { question: 'only_entrance' }] });
  const answered = { type: 'DOOR', answers: [{ question: 'stuck', answer: 'no' }] };
  assert.deepEqual(choose({ answers: [] }, answered), answered);
  assert.equal(choose(answered, answered), answered);
});

test('a question that an answer brings up follows, and one that was taken out stays out', () => {
  const calm = { type: 'DOOR', answers: [{ question: 'stuck', answer: 'no' }] };
  const stuck = { type: 'DOOR', answers: [{ question: 'stuck', answer: 'yes' }] };
  assert.deepEqual(choose(calm, stuck), {
    type: 'DOOR',
    answers: [{ question: 'stuck', answer: 'yes' }, { question: 'only_entrance' }],
  });
  assert.equal(choose(stuck, stuck), stuck);
});

test('a ticket that is triaged again is asked what its own version asks, and nobody by a version that is not in force', () => {
  assert.equal(incidentOf({ type: 'DOOR' }, [], undefined), undefined);
  assert.equal(incidentOf({ type: 'DOOR' }, INCIDENTS, OLD_DOOR), OLD_DOOR);
  assert.equal(incidentOf({ type: 'DOOR' }, INCIDENTS, undefined), DOOR);
  assert.deepEqual(choose({ answers: [] }, { type: 'DOOR', answers: [] }, OLD_DOOR), {
    type: 'DOOR',
    answers: [{ question: 'old' }],
  });
});

test('a payment starts with the invoice’s total, and no other form with anything', () => {
  const invoice = { state: 'ISSUED', total_cents: 51_200 };
  assert.deepEqual(startOf('payment.record', { invoice }), { amount_cents: 51_200 });
  assert.deepEqual(startOf('payment.record', { invoice: null }), {});
  assert.deepEqual(startOf('part.record', { invoice }), {});
});
