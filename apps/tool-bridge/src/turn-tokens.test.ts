import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { createTurnTokens } from './turn-tokens.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

function tokens(capacity?: number) {
  const minted: string[] = [];
  const clock = { now: START };
  const service = createTurnTokens({
    mint: async (grant) => {
      minted.push(grant);
      return {
        token: `a.b.${grant}-${minted.length}`,
        expires_at: new Date(clock.now + 60_000).toISOString(),
      };
    },
    now: () => clock.now,
    ...(capacity !== undefined && { capacity }),
  });
  return { minted, clock, tokenFor: service.tokenFor };
}

test('a token is used until ten seconds before its end', async () => {
  const { minted, clock, tokenFor } = tokens();
  const first = await tokenFor('g');
  clock.now = START + 49_999;
  assert.equal(await tokenFor('g'), first);
  clock.now = START + 50_000;
  assert.notEqual(await tokenFor('g'), first);
  assert.equal(minted.length, 2);
});

test('turns never share a token', async () => {
  const { tokenFor } = tokens();
  assert.notEqual(await tokenFor('g'), await tokenFor('h'));
});

test('only so many are kept; the oldest goes', async () => {
  const { minted, tokenFor } = tokens(2);
  for (const grant of ['g', 'h', 'i', 'h', 'i']) await tokenFor(grant);
  assert.deepEqual(minted, ['g', 'h', 'i']);
  await tokenFor('g');
  assert.deepEqual(minted, ['g', 'h', 'i', 'g']);
});

test('calls at the same moment wait for one mint', async () => {
  const { minted, tokenFor } = tokens();
  const [a, b] = await Promise.all([tokenFor('g'), tokenFor('g')]);
  assert.equal(a, b);
  assert.equal(minted.length, 1);
});

test('a refusal is not remembered', async () => {
  let isDown = true;
  const service = createTurnTokens({
    mint: async () => {
      if (isDown) throw new DispatchError('unavailable');
      return { token: 'a.b.c', expires_at: new Date(START + 60_000).toISOString() };
    },
    now: () => START,
  });
  await assert.rejects(service.tokenFor('g'), { code: 'unavailable' });
  isDown = false;
  assert.equal(await service.tokenFor('g'), 'a.b.c');
});
