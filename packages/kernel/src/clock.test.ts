import assert from 'node:assert/strict';
import { it } from 'node:test';
import { toInstant } from './clock.ts';

it('an instant has milliseconds and Z', () => {
  assert.equal(toInstant(0), '1970-01-01T00:00:00.000Z');
  assert.equal(toInstant(1_763_818_200_007), '2025-11-22T13:30:00.007Z');
});
