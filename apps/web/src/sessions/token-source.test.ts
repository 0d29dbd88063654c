import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuessLimit } from '@deadlatch/http';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import type { Identity } from '../peers.ts';
import { createTokenSource } from './token-source.ts';

function fixture(lifetimeMs = 60_000) {
  let nowMs = 1_000_000;
  const minted: string[] = [];
  const ended = new Set<string>();
  const identity: Identity = {
    openSession: async () => assert.fail('not used'),
    endSession: async () => assert.fail('not used'),
    tokenFor: async (session, correlationId) => {
      if (ended.has(session)) throw new DispatchError('unauthenticated');
      minted.push(correlationId);
      return { token: `${session}-${minted.length}`, subject: '', label: '', expiresAt: nowMs + lifetimeMs };
    },
  };
  let ids = 0;
  const now = () => nowMs;
  const by = createTokenSource({ identity, guesses: createGuessLimit(now), now, newId: () => `id-${++ids}` });
  const at = (session: string) => ({ session, address: '192.0.2.1' });
  const source = {
    get: (session: string) => by.get(at(session)),
    forCommand: (session: string) => by.forCommand(at(session)),
    using: <R>(session: string, use: (token: string) => Promise<R>) => by.using(at(session), use),
    forget: (session: string) => by.forget(at(session)),
  };
  return { source, minted, ended, pass: (ms: number) => (nowMs += ms) };
}

test('a token is kept for 50 seconds, and never into its last five', async () => {
  const long = fixture();
  await long.source.get('a');
  long.pass(49_999);
  assert.equal((await long.source.get('a')).token, 'a-1');
  long.pass(1);
  assert.equal((await long.source.get('a')).token, 'a-2');

  const short = fixture(10_000);
  await short.source.get('a');
  short.pass(5_000);
  assert.equal((await short.source.get('a')).token, 'a-2');
});

test('at the same moment one token is asked for; each session has its own', async () => {
  const { source, minted } = fixture();
  const all = await Promise.all(['a', 'a', 'b'].map((session) => source.get(session)));
  assert.deepEqual(
    all.map((person) => person.token),
    ['a-1', 'a-1', 'b-2'],
  );
  assert.deepEqual(minted, ['id-1', 'id-2']);
});

test('a refusal is not kept, and a forgotten session is asked for again', async () => {
  const { source, ended } = fixture();
  ended.add('a');
  await assert.rejects(source.get('a'), { code: 'unauthenticated' });
  ended.delete('a');
  assert.equal((await source.get('a')).token, 'a-1');
  source.forget('a');
  ended.add('a');
  await assert.rejects(source.get('a'), { code: 'unauthenticated' });
});

test('what is refused under a fresh token is not tried again; other refusals never are', async () => {
  const { source, minted } = fixture();
  const refuseWith = (code: 'unauthenticated' | 'not_granted') => () =>
    Promise.reject(new DispatchError(code));
  await assert.rejects(source.using('a', refuseWith('unauthenticated')), { code: 'unauthenticated' });
  assert.equal(minted.length, 1);
  await assert.rejects(source.using('a', refuseWith('not_granted')), { code: 'not_granted' });
  assert.equal(minted.length, 1);
});

test('the cache is bounded: the oldest is dropped', async () => {
  const { source, minted } = fixture();
  for (let i = 0; i <= 1_000; i += 1) await source.get(`s${i}`);
  assert.equal(minted.length, 1_001);
  await source.get('s1000');
  assert.equal(minted.length, 1_001);
  await source.get('s0');
  assert.equal(minted.length, 1_002);
});

test('every command has a token and a correlation of its own; reads share theirs', async () => {
  verifies('F.2');
  const { source, minted, ended } = fixture();
  await source.get('a');
  const tokens = [await source.forCommand('a'), await source.forCommand('a')];
  assert.equal((await source.get('a')).token, 'a-1');
  assert.deepEqual(tokens, ['a-2', 'a-3']);
  assert.deepEqual(minted, ['id-1', 'id-2', 'id-3']);
  ended.add('a');
  await assert.rejects(source.forCommand('a'), { code: 'unauthenticated' });
  await assert.rejects(source.get('a'), { code: 'unauthenticated' });
});

test('made-up sessions of one address run dry before identity is asked; known ones stay signed in', async () => {
  const { source, minted, ended, pass } = fixture();
  await source.get('good');
  const guesses = Array.from({ length: 30 }, (_, n) => `guess-${n}`);
  for (const guess of guesses) ended.add(guess);
  const codes = await Promise.all(guesses.map((guess) => source.get(guess).catch((error) => error.code)));
  assert.equal(codes.filter((code) => code === 'unauthenticated').length, 20);
  assert.equal(codes.filter((code) => code === 'rate_limited').length, 10);
  await assert.rejects(source.get('another'), { code: 'rate_limited' });
  assert.equal((await source.get('good')).token, 'good-1');
  assert.equal(await source.forCommand('good'), 'good-2');
  pass(50_000);
  assert.equal((await source.get('good')).token, 'good-3');
  assert.equal(minted.length, 3);
});
