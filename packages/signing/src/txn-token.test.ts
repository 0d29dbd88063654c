import assert from 'node:assert/strict';
import { randomUUID, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { signGrant } from './grants.ts';
import { withoutEnd } from './keys.ts';
import { API, BRIDGE, claims, IDENTITY, NOW, NOW_S, newKey, VAULT } from './request.fixture.ts';
import { createTokenVerifier, mintTxnToken, type TxnClaims, verifyTxnToken } from './txn-token.ts';

const key = newKey();
const OPTIONS = { keys: [withoutEnd(key)], issuer: IDENTITY, audience: API, requestedBy: BRIDGE, now: NOW };

const isUnauthenticated = (error: unknown) =>
  error instanceof DispatchError && error.code === 'unauthenticated' && Object.keys(error.extra).length === 0;

const b64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signs any header and payload with the right key: only the profile stands between it and acceptance. */
function forge(header: unknown, payload: unknown, signer = key): string {
  const input = `${b64(header)}.${b64(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), signer.privateKey).toString('base64url')}`;
}
const HEADER = { alg: 'EdDSA', kid: key.keyId, typ: 'txntoken+jwt' };

/** The valid token with one part rewritten and the old signature left on. */
function edit(change: (claims: TxnClaims) => unknown): string {
  const [head, payload = '', tail] = mintTxnToken(claims(), key).split('.');
  const read = JSON.parse(Buffer.from(payload, 'base64url').toString()) as TxnClaims;
  return [head, b64(change(read)), tail].join('.');
}
const good = () => forge(HEADER, claims());
const without = (name: string) => {
  const { [name as keyof TxnClaims]: _, ...rest } = claims();
  return rest;
};
const turn = () => ({ scope: 'turn' as const, act: { role: 'agent.intake' as const, turn: randomUUID() } });

const ATTACKS: Record<string, () => string> = {
  'empty token': () => '',
  'no signature': () => `${good().split('.').slice(0, 2).join('.')}.`,
  'four parts': () => `${good()}.AA`,
  padding: () => `${good()}==`,
  'surrounding space': () => ` ${good()}`,
  'alg none': () => `${b64({ alg: 'none', kid: key.keyId, typ: 'txntoken+jwt' })}.${b64(claims())}.AA`,
  'alg none, signed': () => forge({ ...HEADER, alg: 'none' }, claims()),
  'alg HS256': () => forge({ ...HEADER, alg: 'HS256' }, claims()),
  'alg Ed25519': () => forge({ ...HEADER, alg: 'Ed25519' }, claims()),
  'a key of its own': () => forge({ ...HEADER, jwk: { kty: 'OKP' } }, claims()),
  'a critical header': () => forge({ ...HEADER, crit: ['exp'] }, claims()),
  'another kid': () => forge({ ...HEADER, kid: newKey().keyId }, claims()),
  'no kid': () => forge({ alg: 'EdDSA', typ: 'txntoken+jwt' }, claims()),
  'typ JWT': () => forge({ ...HEADER, typ: 'JWT' }, claims()),
  'typ in upper case': () => forge({ ...HEADER, typ: 'TXNTOKEN+JWT' }, claims()),
  'a turn grant as a token': () =>
    signGrant(
      'turn',
      {
        iss: IDENTITY,
        aud: API,
        iat: NOW_S,
        exp: NOW_S + 60,
        jti: randomUUID(),
        tenant: randomUUID(),
        turn: randomUUID(),
        conversation: randomUUID(),
        message: randomUUID(),
        subject: `contact:${randomUUID()}`,
        assurance: 'L1',
        agent_role: 'agent.intake',
        ticket: null,
        correlation_id: randomUUID(),
      },
      key,
    ),
  'a header twice': () =>
    forge(`{"alg":"EdDSA","kid":"${key.keyId}","typ":"JWT","typ":"txntoken+jwt"}`, claims()),
  'signed by another key': () => forge(HEADER, claims(), newKey()),
  "another environment's key and kid": () => {
    const prod = newKey();
    return mintTxnToken(claims(), prod);
  },
  'edited tenant': () => edit((c) => ({ ...c, tenant: randomUUID() })),
  'edited subject': () => edit((c) => ({ ...c, sub: `staff:${randomUUID()}` })),
  'edited assurance': () => edit((c) => ({ ...c, rctx: { ...c.rctx, assurance: 'L3' } })),
  'widened scope': () =>
    edit((c) => ({ ...c, scope: 'step-up', tctx: { ...c.tctx, action_digest: 'A'.repeat(43) } })),
  'used by another service': () => mintTxnToken(claims({ req_wl: 'spiffe://demo.deadlatch/web' }), key),
  'for another receiver': () => mintTxnToken(claims({ aud: VAULT }), key),
  'of another issuer': () => mintTxnToken(claims({ iss: VAULT }), key),
  "of another environment's issuer": () =>
    mintTxnToken(claims({ iss: 'spiffe://prod.deadlatch/identity' }), key),
  'array audience': () => forge(HEADER, { ...claims(), aud: [API] }),
  'audience list with ours in it': () => forge(HEADER, { ...claims(), aud: [VAULT, API] }),
  'missing exp': () => forge(HEADER, without('exp')),
  'missing iat': () => forge(HEADER, without('iat')),
  'missing aud': () => forge(HEADER, without('aud')),
  'missing iss': () => forge(HEADER, without('iss')),
  'missing req_wl': () => forge(HEADER, without('req_wl')),
  'missing tenant': () => forge(HEADER, without('tenant')),
  'missing txn': () => forge(HEADER, without('txn')),
  'missing correlation id': () => forge(HEADER, { ...claims(), tctx: {} }),
  'extra claim': () => forge(HEADER, { ...claims(), admin: true }),
  'extra claim, nested': () => forge(HEADER, { ...claims(), rctx: { ...claims().rctx, admin: true } }),
  'constructor as a claim': () => forge(HEADER, { ...claims(), constructor: {} }),
  'a claim twice': () => forge(HEADER, JSON.stringify(claims()).replace('{', '{"scope":"turn",')),
  expired: () => mintTxnToken(claims({ iat: NOW_S - 61, exp: NOW_S - 1 }), key),
  'expiring now': () => mintTxnToken(claims({ iat: NOW_S - 60, exp: NOW_S }), key),
  'from the future': () => mintTxnToken(claims({ iat: NOW_S + 6, exp: NOW_S + 60 }), key),
  'lifetime over a minute': () => forge(HEADER, claims({ exp: NOW_S + 61 })),
  'exp before iat': () => forge(HEADER, claims({ iat: NOW_S + 3, exp: NOW_S + 2 })),
  'exp as text': () => forge(HEADER, { ...claims(), exp: String(NOW_S + 30) }),
  'exp as a fraction': () => forge(HEADER, { ...claims(), exp: NOW_S + 30.5 }),
  'exp without end': () => forge(HEADER, JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999')),
  'exp negative': () => forge(HEADER, { ...claims(), exp: -1 }),
  'null for a claim': () => forge(HEADER, { ...claims(), tenant: null }),
  'tenant that is no id': () => forge(HEADER, { ...claims(), tenant: '*' }),
  'subject of an unknown kind': () => forge(HEADER, { ...claims(), sub: `root:${randomUUID()}` }),
  'subject without an id': () => forge(HEADER, { ...claims(), sub: 'contact:' }),
  'subject list': () => forge(HEADER, { ...claims(), sub: [`contact:${randomUUID()}`] }),
  'unknown scope': () => forge(HEADER, { ...claims(), scope: 'admin' }),
  'unknown assurance': () => forge(HEADER, { ...claims(), rctx: { ...claims().rctx, assurance: 'L4' } }),
  'a turn without an agent': () => forge(HEADER, { ...claims(), scope: 'turn' }),
  'an agent as a person': () => forge(HEADER, { ...claims(), ...turn(), scope: 'person' }),
  'an unknown agent role': () =>
    forge(HEADER, { ...claims(), scope: 'turn', act: { role: 'agent.root', turn: randomUUID() } }),
  'an action digest on a person': () =>
    forge(HEADER, { ...claims(), tctx: { ...claims().tctx, action_digest: 'A'.repeat(43) } }),
  'a step-up without a digest': () => forge(HEADER, { ...claims(), scope: 'step-up' }),
  'a list for claims': () => forge(HEADER, [claims()]),
  'claims that are no JSON': () => forge(HEADER, 'x'),
  'standard base64': () => {
    const [head, ,] = good().split('.');
    const payload = Buffer.from(JSON.stringify({ ...claims(), x: '>>>???' }))
      .toString('base64')
      .replace(/=/g, '');
    const input = `${head}.${payload}`;
    return `${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`;
  },
  'longer than any of ours': () => forge(HEADER, { ...claims(), pad: 'x'.repeat(5_000) }),
};

describe('transaction token', () => {
  it('is accepted by the receiver, for the service and within the time it was minted for', () => {
    verifies('A.2', 'T4.4');
    for (const minted of [
      claims(),
      claims(turn()),
      claims({ scope: 'step-up', tctx: { correlation_id: randomUUID(), action_digest: 'A'.repeat(43) } }),
    ]) {
      assert.deepEqual(verifyTxnToken(mintTxnToken(minted, key), OPTIONS), minted);
    }
    assert.ok(verifyTxnToken(good(), { ...OPTIONS, now: NOW + 59_999 }));
    assert.ok(verifyTxnToken(good(), { ...OPTIONS, now: NOW - 5_000 }));
  });

  for (const [name, attack] of Object.entries(ATTACKS)) {
    it(`refuses: ${name}`, () => {
      verifies('T4.4', 'T4.5', 'C.0');
      assert.throws(() => verifyTxnToken(attack(), OPTIONS), isUnauthenticated);
    });
  }

  it('has one spelling: no other last character decodes to the same signature', () => {
    verifies('T4.4');
    const token = good();
    const last = token.slice(-1);
    for (const ch of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      if (ch !== last)
        assert.throws(() => verifyTxnToken(token.slice(0, -1) + ch, OPTIONS), isUnauthenticated);
    }
  });

  it('no changed byte is accepted', () => {
    verifies('T4.4');
    const token = good();
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.integer({ min: 1, max: 127 }), (at, flip) => {
        const bytes = Buffer.from(token);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        assert.throws(() => verifyTxnToken(bytes.toString('latin1'), OPTIONS), isUnauthenticated);
      }),
      { numRuns: 1_000 },
    );
  });

  it('cannot be minted as something nobody would accept', () => {
    const isUnavailable = (e: unknown) => e instanceof DispatchError && e.code === 'unavailable';
    for (const wrong of [
      claims({ exp: NOW_S + 61 }),
      claims({ scope: 'turn' }),
      { ...claims(), aud: [API] } as unknown as TxnClaims,
      { ...claims(), admin: true } as unknown as TxnClaims,
    ]) {
      assert.throws(() => mintTxnToken(wrong, key), isUnavailable);
    }
    assert.throws(
      () => mintTxnToken({ ...claims(), sub: undefined } as unknown as TxnClaims, key),
      DispatchError,
    );
  });
});

