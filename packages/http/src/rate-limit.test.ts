import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { createLogger } from '@deadlatch/telemetry';
import { verifies } from '../../../test/requirements.ts';
import { createGuessLimit, createRateLimit } from './rate-limit.ts';
import { createHttpServer } from './server.ts';

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

test('a bucket fills up to its burst and no further, and a clock that steps back gives nothing', () => {
  let at = 1_000_000;
  const limit = createRateLimit({ burst: 2, perSecond: 1 }, () => at);
  const spend = () => {
    try {
      limit.spend('a');
      return 'spent';
    } catch (error) {
      return (error as DispatchError).code;
    }
  };
  at += 3_600_000;
  assert.deepEqual([spend(), spend(), spend()], ['spent', 'spent', 'rate_limited']);
  at -= 3_600_000;
  assert.equal(spend(), 'rate_limited');
  at += 1_000;
  assert.deepEqual([spend(), spend()], ['spent', 'rate_limited']);
});

test('what is under way counts until it has ended', async () => {
  const limit = createRateLimit({ burst: 2, perSecond: 0 }, () => 0);
  const gate = Promise.withResolvers<void>();
  const never = () => false;
  const under = [1, 2].map(() => limit.attempt('a', never, () => gate.promise));
  await assert.rejects(
    limit.attempt('a', never, async () => assert.fail('it was run')),
    { code: 'rate_limited' },
  );
  gate.resolve();
  await Promise.all(under);
  await limit.attempt('a', never, async () => undefined);
});

test('names beyond the capacity push out the one that was silent longest', () => {
  const limit = createRateLimit({ burst: 1, perSecond: 0 }, () => 0, 2);
  limit.spend('a');
  limit.spend('b');
  assert.throws(() => limit.spend('a'), { code: 'rate_limited' });
  limit.spend('c');
  assert.throws(() => limit.spend('a'), { code: 'rate_limited' });
  limit.spend('b');
});

test('a server answers a peer that asks too fast 429 before it reads what was sent, and other peers as ever', async () => {
  verifies('R.6');
  let at = 1_000_000;
  const app = createHttpServer({
    service: 'vault',
    logger: createLogger({ service: 'vault', level: 'silent' }),
    bodyLimitBytes: 1_024,
    ready: async () => {},
    peerRate: createRateLimit({ burst: 3, perSecond: 1 }, () => at),
  });
  let read = 0;
  app.post('/v1/notes', async () => {
    read += 1;
    return {};
  });
  const post = async (remoteAddress: string) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/notes',
      headers,
      payload: '{}',
      remoteAddress,
    });
    return [answer.statusCode, answer.headers['retry-after'], answer.json().code];
  };
  for (let n = 0; n < 3; n += 1) assert.equal((await post('192.0.2.1'))[0], 200);
  assert.deepEqual(await post('192.0.2.1'), [429, '1', 'rate_limited']);
  assert.equal((await post('192.0.2.2'))[0], 200);
  assert.equal(read, 4);
  at += 1_000;
  assert.equal((await post('192.0.2.1'))[0], 200);
  await app.close();
});
