import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError, type ErrorCode } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { createNonceMemory } from './nonce-memory.ts';

const START = 1_000_000_500;
const refusedAs = (code: ErrorCode) => (error: unknown) =>
  error instanceof DispatchError && error.code === code;

function memory(capacity?: number) {
  const clock = { ms: START };
  const nonces = createNonceMemory({ now: () => clock.ms, ...(capacity !== undefined && { capacity }) });
  clock.ms += 10_000;
  const created = Math.floor(clock.ms / 1000);
  return { clock, nonces, request: { keyId: 'k1', nonce: 'n1', created, expires: created + 30 } };
}

describe('nonce memory', () => {
  it('accepts a nonce once per key', () => {
    verifies('T4.3');
    const { nonces, request } = memory();
    nonces.burn(request);
    assert.throws(() => nonces.burn(request), refusedAs('unauthenticated'));
    nonces.burn({ ...request, keyId: 'k2' });
    nonces.burn({ ...request, nonce: 'n2' });
  });

  it('refuses what was signed before the start, since it may have been used then', () => {
    verifies('T4.3');
    const { nonces, request } = memory();
    const second = Math.floor(START / 1000);
    assert.throws(() => nonces.burn({ ...request, created: second }), refusedAs('unauthenticated'));
    nonces.burn({ ...request, created: second + 1 });
  });

  it('refuses what claims to be from the future, for the same reason', () => {
    verifies('T4.3');
    const { nonces, request } = memory();
    assert.throws(
      () => nonces.burn({ ...request, created: request.created + 1 }),
      refusedAs('unauthenticated'),
    );
    assert.throws(() => nonces.burn({ ...request, created: Number.NaN }), refusedAs('unauthenticated'));
  });

  it('forgets only what has expired, and refuses when it is full', () => {
    verifies('T4.3', 'C.6');
    const { clock, nonces, request } = memory(2);
    nonces.burn(request);
    nonces.burn({ ...request, nonce: 'n2' });
    assert.throws(() => nonces.burn({ ...request, nonce: 'n3' }), refusedAs('rate_limited'));
    clock.ms = request.expires * 1000;
    assert.throws(() => nonces.burn({ ...request, nonce: 'n3' }), refusedAs('rate_limited'));
    assert.throws(() => nonces.burn(request), refusedAs('unauthenticated'));
    clock.ms += 1;
    nonces.burn({ ...request, nonce: 'n3', expires: request.expires + 30 });
  });
});
