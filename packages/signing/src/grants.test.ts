import assert from 'node:assert/strict';
import { randomUUID, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { canonicalJson } from './canonical-json.ts';
import { actionDigest } from './digests.ts';
import { type GrantKind, type GrantOfKind, signGrant, verifyGrant } from './grants.ts';
import { withoutEnd } from './keys.ts';
import { API, BRIDGE, claims, IDENTITY, NOW, NOW_S, newKey, VAULT } from './request.fixture.ts';
import { mintTxnToken, verifyTxnToken } from './txn-token.ts';

const key = newKey();
const isUnauthenticated = (error: unknown) =>
  error instanceof DispatchError && error.code === 'unauthenticated';
const isUnavailable = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';

const base = (aud: string) => ({
  iss: API,
  aud,
  iat: NOW_S,
  exp: NOW_S + 120,
  jti: randomUUID(),
  tenant: randomUUID(),
});
const action = { kind: 'NTE_INCREASE', lines: [{ amount_cents: 20_000 }] };
const GOOD: GrantOfKind = {
  turn: {
    ...base(IDENTITY),
    turn: randomUUID(),
    conversation: randomUUID(),
    message: randomUUID(),
    subject: `contact:${randomUUID()}`,
    assurance: 'L1',
    agent_role: 'agent.intake',
    ticket: null,
    correlation_id: randomUUID(),
  },
  reveal: {
    ...base(VAULT),
    contact: randomUUID(),
    fields: ['phone'],
    purpose: 'delivery',
    ref: randomUUID(),
    holder: 'spiffe://demo.deadlatch/gateway',
    correlation_id: randomUUID(),
  },
  'step-up': {
    ...base(IDENTITY),
    approval: randomUUID(),
    contact: randomUUID(),
    action_digest: 'A'.repeat(43),
    level: 'L2',
    correlation_id: randomUUID(),
    ticket: randomUUID(),
  },
  action: {
    ...base(IDENTITY),
    approval: randomUUID(),
    action,
    action_digest: actionDigest(canonicalJson(action)),
  },
  adopt: {
    ...base(VAULT),
    contact: randomUUID(),
    account: randomUUID(),
    name: null,
    phone: randomUUID(),
    email: null,
    correlation_id: randomUUID(),
  },
};
const KINDS = Object.keys(GOOD) as GrantKind[];
const MAX_S: Record<GrantKind, number> = {
  turn: 600,
  reveal: 300,
  'step-up': 900,
  action: 2_678_400,
  adopt: 300,
};

/** Signs a grant of any content with the right key and type. */
function forge(kind: GrantKind, payload: unknown): string {
  const [head] = signGrant(kind, GOOD[kind], key).split('.');
  const input = `${head}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
  return `${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`;
}

for (const kind of KINDS) {
  describe(`${kind} grant`, () => {
    const good = GOOD[kind];
    const verify = (token: string, changes: object = {}) =>
      verifyGrant(kind, token, {
        keys: [withoutEnd(key)],
        audience: good.aud,
        issuer: API,
        now: NOW,
        ...changes,
      });

    it('is what was signed', () => {
      verifies('T4.8');
      assert.deepEqual(verify(signGrant(kind, good, key)), good);
    });

    it('is refused with any claim missing, of another form, or more', () => {
      verifies('T4.8', 'C.0');
      for (const name of Object.keys(good)) {
        const { [name as keyof typeof good]: _, ...rest } = good;
        assert.throws(() => verify(forge(kind, rest)), isUnauthenticated, `without ${name}`);
        for (const wrong of [[good[name as keyof typeof good]], 'x'.repeat(300), true, {}, -1]) {
          assert.throws(() => verify(forge(kind, { ...good, [name]: wrong })), isUnauthenticated, name);
        }
      }
      assert.throws(() => verify(forge(kind, { ...good, admin: true })), isUnauthenticated);
    });

    it('is no grant of another kind and no user token, also under the same key', () => {
      verifies('T4.8');
      const token = signGrant(kind, good, key);
      for (const other of KINDS.filter((k) => k !== kind)) {
        assert.throws(
          () => verifyGrant(other, token, { keys: [withoutEnd(key)], now: NOW }),
          isUnauthenticated,
        );
        assert.throws(() => verify(signGrant(other, GOOD[other], key)), isUnauthenticated);
      }
      assert.throws(
        () =>
          verifyTxnToken(token, {
            keys: [withoutEnd(key)],
            issuer: API,
            audience: good.aud,
            requestedBy: BRIDGE,
            now: NOW,
          }),
        isUnauthenticated,
      );
      assert.throws(() => verify(mintTxnToken(claims(), key)), isUnauthenticated);
    });

    it('is refused by another receiver, from another issuer, under another key', () => {
      verifies('T4.8');
      const token = signGrant(kind, good, key);
      assert.throws(() => verify(token, { audience: API }), isUnauthenticated);
      assert.throws(() => verify(token, { issuer: IDENTITY }), isUnauthenticated);
      assert.throws(() => verify(token, { keys: [withoutEnd(newKey())] }), isUnauthenticated);
      assert.throws(
        () => verify(token, { keys: [{ ...withoutEnd(newKey()), keyId: key.keyId }] }),
        isUnauthenticated,
      );
    });

    it('lives as long as it says and never longer than its kind may', () => {
      const token = signGrant(kind, good, key);
      assert.ok(verify(token, { now: NOW + 119_999 }));
      assert.throws(() => verify(token, { now: NOW + 120_000 }), isUnauthenticated);
      assert.throws(() => verify(token, { now: NOW - 5_001 }), isUnauthenticated);
      const longest = { ...good, exp: NOW_S + MAX_S[kind] };
      assert.ok(verify(forge(kind, longest)));
      assert.throws(() => verify(forge(kind, { ...longest, exp: longest.exp + 1 })), isUnauthenticated);
      assert.throws(() => signGrant(kind, { ...longest, exp: longest.exp + 1 }, key), isUnavailable);
    });
  });
}

describe('action statement', () => {
  it('is refused when its digest is not that of its action', () => {
    verifies('T3.4');
    const swapped = { ...GOOD.action, action: { ...action, lines: [{ amount_cents: 900_000 }] } };
    assert.throws(
      () => verifyGrant('action', forge('action', swapped), { keys: [withoutEnd(key)], now: NOW }),
      isUnauthenticated,
    );
    assert.throws(() => signGrant('action', swapped, key), isUnavailable);
  });
});

describe('reveal grant', () => {
  it('names each of phone and email at most once, and nothing else', () => {
    verifies('T5.5');
    for (const fields of [
      [],
      ['phone', 'phone'],
      ['address'],
      ['phone', 'email', 'phone'],
      'phone',
      ['constructor'],
    ]) {
      const token = forge('reveal', { ...GOOD.reveal, fields });
      assert.throws(
        () => verifyGrant('reveal', token, { keys: [withoutEnd(key)], now: NOW }),
        isUnauthenticated,
      );
    }
    assert.ok(
      verifyGrant('reveal', forge('reveal', { ...GOOD.reveal, fields: ['email', 'phone'] }), {
        keys: [withoutEnd(key)],
        now: NOW,
      }),
    );
  });
});

describe('the trace of a turn', () => {
  const verify = (token: string) => verifyGrant('turn', token, { keys: [withoutEnd(key)], now: NOW });
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

  it('may stand in its grant, in the one form', () => {
    verifies('F.3', 'C.0');
    const traced = { ...GOOD.turn, traceparent };
    assert.deepEqual(verify(signGrant('turn', traced, key)), traced);
    for (const wrong of [
      '',
      'maria',
      `${traceparent}x`,
      `01${traceparent.slice(2)}`,
      null,
      [traceparent],
      7,
    ]) {
      assert.throws(() => verify(forge('turn', { ...GOOD.turn, traceparent: wrong })), isUnauthenticated);
    }
  });

  it('stands in no other kind of grant', () => {
    for (const kind of KINDS.filter((other) => other !== 'turn')) {
      const token = forge(kind, { ...GOOD[kind], traceparent });
      assert.throws(() => verifyGrant(kind, token, { keys: [withoutEnd(key)], now: NOW }), isUnauthenticated);
    }
  });
});
