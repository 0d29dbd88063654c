import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandForm, IncidentForm } from '../api.ts';
import { askedOf, sentBeside, startOf, withQuestions } from './tailoring.ts';

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

test('choosing a type brings its required questions once, and keeps answers', () => {
  const incidents: IncidentForm[] = [
    {
      type: 'DOOR',
      ask: [
        { question: 'anyone_hurt', required: true },
        { question: 'since_when', required: false },
      ],
      evidence: [],
      tests: [],
    },
  ];
  const chosen = withQuestions('ticket.triage', { answers: [] }, { type: 'DOOR', answers: [] }, incidents);
  assert.deepEqual(chosen, { type: 'DOOR', answers: [{ question: 'anyone_hurt' }] });
  const answered = { type: 'DOOR', answers: [{ question: 'anyone_hurt', answer: 'no' }] };
  assert.deepEqual(withQuestions('ticket.triage', { answers: [] }, answered, incidents), answered);
  assert.equal(withQuestions('ticket.triage', answered, answered, incidents), answered);
});

test('a payment starts with the invoice’s total, and no other form with anything', () => {
  const invoice = { state: 'ISSUED', total_cents: 51_200 };
  assert.deepEqual(startOf('payment.record', { invoice }), { amount_cents: 51_200 });
  assert.deepEqual(startOf('payment.record', { invoice: null }), {});
  assert.deepEqual(startOf('part.record', { invoice }), {});
});
