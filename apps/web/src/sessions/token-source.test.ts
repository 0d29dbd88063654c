import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
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
  const source = createTokenSource({ identity, now: () => nowMs, newId: () => `id-${++ids}` });
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
