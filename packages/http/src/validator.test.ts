import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMANDS, findCommand } from '@deadlatch/catalogue';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { createValidators, validator } from './validator.ts';

const SCHEMA = {
  type: 'object',
  required: ['minutes'],
  additionalProperties: false,
  properties: {
    minutes: { type: 'integer', minimum: 1, maximum: 60, 'x-source': 'literal' },
    tags: { type: 'array', maxItems: 2, items: { type: 'string', default: 'x', maxLength: 3 } },
    note: { type: 'string', default: 'none', maxLength: 5 },
  },
};

function fieldsOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof DispatchError && error.code === 'schema_mismatch');
    assert.ok(!JSON.stringify([error.message, error.extra, error.detail ?? '']).includes('maria'));
    return error.extra.fields;
  }
  return assert.fail('accepted');
}

describe('validator', () => {
  it('gives the same value back, without filling in or leaving out', () => {
    verifies('I.1');
    const value = { minutes: 5, tags: ['a'] };
    assert.equal(validator(SCHEMA)(value), value);
    assert.deepEqual(value, { minutes: 5, tags: ['a'] });
  });

  const REFUSED: readonly (readonly [string, unknown, string])[] = [
    ['text for a number', { minutes: '5' }, '/minutes'],
    ['a fraction', { minutes: 1.5 }, '/minutes'],
    ['out of range', { minutes: 61 }, '/minutes'],
    ['null for a number', { minutes: null }, '/minutes'],
    ['a missing member', {}, '/minutes'],
    ['an unknown member', { minutes: 5, maria: 1 }, '/'],
    ['an inherited member', Object.create({ minutes: 5 }), '/minutes'],
    ['a single for a list', { minutes: 5, tags: 'a' }, '/tags'],
    ['a wrong item', { minutes: 5, tags: ['a', 'maria'] }, '/tags/1'],
    ['nothing', undefined, '/'],
    ['a list', [], '/'],
  ];
  for (const [name, value, pointer] of REFUSED) {
    it(`refuses ${name} by pointer`, () => {
      verifies('I.1', 'I.2');
      assert.deepEqual(
        fieldsOf(() => validator(SCHEMA)(value)),
        [pointer],
      );
    });
  }

  it('names no member that the sender made up, at any depth', () => {
    verifies('T1.3');
    const open = { type: 'object', additionalProperties: { type: 'integer' } };
    assert.deepEqual(
      fieldsOf(() => validator(open)({ 'maria@example.com': 'x' })),
      ['/'],
    );
  });

  it('compiles every schema of the catalogue', () => {
    const validators = createValidators();
    for (const { input, agentInput } of COMMANDS) {
      validators(input);
      if (agentInput !== null) validators(agentInput);
    }
    const close = findCommand('ticket.close');
    assert.ok(close);
    assert.deepEqual(validators(close.input)({}), {});
    assert.deepEqual(
      fieldsOf(() => validators(close.input)({ nte_cents: 1 })),
      ['/'],
    );
  });

  it('refuses a schema with a keyword it does not know', () => {
    assert.throws(() => validator({ type: 'object', propertis: {} }));
  });
});
