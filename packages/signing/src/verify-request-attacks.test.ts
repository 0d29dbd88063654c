import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { contentDigest } from './digests.ts';
import { API, NOW, NOW_S, newKey, pin, receive, type Sent, send } from './request.fixture.ts';
import { header, resign, signHeader, spoil } from './spoiled-request.fixture.ts';

const key = newKey();
const other = newKey();

const isUnauthenticated = (error: unknown) =>
  error instanceof DispatchError && error.code === 'unauthenticated' && Object.keys(error.extra).length === 0;

const DIGEST = contentDigest(Buffer.from('{"type":"DOOR_WONT_LATCH"}'));

const digestTricks = (make: (good: string) => string) =>
  spoil(key, (s) => {
    s.headers['content-digest'] = make(header(s, 'content-digest'));
  });

/** Every entry is a named attack: the same request as the valid one but for one thing. */
const ATTACKS: Record<string, () => Sent> = {
  unsigned: () =>
    spoil(key, (s) => {
      delete s.headers.signature;
      delete s.headers['signature-input'];
    }),
  'signature without input': () => spoil(key, (s) => delete s.headers['signature-input']),
  'input without signature': () => spoil(key, (s) => delete s.headers.signature),
  'empty signature': () =>
    spoil(key, (s) => {
      s.headers.signature = '';
    }),
  'two signatures': () => {
    const second = send(other).headers;
    return spoil(key, (s) => {
      s.headers['signature-input'] += `, ${second['signature-input']?.replace('sig1=', 'sig2=')}`;
      s.headers.signature += `, ${second.signature?.replace('sig1=', 'sig2=')}`;
    });
  },
  'labels differ': () =>
    spoil(key, (s) => {
      s.headers.signature = header(s, 'signature').replace('sig1=', 'sig2=');
    }),
  'signature of another request': () =>
    spoil(key, (s) => {
      s.headers.signature = header(send(key), 'signature');
    }),
  'key of nobody': () => send(other),
  'keyid of another key': () =>
    spoil(key, (s) => {
      s.headers['signature-input'] = header(s, 'signature-input').replace(key.keyId, other.keyId);
    }),
  'wrong tag': () => resign(key, (i) => i.replace('deadlatch-request', 'deadlatch-response')),
  'no tag': () => resign(key, (i) => i.replace(';tag="deadlatch-request"', '')),
  'wrong audience': () => send(key, { audience: 'spiffe://demo.deadlatch/vault' }),
  "another environment's audience": () => send(key, { audience: 'spiffe://prod.deadlatch/dispatch-api' }),
  'audience with a prefix of ours': () => send(key, { audience: `${API}/x` }),
  'no audience': () => resign(key, (i) => i.replace(`;aud="${API}"`, '')),
  'duplicated parameter': () => resign(key, (i) => i.replace(';tag=', `;created=${NOW_S};tag=`)),
  'duplicated audience': () => resign(key, (i) => `${i};aud="${API}"`),
  'unknown parameter': () => resign(key, (i) => `${i};x=1`),
  'algorithm parameter': () => resign(key, (i) => i.replace(';tag=', ';alg="ed25519";tag=')),
  'reordered parameters': () => resign(key, (i) => i.replace(/(;created=\d+)(;expires=\d+)/, '$2$1')),
  'reordered components': () =>
    resign(
      key,
      (i) => i.replace('"@method" "@path"', '"@path" "@method"'),
      (base) => base.replace(/^("@method".*)\n("@path".*)\n/, '$2\n$1\n'),
    ),
  'duplicated component': () =>
    resign(
      key,
      (i) => i.replace('"@method"', '"@method" "@method"'),
      (base) => `"@method": POST\n${base}`,
    ),
  'body not covered': () =>
    resign(
      key,
      (i) => i.replace(' "content-digest"', ''),
      (base) => base.replace(/"content-digest".*\n/, ''),
    ),
  'token not covered': () =>
    resign(
      key,
      (i) => i.replace(' "txn-token"', ''),
      (base) => base.replace(/"txn-token".*\n/, ''),
    ),
  'idempotency key not covered': () =>
    resign(
      key,
      (i) => i.replace(' "idempotency-key"', ''),
      (base) => base.replace(/"idempotency-key".*\n/, ''),
    ),
  'component with a parameter': () =>
    resign(key, (i) => i.replace('"content-digest"', '"content-digest";key="sha-256"')),
  'component of the request that was answered': () =>
    resign(key, (i) => i.replace('"@method"', '"@method";req')),
  'whitespace in the list': () => resign(key, (i) => i.replace('" "', '"  "')),
  'short nonce': () => send(key, { nonce: Buffer.alloc(15).toString('base64url') }),
  'nonce that is not base64url': () => send(key, { nonce: `${'a'.repeat(21)}+` }),
  'nonce with spare bits': () => send(key, { nonce: `${'A'.repeat(21)}B` }),
  'no nonce': () => resign(key, (i) => i.replace(/;nonce="[^"]*"/, '')),
  expired: () => send(key, { now: NOW - 31_000 }),
  'from the future': () => send(key, { now: NOW + 6_000 }),
  'lifetime over a minute': () => resign(key, (i) => i.replace(/expires=\d+/, `expires=${NOW_S + 61}`)),
  'expires before it was created': () => resign(key, (i) => i.replace(/expires=\d+/, `expires=${NOW_S - 1}`)),
  'no expiry': () => resign(key, (i) => i.replace(/;expires=\d+/, '')),
  'time with a sign': () => resign(key, (i) => i.replace('created=', 'created=+')),
  'time with a fraction': () => resign(key, (i) => i.replace(/(created=\d+)/, '$1.0')),
  'body swapped': () =>
    spoil(key, (s) => {
      s.body = Buffer.from('{"type":"DOOR_CANNOT_SECURE"}');
    }),
  'body and digest swapped': () =>
    spoil(key, (s) => {
      s.body = Buffer.from('{}');
      s.headers['content-digest'] = contentDigest(s.body);
    }),
  'two digest members': () => digestTricks((d) => `${d}, sha-512=:AAAA:`),
  'the same digest member twice': () => digestTricks((d) => `${d}, ${d}`),
  'digest of another algorithm': () =>
    spoil(key, (s) => {
      s.headers['content-digest'] = `sha-512=:${createHash('sha512').update(s.body).digest('base64')}:`;
    }),
  'digest with a parameter': () => digestTricks((d) => `${d};key`),
  'two digest members, signed': () => signHeader(key, 'content-digest', `${DIGEST}, sha-512=:AAAA:`),
  'another member first, signed': () => signHeader(key, 'content-digest', `sha-512=:AAAA:, ${DIGEST}`),
  'digest with a parameter, signed': () => signHeader(key, 'content-digest', `${DIGEST};key="sha-256"`),
  'digest of another algorithm only, signed': () => signHeader(key, 'content-digest', 'sha-512=:AAAA:'),
  'digest in upper case, signed': () => signHeader(key, 'content-digest', DIGEST.replace('sha', 'SHA')),
  'digest without padding, signed': () => signHeader(key, 'content-digest', DIGEST.replace('=:', ':')),
  'digest of another body, signed': () => signHeader(key, 'content-digest', contentDigest(Buffer.from('{}'))),
  'content type with a charset, signed': () =>
    signHeader(key, 'content-type', 'application/json;charset=utf-8'),
  'content type in upper case, signed': () => signHeader(key, 'content-type', 'Application/JSON'),
  'idempotency key that is no uuid, signed': () => signHeader(key, 'idempotency-key', 'retry-1'),
  'token that is no token, signed': () => signHeader(key, 'txn-token', 'a.b'),
  'token that is too long, signed': () => signHeader(key, 'txn-token', `a.${'b'.repeat(5_000)}.c`),
  'expires when it was created, signed': () =>
    resign(key, (i) => i.replace(/expires=\d+/, `expires=${NOW_S}`)),
  'no digest': () => spoil(key, (s) => delete s.headers['content-digest']),
  'another method': () =>
    spoil(key, (s) => {
      s.method = 'PUT';
    }),
  'method in lower case': () =>
    spoil(key, (s) => {
      s.method = 'post';
    }),
  'another ticket in the path': () =>
    spoil(key, (s) => {
      s.target = s.target.replace('0190b2c4', '0190b2c5');
    }),
  'query added': () =>
    spoil(key, (s) => {
      s.target += '?dry_run=no';
    }),
  'bare question mark': () =>
    spoil(key, (s) => {
      s.target += '?';
    }),
  'absolute-form target': () =>
    spoil(key, (s) => {
      s.target = `http://127.0.0.1:4310${s.target}`;
    }),
  'another idempotency key': () =>
    spoil(key, (s) => {
      s.headers['idempotency-key'] = randomUUID();
    }),
  'idempotency key in upper case': () =>
    spoil(key, (s) => {
      s.headers['idempotency-key'] = header(s, 'idempotency-key').toUpperCase();
    }),
  'idempotency key that is no uuid': () =>
    spoil(key, (s) => {
      s.headers['idempotency-key'] = 'retry-1';
    }),
  "another user's token": () =>
    spoil(key, (s) => {
      s.headers['txn-token'] = 'aaaa.bbbb.dddd';
    }),
  'empty token': () =>
    spoil(key, (s) => {
      s.headers['txn-token'] = '';
    }),
  'no token': () => spoil(key, (s) => delete s.headers['txn-token']),
  'content type of a form': () =>
    spoil(key, (s) => {
      s.headers['content-type'] = 'application/x-www-form-urlencoded';
    }),
  'content type with a charset': () =>
    spoil(key, (s) => {
      s.headers['content-type'] = 'application/json; charset=utf-16';
    }),
  'content encoding': () =>
    spoil(key, (s) => {
      s.headers['content-encoding'] = 'gzip';
    }),
  'signature without padding': () =>
    spoil(key, (s) => {
      s.headers.signature = header(s, 'signature').replace('==:', ':');
    }),
  'signature with a parameter': () =>
    spoil(key, (s) => {
      s.headers.signature += ';x';
    }),
  'signature with spare bits': () =>
    spoil(key, (s) => {
      s.headers.signature = header(s, 'signature').replace(/[AQgw]==:/, 'B==:');
    }),
};

describe('named attacks on a signed request', () => {
  it('start from a request that is accepted', () => {
    assert.ok(receive(send(key), pin(key)));
  });

  for (const [name, attack] of Object.entries(ATTACKS)) {
    it(`refuses: ${name}`, () => {
      verifies('T4.4', 'T4.3', 'C.0');
      assert.throws(() => receive(attack(), pin(key)), isUnauthenticated);
    });
  }
});
