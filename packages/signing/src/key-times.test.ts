import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { signGrant, verifyGrant } from './grants.ts';
import type { TimedKey } from './keys.ts';
import { signReceipt, verifyReceipt } from './receipt.ts';
import { API, BRIDGE, claims, IDENTITY, NOW, NOW_S, newKey, VAULT } from './request.fixture.ts';
import { createTokenVerifier, mintTxnToken, verifyTxnToken } from './txn-token.ts';

const [old, young] = [newKey(), newKey()];
const pinned = (key = old, change: Partial<TimedKey> = {}): TimedKey => ({
  ...key,
  notBefore: NOW - 1_000,
  notAfter: NOW + 1_000,
  revokedAt: null,
  ...change,
});
const refusedFor = (detail: string) => (error: unknown) =>
  error instanceof DispatchError && error.code === 'unauthenticated' && error.detail === detail;

const GRANT = {
  iss: API,
  aud: VAULT,
  iat: NOW_S - 30,
  exp: NOW_S + 60,
  jti: randomUUID(),
  tenant: randomUUID(),
  contact: randomUUID(),
  fields: ['phone' as const],
  purpose: 'code' as const,
  ref: randomUUID(),
  holder: IDENTITY,
  correlation_id: randomUUID(),
};
const RECEIPT = {
  iss: API,
  origin: 'demo.deadlatch/audit',
  event_id: randomUUID(),
  leaf_hash: 'A'.repeat(43),
  time: new Date(NOW).toISOString(),
};
const TOKEN = claims({ iat: NOW_S - 30, exp: NOW_S + 30 });
const at = { requestedBy: BRIDGE, now: NOW };
const tokenAt = { issuer: IDENTITY, audience: API, ...at };

/** Each statement signed by the old key, verified under these keys. */
const VERIFIED: Readonly<Record<string, (keys: readonly TimedKey[]) => unknown>> = {
  grant: (keys) => verifyGrant('reveal', signGrant('reveal', GRANT, old), { keys, now: NOW }),
  token: (keys) => verifyTxnToken(mintTxnToken(TOKEN, old), { ...tokenAt, keys }),
  receipt: (keys) => verifyReceipt(signReceipt(RECEIPT, old), { keys, issuer: API, origin: RECEIPT.origin }),
};

for (const [name, verified] of Object.entries(VERIFIED)) {
  describe(`the keys of a ${name}`, () => {
    it('count side by side while one replaces the other', () => {
      verifies('T4.2');
      assert.ok(verified([pinned(young), pinned(old)]));
      assert.throws(() => verified([pinned(young)]), refusedFor('key_unknown'));
      assert.throws(() => verified([]), refusedFor('key_unknown'));
    });

    it('count from their first moment to before their last', () => {
      verifies('T4.2');
      assert.ok(verified([pinned(old, { notBefore: NOW })]));
      assert.throws(() => verified([pinned(old, { notBefore: NOW + 1 })]), refusedFor('key_out_of_time'));
      assert.ok(verified([pinned(old, { notAfter: NOW + 1 })]));
      assert.throws(() => verified([pinned(old, { notAfter: NOW })]), refusedFor('key_out_of_time'));
      assert.throws(() => verified([pinned(old, { notAfter: Number.NaN })]), refusedFor('key_out_of_time'));
    });

    it('do not count once revoked, also when the revocation is dated in the future', () => {
      verifies('T4.2');
      for (const revokedAt of [NOW - 1, NOW + 3_600_000]) {
        assert.throws(() => verified([pinned(old, { revokedAt })]), refusedFor('key_revoked'));
      }
    });
  });
}

describe('a token that was seen before', () => {
  it('ends with its key', () => {
    verifies('T4.2');
    let keys: readonly TimedKey[] = [pinned(old)];
    const verify = createTokenVerifier({ keys: () => keys, issuer: IDENTITY, audience: API });
    const token = mintTxnToken(TOKEN, old);
    assert.equal(verify(token, at), verify(token, at));
    assert.throws(() => verify(token, { ...at, now: NOW + 1_000 }), refusedFor('key_out_of_time'));
    keys = [pinned(old, { revokedAt: NOW })];
    assert.throws(() => verify(token, at), refusedFor('key_revoked'));
    keys = [pinned(young)];
    assert.throws(() => verify(token, at), refusedFor('key_unknown'));
    keys = [pinned(young), pinned(old)];
    assert.ok(verify(token, at));
  });

  it('is not accepted while the keys cannot be read', () => {
    verifies('C.6');
    let isReadable = true;
    const verify = createTokenVerifier({
      keys: () => {
        if (!isReadable) throw new DispatchError('unavailable', { detail: 'keys_unreadable' });
        return [pinned(old)];
      },
      issuer: IDENTITY,
      audience: API,
    });
    const token = mintTxnToken(TOKEN, old);
    assert.ok(verify(token, at));
    isReadable = false;
    assert.throws(
      () => verify(token, at),
      (error) => error instanceof DispatchError && error.code === 'unavailable',
    );
  });
});
