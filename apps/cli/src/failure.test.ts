import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartError as DatabaseStartError } from '@deadlatch/postgres';
import { StartError, UnreachableError, UsageError } from './arguments.ts';
import { failureOf } from './failure.ts';

test('what was foreseen is its own sentence, with the exit code of its kind', () => {
  assert.deepEqual(failureOf(new UsageError('so')), { sentence: 'so', exitCode: 2 });
  assert.deepEqual(failureOf(new UnreachableError('so')), { sentence: 'so', exitCode: 4 });
  assert.deepEqual(failureOf(new StartError('so')), { sentence: 'so', exitCode: 1 });
  assert.deepEqual(failureOf(new DatabaseStartError('disk_full', 'so')), { sentence: 'so', exitCode: 1 });
});

test('what the system refuses is a sentence that names the file', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
    path: '/s/x',
  });
  assert.deepEqual(failureOf(full), { sentence: 'The disk is full. (/s/x)', exitCode: 1 });
  const gone = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  assert.deepEqual(failureOf(gone), { sentence: 'The database does not answer.', exitCode: 4 });
});

test('what nobody foresaw keeps its place, and fails', () => {
  const { sentence, exitCode } = failureOf(new Error('odd'));
  assert.match(sentence, /^Error: odd\n\s+at /);
  assert.equal(exitCode, 1);
  assert.deepEqual(failureOf(undefined), { sentence: 'undefined', exitCode: 1 });
});
