import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { createGuessLimit } from './guess-limit.ts';

function fixture() {
  let at = 1_000_000;
  let asked = 0;
  const limit = createGuessLimit(() => at);
  const ask = (code?: 'unauthenticated' | 'unavailable') => async () => {
    asked += 1;
    if (code !== undefined) throw new DispatchError(code);
    return 'yes';
  };
  const miss = (address = 'a') =>
    limit.attempt(address, ask('unauthenticated')).catch((error: DispatchError) => error.code);
  return { limit, ask, miss, pass: (ms: number) => (at += ms), asked: () => asked };
}

test('twenty misses of an address are passed on, the next one is not, and others are not touched', async () => {
  const { limit, ask, miss, asked } = fixture();
  const codes = await Promise.all(Array.from({ length: 25 }, () => miss()));
  assert.deepEqual(codes.slice(0, 20), Array(20).fill('unauthenticated'));
  assert.deepEqual(codes.slice(20), Array(5).fill('rate_limited'));
  assert.equal(asked(), 20);
  await assert.rejects(limit.attempt('a', ask()), { code: 'rate_limited' });
  assert.equal(await limit.attempt('b', ask()), 'yes');
});

test('a miss comes back after three seconds', async () => {
  const { miss, pass } = fixture();
  for (let n = 0; n < 20; n += 1) await miss();
  pass(2_999);
  assert.equal(await miss(), 'rate_limited');
  pass(1);
  assert.equal(await miss(), 'unauthenticated');
  assert.equal(await miss(), 'rate_limited');
});

test('what succeeds or fails for another reason costs nothing', async () => {
  const { limit, ask, miss } = fixture();
  for (let n = 0; n < 100; n += 1) {
    await limit.attempt('a', ask());
    await assert.rejects(limit.attempt('a', ask('unavailable')), { code: 'unavailable' });
  }
  assert.equal(await miss(), 'unauthenticated');
});
