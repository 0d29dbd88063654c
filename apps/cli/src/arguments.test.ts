import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments, UsageError } from './arguments.ts';

test('without options everything has its default', () => {
  const args = readArguments(['up']);
  assert.deepEqual(
    [args.stateDir, args.portBase, args.profile, args.json],
    ['.deadlatch', 4300, 'demo', false],
  );
  assert.equal(readArguments([]).command, 'help');
  assert.equal(readArguments(['up'], '').databaseUrl, undefined);
});

test('options are read, wherever they stand', () => {
  const args = readArguments([
    '--json',
    'call',
    '--as',
    'dana-dispatcher',
    'ticket.list',
    '--port-base',
    '5300',
  ]);
  assert.deepEqual([args.command, args.words, args.as], ['call', ['ticket.list'], 'dana-dispatcher']);
  assert.deepEqual([args.json, args.portBase], [true, 5300]);
  const url = 'postgresql://admin:x@db.example:5432/deadlatch';
  assert.equal(readArguments(['migrate'], url).databaseUrl, url);
});

test('what makes no sense is refused with the option that is wrong', () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['up', '--port-base', '80'], /--port-base takes a port/],
    [['up', '--port-base', '4e3'], /--port-base takes a port/],
    [['up', '--port-base', '4300.5'], /--port-base takes a port/],
    [['up', '--port-base', '65001'], /--port-base takes a port/],
    [['up', '--profile', 'production'], /--profile takes demo or empty/],
    [['up', '--state-dir', ' '], /--state-dir takes a directory/],
    [['up', '--no-such-option'], /no-such-option/],
    [['up', '--state-dir'], /state-dir/],
  ];
  for (const [argv, message] of wrong) {
    assert.throws(
      () => readArguments(argv),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  }
});

test('DATABASE_URL must name a database of PostgreSQL, and is never quoted', () => {
  for (const url of [
    'secret-word',
    'mysql://u:secret-word@h/d',
    'postgres://u:secret-word@h',
    'postgres://u:secret-word@h/',
  ]) {
    assert.throws(
      () => readArguments(['migrate'], url),
      (error) => error instanceof UsageError && !error.message.includes('secret-word'),
    );
  }
});

test('photos go into a bucket when the environment names one, and into no other folder', () => {
  const bucketOf = (...store: readonly (string | undefined)[]) =>
    readArguments(['up'], undefined, undefined, [store[0], store[1]]).bucket;
  assert.equal(bucketOf(), undefined);
  assert.equal(bucketOf('', 'x'), undefined);
  const url = 's3:https://s3.example/photos';
  assert.deepEqual(bucketOf(url, 'eu-central-1'), { url, region: 'eu-central-1' });
  assert.throws(() => bucketOf('file:///tmp'), UsageError);
});
