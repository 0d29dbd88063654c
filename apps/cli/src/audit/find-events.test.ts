import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readArguments, UsageError } from '../arguments.ts';
import { readFilter } from './find-events.ts';

const ID = '0195a000-0000-7000-8000-0000000000aa';
const filterOf = (...argv: readonly string[]) => readFilter(readArguments(['audit', 'show', ...argv]));

it('a filter is what was given and nothing else; a subject may stand as events write it', () => {
  assert.deepEqual(filterOf(), {});
  assert.deepEqual(filterOf('--ticket', ID, '--since', '2026-03-01T00:00:00.000Z'), {
    ticket: ID,
    since: '2026-03-01T00:00:00.000Z',
  });
  assert.deepEqual(filterOf('--subject', `contact:${ID}`), { subject: ID });
  assert.deepEqual(filterOf('--subject', ID), { subject: ID });
});

it('what is no id or no time is refused before anybody is asked', () => {
  for (const argv of [
    ['--ticket', '1'],
    ['--subject', 'contact:olga'],
    ['--event', ''],
    ['--correlation', "' or true --"],
    ['--since', 'yesterday'],
    ['--until', '2026-02-30T00:00:00.000Z'],
  ]) {
    assert.throws(() => filterOf(...argv), UsageError);
  }
});
