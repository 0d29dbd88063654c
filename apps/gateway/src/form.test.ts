import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { parseForm } from './form.ts';

const isMalformed = (error: unknown) => error instanceof DispatchError && error.code === 'malformed_body';

test('whatever the platform encodes is read back the same', () => {
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,20}$/);
  const value = fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed() && !text.includes('\0'));
  fc.assert(
    fc.property(fc.dictionary(name, value, { minKeys: 1, maxKeys: 20, noNullPrototype: true }), (params) => {
      const encoded = new URLSearchParams(params).toString();
      assert.deepEqual(Object.fromEntries(parseForm(Buffer.from(encoded))), params);
    }),
  );
});

test('forms that could be read in two ways are refused', () => {
  verifies('I.4');
  const bad: (string | Uint8Array)[] = [
    '',
    'A',
    'A=1&',
    '&A=1',
    'A=1&&B=2',
    '=1',
    'A=1=2',
    'A=1&A=2',
    'A=1&%41=2',
    'A=%',
    'A=%4',
    'A=%zz',
    'A=%ff',
    'A=%c3%28',
    'A=%ed%a0%80',
    'A=%00',
    'A B=1',
    'A+B=1',
    'A[]=1',
    '__proto__=1',
    'A=\n',
    'A="x"',
    Uint8Array.from([0x41, 0x3d, 0xc3, 0xa9]),
    Array.from({ length: 65 }, (_, i) => `A${i}=1`).join('&'),
  ];
  for (const body of bad) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    assert.throws(() => parseForm(bytes), isMalformed, String(body));
  }
});

test('plus is a space and an empty value is a value', () => {
  assert.deepEqual(
    [...parseForm(Buffer.from('Body=a+b%2Bc&ToCity='))],
    [
      ['Body', 'a b+c'],
      ['ToCity', ''],
    ],
  );
});
