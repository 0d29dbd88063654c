import assert from 'node:assert/strict';
import { test } from 'node:test';
import { centsOf, emptyValue, toInput } from './values.ts';

const schema = {
  type: 'object',
  required: ['kind', 'lines', 'reason'],
  properties: {
    kind: { enum: ['NTE_INCREASE'], 'x-source': 'choice' },
    lines: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['quantity'],
        properties: { quantity: { type: 'integer' }, part_number: { type: 'string' } },
      },
    },
    reason: { type: 'object', properties: { text: { type: 'string' } }, 'x-source': 'free_text' },
    note: { type: 'object', 'x-source': 'free_text' },
    passed: { type: 'boolean' },
  },
};

test('an untouched form holds one row of each required list and no answers', () => {
  assert.deepEqual(emptyValue(schema), {
    kind: undefined,
    lines: [{ quantity: undefined }],
    reason: undefined,
  });
});

test('the input leaves out what is empty and sends words as text', () => {
  const value = {
    kind: 'NTE_INCREASE',
    lines: [{ quantity: 2, part_number: '' }],
    reason: 'the bolt is bent',
    note: '',
    passed: false,
  };
  assert.deepEqual(toInput(value, schema), {
    kind: 'NTE_INCREASE',
    lines: [{ quantity: 2 }],
    reason: { text: 'the bolt is bent' },
    passed: false,
  });
});

test('dollars become whole cents, or nothing', () => {
  const amounts: [string, number | undefined][] = [
    ['200', 20_000],
    ['$1,234.5', 123_450],
    ['0.07', 7],
    ['19.99', 1_999],
    ['1.999', undefined],
    ['-5', undefined],
    ['1e3', undefined],
    ['', undefined],
  ];
  for (const [typed, cents] of amounts) assert.equal(centsOf(typed), cents, typed);
});
