import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { API, NOW, NOW_S, newKey, pin, rawHeadersOf, receive, type Sent, send } from './request.fixture.ts';
import type { RequestShape } from './request-profile.ts';
import { signRequest } from './sign-request.ts';
import { header, resign, spoil } from './spoiled-request.fixture.ts';

const key = newKey();
const other = newKey();

const isUnauthenticated = (error: unknown) =>
  error instanceof DispatchError && error.code === 'unauthenticated' && Object.keys(error.extra).length === 0;

describe('request signature', () => {
  it('accepts the valid request and answers only what is covered', () => {
    verifies('T4.1', 'T4.4', 'A.1');
    const sent = send(key);
    const verified = receive(sent, pin(key));
    assert.equal(verified.service, 'tool-bridge');
    assert.equal(verified.keyId, key.keyId);
    assert.equal(verified.idempotencyKey, sent.headers['idempotency-key']);
    assert.equal(verified.token, 'aaaa.bbbb.cccc');
    assert.deepEqual([verified.created, verified.expires], [NOW_S, NOW_S + 30]);
    assert.match(verified.nonce, /^[A-Za-z0-9_-]{22}$/);
  });

  it('signs exactly this base', () => {
    const sent = send(key, {
      target: '/v1/tickets?limit=20',
      idempotencyKey: '0190b2c4-7d1e-4a6b-8c3d-9e4f5a6b7c8d',
      nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
    });
    assert.equal(
      receive(sent, pin(key)).signatureBase,
      [
        '"@method": POST',
        '"@path": /v1/tickets',
        '"@query": ?limit=20',
        '"content-type": application/json',
        '"content-digest": sha-256=:Q9wxg3LmdLiH6+EjQ7bOrzPYoExpJQ5qx3Zy+y2JZHE=:',
        '"idempotency-key": 0190b2c4-7d1e-4a6b-8c3d-9e4f5a6b7c8d',
        '"txn-token": aaaa.bbbb.cccc',
        '"@signature-params": ("@method" "@path" "@query" "content-type" "content-digest" "idempotency-key"' +
          ` "txn-token");created=${NOW_S};expires=${NOW_S + 30};nonce="AAAAAAAAAAAAAAAAAAAAAA"` +
          `;keyid="${key.keyId}";tag="deadlatch-request";aud="spiffe://demo.deadlatch/dispatch-api"`,
      ].join('\n'),
    );
  });

  it('refuses a second copy of every header that is read, also when both are equal', () => {
    verifies('T4.4');
    const sent = send(key);
    const raw = rawHeadersOf({ ...sent.headers, authorization: 'x', 'content-length': '26' });
    for (let at = 0; at < raw.length; at += 2) {
      const name = raw[at] ?? '';
      for (const copy of [name, name.toUpperCase()]) {
        const rawHeaders = [...raw, copy, raw[at + 1] ?? ''];
        assert.throws(() => receive(sent, pin(key), { rawHeaders }), isUnauthenticated, name);
      }
    }
    assert.ok(receive(sent, pin(key), { rawHeaders: [...raw, 'Accept', 'a', 'Accept', 'b'] }));
  });

  it('tells a signed write that lacks its idempotency key so, and a stranger nothing', () => {
    verifies('C.1');
    const sent = spoil(key, (s) => delete s.headers['idempotency-key']);
    const isMissing = (e: unknown) => e instanceof DispatchError && e.code === 'missing_idempotency_key';
    assert.throws(() => receive(sent, pin(key)), isMissing);
    const uncovered = resign(
      key,
      (i) => i.replace(' "idempotency-key"', ''),
      (base) => base.replace(/"idempotency-key".*\n/, ''),
    );
    delete uncovered.headers['idempotency-key'];
    assert.throws(() => receive(uncovered, pin(key)), isMissing);
    delete sent.headers.signature;
    assert.throws(() => receive(sent, pin(key)), isUnauthenticated);
  });
});

