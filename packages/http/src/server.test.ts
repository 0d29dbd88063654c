import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ErrorCode } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { createKeyRing } from './key-ring.ts';
import {
  type Answer,
  assertProblem,
  CANARY,
  exchange,
  LIMIT,
  plain,
  signedBytes,
  startTestService,
  type TestService,
} from './server.fixture.ts';
import { SERVER_LIMITS } from './server.ts';

let service: TestService;
before(async () => {
  service = await startTestService();
});
after(() => service.app.close());

async function one(data: string | Buffer): Promise<Answer> {
  const [answer] = await exchange(service.port, data);
  assert.ok(answer, 'no answer');
  return answer;
}

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('a signed write', () => {
  it('is answered', async () => {
    verifies('T4.1');
    const answer = await one(signedBytes());
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json(), { length: 4 });
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  });

  const ATTACKS: Record<string, readonly [ErrorCode, () => Buffer]> = {
    'no body': ['malformed_body', () => signedBytes({ body: '' })],
    'no json': ['malformed_body', () => signedBytes({ body: '{"note":' })],
    'two values': ['malformed_body', () => signedBytes({ body: '{"note":"a"}{"note":"b"}' })],
    'duplicate keys': ['malformed_body', () => signedBytes({ body: '{"note":"a","note":"b"}' })],
    'duplicate keys spelled differently': [
      'malformed_body',
      () => signedBytes({ body: '{"note":"a","n\\u006fte":"b"}' }),
    ],
    'deep nesting': ['malformed_body', () => signedBytes({ body: `{"note":${nested(17)}}` })],
    'bad utf-8': ['malformed_body', () => signedBytes({ body: Buffer.from('{"note":"\xff"}', 'latin1') })],
    'byte-order mark': ['malformed_body', () => signedBytes({ body: '\ufeff{"note":"a"}' })],
    __proto__: ['malformed_body', () => signedBytes({ body: '{"note":"a","__proto__":{"x":1}}' })],
    'a number no double holds': ['malformed_body', () => signedBytes({ body: '{"note":1e400}' })],
    'an unknown field': ['schema_mismatch', () => signedBytes({ body: '{"note":"a","admin":true}' })],
    'a missing field': ['schema_mismatch', () => signedBytes({ body: '{}' })],
    'constructor as a field': [
      'schema_mismatch',
      () => signedBytes({ body: '{"note":"a","constructor":{}}' }),
    ],
    'a number for text': ['schema_mismatch', () => signedBytes({ body: '{"note":5}' })],
    'a list for an object': ['schema_mismatch', () => signedBytes({ body: '[{"note":"a"}]' })],
    null: ['schema_mismatch', () => signedBytes({ body: 'null' })],
    'a text too long': ['schema_mismatch', () => signedBytes({ body: `{"note":"${'a'.repeat(101)}"}` })],
    'a form': [
      'unsupported_media_type',
      () => signedBytes({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ],
    'a charset': [
      'unsupported_media_type',
      () => signedBytes({ headers: { 'content-type': 'application/json; charset=utf-16' } }),
    ],
    'no content type': ['unsupported_media_type', () => signedBytes({ headers: { 'content-type': null } })],
    'a content encoding': [
      'unsupported_media_type',
      () => signedBytes({ lines: ['content-encoding: gzip'] }),
    ],
    'identity as a content encoding': [
      'unsupported_media_type',
      () => signedBytes({ lines: ['content-encoding: identity'] }),
    ],
    'a body over the limit': ['payload_too_large', () => signedBytes({ body: 'x'.repeat(LIMIT + 1) })],
    'a second host': ['malformed_body', () => signedBytes({ lines: ['Host: 127.0.0.1'] })],
    'a second signature': ['malformed_body', () => signedBytes({ lines: ['Signature: sig2=:AAAA:'] })],
    'a second signature input': ['malformed_body', () => signedBytes({ lines: ['SIGNATURE-INPUT: x=()'] })],
    'a second idempotency key': ['malformed_body', () => signedBytes({ lines: ['Idempotency-Key: x'] })],
    'a second content type': [
      'malformed_body',
      () => signedBytes({ lines: ['Content-Type: application/json'] }),
    ],
    'a second content digest': [
      'malformed_body',
      () => signedBytes({ lines: ['Content-Digest: sha-256=:AA:'] }),
    ],
    'two authorizations': [
      'malformed_body',
      () => signedBytes({ lines: ['Authorization: a', 'Authorization: b'] }),
    ],
    'two user tokens': [
      'malformed_body',
      () => signedBytes({ lines: ['Txn-Token: a.b.c', 'Txn-Token: a.b.c'] }),
    ],
    'an absolute-form target': [
      'malformed_body',
      () => signedBytes({ target: 'http://127.0.0.1/v1/notes', signedTarget: '/v1/notes' }),
    ],
    'an idempotency key that is missing': [
      'missing_idempotency_key',
      () => signedBytes({ headers: { 'idempotency-key': null } }),
    ],
    'no signature': ['unauthenticated', () => signedBytes({ headers: { signature: null } })],
    'a token where none is due': ['unauthenticated', () => signedBytes({ lines: ['Txn-Token: a.b.c'] })],
    'another query': [
      'unauthenticated',
      () => signedBytes({ target: '/v1/notes?a=b', signedTarget: '/v1/notes' }),
    ],
  };
  for (const [name, [code, bytes]] of Object.entries(ATTACKS)) {
    it(`with ${name} is ${code}, and nothing happens`, async () => {
      verifies('I.4', 'C.0');
      const before = service.effects();
      assertProblem(await one(bytes()), code);
      assert.equal(service.effects(), before);
    });
  }

  for (const spelling of [
    '/v1/./notes',
    '/v1/x/../notes',
    '//v1/notes',
    '/v1//notes',
    '/v1/%6eotes',
    '/v1/%6Eotes',
    '/v1/notes?',
    '/v1/notes%2f',
    '/v1\\notes',
    '/v1/notes%00',
    '/v1/notes;a=b',
    '/v1/notes%zz',
    '/v1/notes%',
  ]) {
    it(`under the spelling ${spelling} is refused`, async () => {
      verifies('T4.4');
      const before = service.effects();
      const answer = await one(signedBytes({ target: spelling, signedTarget: '/v1/notes' }));
      assertProblem(answer, 'malformed_body');
      assert.equal(service.effects(), before);
    });
  }

  it('says which fields were wrong by pointer, never by value', async () => {
    verifies('T1.3');
    const answer = await one(signedBytes({ body: `{"note":"${'a'.repeat(101)}"}` }));
    assert.deepEqual(answer.json().fields, ['/note']);
    const unknown = await one(signedBytes({ body: `{"note":"a","${CANARY}":1}` }));
    assert.deepEqual(unknown.json().fields, ['/']);
    assert.ok(!service.logs.join().includes(CANARY));
  });

  it('that fails authentication gets the same answer for every reason', async () => {
    const reasons = [
      signedBytes({ headers: { signature: null } }),
      signedBytes({ lines: ['Txn-Token: a.b.c'] }),
      signedBytes({ target: '/v1/notes?a=b', signedTarget: '/v1/notes' }),
    ];
    const bodies = new Set<string>();
    for (const bytes of reasons) {
      const { request_id: _, ...body } = (await one(bytes)).json();
      bodies.add(JSON.stringify(body));
    }
    assert.equal(bodies.size, 1);
  });

  it('is refused when the keys cannot be read', async () => {
    verifies('C.6');
    const keys = createKeyRing({
      read: () => {
        throw new Error(CANARY);
      },
      now: Date.now,
    });
    const blind = await startTestService({ keys });
    try {
      const [answer] = await exchange(blind.port, signedBytes());
      assert.ok(answer);
      assertProblem(answer, 'unavailable');
      assert.equal(blind.effects(), 0);
      assert.ok(!blind.logs.join().includes(CANARY));
    } finally {
      await blind.app.close();
    }
  });
});

describe('answers', () => {
  it('to unknown routes, methods and foreign things are one document', async () => {
    for (const bytes of [
      plain('GET /nowhere HTTP/1.1'),
      plain('DELETE /v1/notes HTTP/1.1'),
      plain('OPTIONS /v1/notes HTTP/1.1'),
      plain('TRACE /v1/notes HTTP/1.1'),
      plain('GET /v1/notes/ HTTP/1.1'),
      plain('GET /V1/NOTES HTTP/1.1'),
      plain(`GET /v1/notes/${'a'.repeat(SERVER_LIMITS.maxParamLength + 1)} HTTP/1.1`),
      plain('POST /nowhere HTTP/1.1', 'content-length: 60000000'),
    ]) {
      assertProblem(await one(bytes), 'not_found');
    }
    assert.equal((await one(plain('HEAD /livez HTTP/1.1'))).status, 404);
  });

  it('to an unexpected error are an outage; its text reaches neither the peer nor the log', async () => {
    verifies('C.0', 'T5.1');
    const answer = await one(plain('GET /broken HTTP/1.1'));
    assertProblem(answer, 'unavailable');
    assert.ok(!answer.body.includes('maria'));
    const logs = service.logs.join('');
    assert.ok(!logs.includes('maria'));
    assert.match(
      logs,
      /"event":"request.failed".*"error":"type_error","place":"packages\/http\/src\/server.fixture.ts/,
    );
  });

  it('carry a request id of ours, whatever id the sender made up', async () => {
    const answer = await one(
      plain('GET /livez HTTP/1.1', `x-request-id: ${CANARY}`, `x-correlation-id: ${CANARY}`),
    );
    assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    assert.ok(!JSON.stringify([...answer.headers]).includes(CANARY));
  });

  it('never log a concrete path', async () => {
    verifies('T5.1');
    await one(plain('GET /v1/notes/secret-link-4711?secret=1 HTTP/1.1', 'content-length: 1'));
    assert.ok(!service.logs.join('').includes('4711'));
    assert.match(service.logs.join(''), /"route":"\/v1\/notes\/:id"/);
  });
});

describe('health', () => {
  it('is alive, and ready only while its dependencies are', async () => {
    verifies('C.6');
    let isUp = true;
    const sick = await startTestService({
      ready: async () => {
        if (!isUp) throw new Error(CANARY);
      },
    });
    try {
      const get = async (path: string) =>
        (await exchange(sick.port, plain(`GET ${path} HTTP/1.1`)))[0] as Answer;
      assert.equal((await get('/readyz')).status, 200);
      isUp = false;
      assertProblem(await get('/readyz'), 'unavailable');
      assert.equal((await get('/livez')).status, 200);
      assert.ok(!sick.logs.join('').includes(CANARY));
    } finally {
      await sick.app.close();
    }
  });
});

describe('limits', () => {
  it('against slow and many connections are set', () => {
    const { server } = service.app;
    assert.equal(server.headersTimeout, 10_000);
    assert.equal(server.requestTimeout, 20_000);
    assert.equal(server.timeout, 60_000);
    assert.equal(server.keepAliveTimeout, 30_000);
    assert.equal(server.maxHeadersCount, 64);
    assert.equal(server.maxConnections, 1_024);
    assert.equal(SERVER_LIMITS.maxHeaderBytes, 16_384);
  });
});
