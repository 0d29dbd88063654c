import assert from 'node:assert/strict';
import { randomUUID, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { signGrant, verifyGrant } from './grants.ts';
import { withoutEnd } from './keys.ts';
import { type Receipt, signReceipt, verifyReceipt } from './receipt.ts';
import { API, BRIDGE, claims, IDENTITY, NOW, NOW_S, newKey } from './request.fixture.ts';
import { mintTxnToken, verifyTxnToken } from './txn-token.ts';

const isUnauthenticated = (error: unknown) =>
  error instanceof DispatchError && error.code === 'unauthenticated';
const isUnavailable = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';

const key = newKey();
const GOOD: Receipt = {
  iss: API,
  origin: 'deadlatch/demo',
  event_id: randomUUID(),
  leaf_hash: 'A'.repeat(43),
  time: '2026-03-01T12:00:00.000Z',
};
const token = signReceipt(GOOD, key);
const verify = (text: string, changes: object = {}) =>
  verifyReceipt(text, { keys: [withoutEnd(key)], issuer: API, origin: GOOD.origin, ...changes });

/** Signs a receipt of any content with the right key and type. */
function forge(payload: unknown): string {
  const [head] = token.split('.');
  const input = `${head}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
  return `${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`;
}

describe('receipt', () => {
  it('is what was signed, however late', () => {
    assert.deepEqual(verify(token), GOOD);
    const [head = ''] = token.split('.');
    assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url').toString()), {
      alg: 'EdDSA',
      kid: key.keyId,
      typ: 'receipt+jwt',
    });
  });

  it('is refused with any claim missing, of another form, or more', () => {
    for (const name of Object.keys(GOOD)) {
      const { [name as keyof Receipt]: _, ...rest } = GOOD;
      assert.throws(() => verify(forge(rest)), isUnauthenticated, `without ${name}`);
      for (const wrong of [[GOOD[name as keyof Receipt]], 'x y', '', null, true, {}, -1]) {
        assert.throws(() => verify(forge({ ...GOOD, [name]: wrong })), isUnauthenticated, name);
      }
    }
    assert.throws(() => verify(forge({ ...GOOD, exp: NOW_S })), isUnauthenticated);
    for (const change of [
      { time: '2026-02-30T00:00:00.000Z' },
      { leaf_hash: 'A'.repeat(42) },
      { origin: 'a b' },
    ]) {
      assert.throws(() => signReceipt({ ...GOOD, ...change }, key), isUnavailable);
    }
  });

  it('is refused of another issuer, for another log, under another key, after the change of any byte', () => {
    assert.throws(() => verify(token, { issuer: IDENTITY }), isUnauthenticated);
    assert.throws(() => verify(token, { origin: 'deadlatch/other' }), isUnauthenticated);
    assert.throws(() => verify(token, { keys: [withoutEnd(newKey())] }), isUnauthenticated);
    assert.throws(
      () => verify(token, { keys: [{ ...withoutEnd(newKey()), keyId: key.keyId }] }),
      isUnauthenticated,
    );
    for (let i = 0; i < token.length; i += 1) {
      const other = token[i] === 'A' ? 'B' : 'A';
      assert.throws(
        () => verify(`${token.slice(0, i)}${other}${token.slice(i + 1)}`),
        isUnauthenticated,
        `${i}`,
      );
    }
  });

  it('is no grant and no user token, nor either of them a receipt, also under the same key', () => {
    for (const kind of ['turn', 'reveal', 'step-up', 'action'] as const) {
      assert.throws(() => verifyGrant(kind, token, { keys: [withoutEnd(key)], now: NOW }), isUnauthenticated);
    }
    const grant = signGrant(
      'reveal',
      {
        iss: API,
        aud: IDENTITY,
        iat: NOW_S,
        exp: NOW_S + 60,
        jti: randomUUID(),
        tenant: randomUUID(),
        contact: randomUUID(),
        fields: ['phone'],
        purpose: 'delivery',
        ref: randomUUID(),
        holder: IDENTITY,
        correlation_id: randomUUID(),
      },
      key,
    );
    const minted = mintTxnToken(claims(), key);
    for (const other of [grant, minted]) assert.throws(() => verify(other), isUnauthenticated);
    assert.throws(
      () =>
        verifyTxnToken(token, {
          keys: [withoutEnd(key)],
          issuer: API,
          audience: API,
          requestedBy: BRIDGE,
          now: NOW,
        }),
      isUnauthenticated,
    );
  });
});