describe('token verifier', () => {
  const verifier = (maxEntries?: number) =>
    createTokenVerifier({
      keys: () => [withoutEnd(key)],
      issuer: IDENTITY,
      audience: API,
      ...(maxEntries !== undefined && { maxEntries }),
    });

  it('checks time and presenter again for a token it has seen', () => {
    verifies('T4.3', 'T4.5');
    const verify = verifier();
    const token = good();
    const first = verify(token, { requestedBy: BRIDGE, now: NOW });
    assert.equal(verify(token, { requestedBy: BRIDGE, now: NOW + 1 }), first);
    assert.throws(() => verify(token, { requestedBy: IDENTITY, now: NOW }), isUnauthenticated);
    assert.throws(() => verify(token, { requestedBy: BRIDGE, now: NOW + 60_000 }), isUnauthenticated);
    assert.throws(() => verify(token, { requestedBy: BRIDGE, now: NOW - 5_001 }), isUnauthenticated);
  });

  it('never remembers a refused token as a good one', () => {
    const verify = verifier();
    const stolen = mintTxnToken(claims({ req_wl: 'spiffe://demo.deadlatch/web' }), key);
    for (let at = 0; at < 3; at += 1) {
      assert.throws(() => verify(stolen, { requestedBy: BRIDGE, now: NOW }), isUnauthenticated);
    }
    const other = forge(HEADER, claims(), newKey());
    for (let at = 0; at < 2; at += 1) {
      assert.throws(() => verify(other, { requestedBy: BRIDGE, now: NOW }), isUnauthenticated);
    }
  });

  it('hands out claims that nobody can change for the next caller', () => {
    const verify = verifier();
    const token = good();
    const first = verify(token, { requestedBy: BRIDGE, now: NOW }) as {
      tenant: string;
      rctx: { assurance: string };
    };
    assert.throws(() => {
      first.rctx.assurance = 'L3';
    }, TypeError);
    assert.throws(() => {
      first.tenant = randomUUID();
    }, TypeError);
  });

  it('keeps a bounded number and still answers rightly beyond it', () => {
    const verify = verifier(2);
    const tokens = [good(), good(), good()];
    const seen = tokens.map((token) => verify(token, { requestedBy: BRIDGE, now: NOW }));
    tokens.forEach((token, at) => {
      assert.deepEqual(verify(token, { requestedBy: BRIDGE, now: NOW }), seen[at]);
    });
  });
});