describe('pinned keys', () => {
  const refusals: Record<string, ReturnType<typeof pin>> = {
    'not yet valid': pin(key, { notBefore: NOW + 1 }),
    'no longer valid': pin(key, { notAfter: NOW }),
    revoked: pin(key, { revokedAt: NOW - 1 }),
    'revoked by a database whose clock runs ahead': pin(key, { revokedAt: NOW + 1_000 }),
    'time that is no number': pin(key, { notAfter: Number.NaN }),
    'found under another name': { ...pin(other), keyId: key.keyId },
    'answered for another name': pin(other),
  };
  for (const [name, pinned] of Object.entries(refusals)) {
    it(`refuses a key that is ${name}`, () => {
      verifies('T4.2');
      assert.throws(() => receive(send(key), pinned, { findKey: () => pinned }), isUnauthenticated);
    });
  }

  it('accepts both keys during a rotation, and each in its own time only', () => {
    verifies('T4.2');
    const keys = [pin(key, { notAfter: NOW + 1 }), pin(other, { notBefore: NOW })];
    assert.ok(receive(send(key), keys));
    assert.ok(receive(send(other), keys));
    assert.throws(() => receive(send(key), keys, { now: NOW + 1 }), isUnauthenticated);
  });

  it('does not take one service for another: the name of a pinned key needs its signature', () => {
    verifies('T4.5');
    const keys = [pin(key), pin(other, { service: 'identity' })];
    const sent = spoil(key, (s) => {
      s.headers['signature-input'] = header(s, 'signature-input').replace(key.keyId, other.keyId);
    });
    assert.throws(() => receive(sent, keys), isUnauthenticated);
    assert.equal(receive(send(other), keys).service, 'identity');
  });

  it("knows nothing of another environment's keys", () => {
    verifies('T4.2');
    const prod = newKey();
    assert.throws(() => receive(send(prod), pin(key)), isUnauthenticated);
    assert.ok(receive(send(prod), pin(prod)));
  });

  it('passes on that the key source is down', () => {
    verifies('C.6');
    const findKey = () => {
      throw new DispatchError('unavailable');
    };
    assert.throws(
      () => receive(send(key), pin(key), { findKey }),
      (e) => e instanceof DispatchError && e.code === 'unavailable',
    );
  });
});

describe('shapes', () => {
  const ALL: readonly RequestShape[] = [true, false].flatMap((write) =>
    [true, false].map((token) => ({ write, token })),
  );
  for (const sentShape of ALL) {
    for (const accepted of ALL) {
      const isSame = sentShape.write === accepted.write && sentShape.token === accepted.token;
      it(`${JSON.stringify(sentShape)} where ${JSON.stringify(accepted)} is due: ${isSame ? 'accepted' : 'refused'}`, () => {
        verifies('T4.4');
        const sent = sendShape(sentShape);
        const run = () => receive(sent, pin(key), { shapes: [accepted] });
        if (isSame) assert.deepEqual(run().shape, sentShape);
        else assert.throws(run, (e) => e instanceof DispatchError);
      });
    }
  }

  it('takes plain text where that is due, JSON where that is due, and neither for the other', () => {
    verifies('T4.4');
    const body = Buffer.from('old 0\n');
    const json = { write: true, token: true } as const;
    const text = { ...json, contentType: 'text/plain' } as const;
    for (const [sentShape, accepted, isSame] of [
      [text, text, true],
      [json, json, true],
      [text, json, false],
      [json, text, false],
    ] as const) {
      const sent = send(key, { shape: sentShape, body });
      const run = () => receive(sent, pin(key), { shapes: [accepted] });
      if (isSame) assert.equal(run().service, 'tool-bridge');
      else assert.throws(run, isUnauthenticated);
    }
  });

  it('accepts nothing where no shape is listed', () => {
    assert.throws(() => receive(send(key), pin(key), { shapes: [] }), isUnauthenticated);
  });

  it('refuses what is on a read but not signed: a body, a content type, an idempotency key, a token', () => {
    verifies('T4.4');
    const shapes = [{ write: false, token: false }];
    const read = () => sendShape({ write: false, token: false });
    assert.ok(receive(read(), pin(key), { shapes }));
    const withBody = { ...read(), body: Buffer.from('{}') };
    assert.throws(() => receive(withBody, pin(key), { shapes }), isUnauthenticated);
    for (const [name, value] of [
      ['content-type', 'application/json'],
      ['idempotency-key', randomUUID()],
      ['txn-token', 'a.b.c'],
    ] as const) {
      const sent = read();
      sent.headers[name] = value;
      assert.throws(() => receive(sent, pin(key), { shapes }), isUnauthenticated, name);
    }
  });
});

