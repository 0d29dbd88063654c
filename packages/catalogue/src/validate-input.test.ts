import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { findCommand } from './commands.ts';
import { createInputValidator } from './validate-input.ts';

const validate = createInputValidator();
const SITE = '0198a000-0000-7000-8000-000000000001';

function entry(name: string) {
  const found = findCommand(name);
  assert.ok(found);
  return found;
}

test('a body that matches is accepted, one field more is refused', () => {
  verifies('I.1', 'I.2');
  assert.deepEqual(validate(entry('ticket.create'), false, { site_id: SITE }), []);
  assert.notEqual(validate(entry('ticket.create'), false, { site_id: SITE, nte_cents: 1 }).length, 0);
  assert.notEqual(validate(entry('ticket.create'), false, {}).length, 0);
  assert.notEqual(validate(entry('ticket.create'), false, null).length, 0);
  assert.notEqual(validate(entry('ticket.create'), false, []).length, 0);
});

test('nothing is coerced', () => {
  verifies('I.1');
  assert.notEqual(validate(entry('time.record'), false, { minutes: '5' }).length, 0);
  assert.deepEqual(validate(entry('time.record'), false, { minutes: 5 }), []);
});

test('an agent is held to the narrow schema, and to none where no pair holds the command', () => {
  verifies('T1.5');
  const text = { text_id: SITE, commitment: 'a'.repeat(43) };
  assert.deepEqual(validate(entry('ticket.create'), false, { site_id: SITE, description: text }), []);
  assert.notEqual(validate(entry('ticket.create'), true, { site_id: SITE, description: text }).length, 0);
  assert.notEqual(validate(entry('ticket.close'), true, {}).length, 0);
});

test('refusals carry pointers and never values', () => {
  verifies('T1.3');
  const pointers = validate(entry('time.record'), false, { minutes: 'SECRET-VALUE' });
  assert.deepEqual(pointers, ['/minutes']);
});
