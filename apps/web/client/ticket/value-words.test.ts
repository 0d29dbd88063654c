import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueWords } from './value-words.ts';

test('cents are dollars, codes are words, ids and part numbers stay as they are', () => {
  assert.equal(valueWords('nte_cents', 75_000), '$750.00');
  assert.equal(valueWords('minutes', 90), '90');
  assert.equal(valueWords('type', 'DOOR_CANNOT_SECURE'), 'Door cannot be secured');
  assert.equal(valueWords('reason', 'CANNOT_SECURE'), 'The site cannot be secured');
  assert.equal(
    valueWords('wanting', ['photo.after.secured_inside', 'work']),
    'After: secured inside, The work itself',
  );
  assert.equal(valueWords('part_number', 'LKB-200'), 'LKB-200');
  assert.equal(valueWords('passed', true), 'Yes');
  assert.equal(valueWords('visit_id', null), '–');
  assert.equal(valueWords('answered', []), '–');
});

test('a word of the language itself is no word of ours', () => {
  assert.equal(valueWords('type', 'constructor'), 'constructor');
});
