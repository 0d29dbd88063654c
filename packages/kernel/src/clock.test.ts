import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isInstant, toInstant } from './clock.ts';

it('an instant has milliseconds and Z', () => {
  assert.equal(toInstant(0), '1970-01-01T00:00:00.000Z');
  assert.equal(toInstant(1_763_818_200_007), '2025-11-22T13:30:00.007Z');
});

it('an instant is a moment that there is, in its one spelling', () => {
  for (const text of ['0001-01-01T00:00:00.000Z', '2024-02-29T23:59:59.999Z', '9999-12-31T23:59:59.999Z']) {
    assert.equal(isInstant(text), true, text);
  }
  const wrong = [
    '',
    '2026-02-29T00:00:00.000Z',
    '2026-04-31T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T00:00:60.000Z',
    '0000-01-01T00:00:00.000Z',
    '+010000-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.000+00:00',
    '2026-01-01',
  ];
  for (const text of wrong) assert.equal(isInstant(text), false, text);
});