function sendShape(shape: RequestShape): Sent {
  const { headers, ...sent } = send(key, { target: '/v1/x', body: Buffer.from('{}') });
  const body = shape.write ? sent.body : new Uint8Array();
  const method = shape.write ? 'POST' : 'GET';
  const signed = signRequest({
    method,
    target: sent.target,
    body,
    shape,
    ...(shape.token && { token: headers['txn-token'] ?? '' }),
    ...(shape.write && { idempotencyKey: headers['idempotency-key'] ?? '' }),
    key,
    audience: API,
    now: NOW,
  });
  return { method, target: sent.target, headers: signed, body };
}

describe('mutations', () => {
  it('no changed byte of a signed request is accepted', () => {
    verifies('T4.4');
    const sent = send(key);
    const parts = ['method', 'target', 'body', ...Object.keys(sent.headers)];
    fc.assert(
      fc.property(fc.constantFrom(...parts), fc.nat(), fc.integer({ min: 1, max: 255 }), (part, at, flip) => {
        const copy: Sent = { ...sent, headers: { ...sent.headers } };
        const change = (text: string) => {
          const bytes = Buffer.from(text, 'latin1');
          const index = at % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ flip;
          return bytes.toString('latin1');
        };
        if (part === 'body')
          copy.body = Buffer.from(change(Buffer.from(sent.body).toString('latin1')), 'latin1');
        else if (part === 'method') copy.method = change(sent.method);
        else if (part === 'target') copy.target = change(sent.target);
        else copy.headers[part] = change(sent.headers[part] ?? '');
        // The label is not covered: renaming it on one side only must still fail.
        assert.throws(() => receive(copy, pin(key)), DispatchError);
      }),
      { numRuns: 2_000 },
    );
  });

  it('no arbitrary text passes as signature input', () => {
    const sent = send(key);
    fc.assert(
      fc.property(fc.string(), fc.nat(), (text, at) => {
        const good = sent.headers['signature-input'] ?? '';
        const index = at % (good.length + 1);
        const headers = {
          ...sent.headers,
          'signature-input': good.slice(0, index) + text + good.slice(index),
        };
        if (text === '') return;
        assert.throws(() => receive({ ...sent, headers }, pin(key)), isUnauthenticated);
      }),
      { numRuns: 500 },
    );
  });
});

describe('times', () => {
  const cases: readonly (readonly [string, number, boolean])[] = [
    ['at once', 0, true],
    ['5 s early', -5_000, true],
    ['more than 5 s early', -5_001, false],
    ['at its end', 30_000, true],
    ['after its end', 30_001, false],
  ];
  for (const [name, offset, isAccepted] of cases) {
    it(`${isAccepted ? 'accepts' : 'refuses'} ${name}`, () => {
      verifies('T4.3');
      const run = () => receive(send(key), pin(key), { now: NOW + offset });
      if (isAccepted) assert.ok(run());
      else assert.throws(run, isUnauthenticated);
    });
  }

  it('refuses when the clock is no number', () => {
    assert.throws(() => receive(send(key), pin(key), { now: Number.NaN }), isUnauthenticated);
  });
});
