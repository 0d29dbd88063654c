import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { DispatchError, type ErrorCode } from '@deadlatch/kernel';
import { verifyRequest } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { AUDIENCE, key, pinned, startTestService, type TestService } from './server.fixture.ts';
import { createServiceClient, type ServiceClient } from './service-client.ts';

const servers: Server[] = [];
let service: TestService;
before(async () => {
  service = await startTestService();
});
after(async () => {
  await service.app.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

function client(baseUrl: string, timeoutMs = 5_000): ServiceClient {
  return createServiceClient({
    service: 'gateway',
    key: () => key,
    baseUrl,
    audience: AUDIENCE,
    fetch,
    now: Date.now,
    random: randomBytes,
    timeoutMs,
    maxAnswerBytes: 10_000,
  });
}

async function peer(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answering = (status: number, body: string | Buffer, headers: Record<string, string> = {}) =>
  peer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body);
  });

const refusedAs =
  (code: ErrorCode, extra: object = {}) =>
  (error: unknown) => {
    assert.ok(error instanceof DispatchError);
    assert.equal(error.code, code);
    assert.deepEqual(error.extra, extra);
    return true;
  };

describe('service client', () => {
  it('writes and reads what the shared edge accepts', async () => {
    verifies('T4.1', 'A.1');
    const good = client(`http://127.0.0.1:${service.port}`);
    assert.deepEqual(await good.write('/v1/notes', { note: 'door' }), { length: 4 });
    assert.deepEqual(await good.read('/v1/notes'), { notes: [] });
  });

  it('sends token and idempotency key as they are given, under a new nonce each time', async () => {
    verifies('T4.3');
    const nonces = new Set<string>();
    const seen: (string | null)[] = [];
    const url = await peer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const verified = verifyRequest({
        method: request.method ?? '',
        target: request.url ?? '',
        rawHeaders: request.rawHeaders,
        body: Buffer.concat(chunks),
        shapes: [
          { write: true, token: true },
          { write: false, token: true },
        ],
        audience: AUDIENCE,
        findKey: () => pinned,
        now: Date.now(),
      });
      nonces.add(verified.nonce);
      seen.push(verified.idempotencyKey, verified.token);
      response.end('{}');
    });
    const idempotencyKey = randomUUID();
    await client(url).write('/v1/x', {}, { token: 'a.b.c', idempotencyKey });
    await client(url).write('/v1/x', {}, { token: 'a.b.c', idempotencyKey });
    await client(url).read('/v1/x?limit=1', { token: 'a.b.c' });
    assert.deepEqual(seen, [idempotencyKey, 'a.b.c', idempotencyKey, 'a.b.c', null, 'a.b.c']);
    assert.equal(nonces.size, 3);
  });

  it('reads bytes as they are, up to what was asked for, and refusals as anywhere', async () => {
    const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0]);
    const url = await answering(200, picture, { 'content-type': 'image/png' });
    const options = { token: 'a.b.c', maxBytes: 5 };
    const found = await client(url).readBytes('/v1/x', options);
    assert.deepEqual([found.contentType, found.bytes], ['image/png', picture]);
    await assert.rejects(
      client(url).readBytes('/v1/x', { ...options, maxBytes: 4 }),
      refusedAs('unavailable'),
    );
    const refusing = await answering(404, JSON.stringify({ code: 'not_found' }));
    await assert.rejects(
      client(refusing).readBytes('/v1/x', { ...options, maxBytes: 99 }),
      refusedAs('not_found'),
    );
  });

  it('sends plain text signed as such, and hands over the answer of whatever status', async () => {
    const seen: (readonly [type: string | undefined, body: string])[] = [];
    const url = await peer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      verifyRequest({
        method: 'POST',
        target: request.url ?? '',
        rawHeaders: request.rawHeaders,
        body,
        shapes: [{ write: true, token: false, contentType: 'text/plain' }],
        audience: AUDIENCE,
        findKey: () => pinned,
        now: Date.now(),
      });
      seen.push([request.headers['content-type'], body.toString()]);
      response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('17\n');
    });
    const answer = await client(url).writeText('/add-checkpoint', 'old 3\n');
    assert.deepEqual(answer, { status: 409, contentType: 'text/x.tlog.size', text: '17\n' });
    assert.deepEqual(seen, [['text/plain', 'old 3\n']]);
    await assert.rejects(
      client('http://127.0.0.1:9').writeText('/add-checkpoint', ''),
      refusedAs('unavailable'),
    );
    const flood = await answering(200, 'x'.repeat(10_001));
    await assert.rejects(client(flood).writeText('/add-checkpoint', ''), refusedAs('unavailable'));
  });

  it('takes over a refusal of the closed union with its public members', async () => {
    const good = client(`http://127.0.0.1:${service.port}`);
    await assert.rejects(
      good.write('/v1/notes', { note: 5 }),
      refusedAs('schema_mismatch', { fields: ['/note'] }),
    );
    await assert.rejects(good.read('/nowhere'), refusedAs('not_found'));
    const url = await answering(
      409,
      JSON.stringify({
        code: 'invalid_state',
        title: 'x',
        detail: 'private',
        from_state: 'NEW',
        allowed_from: ['A'],
        deep: { a: 1 },
      }),
    );
    await assert.rejects(
      client(url).read('/x'),
      refusedAs('invalid_state', { from_state: 'NEW', allowed_from: ['A'] }),
    );
  });

  const OUTAGES: Record<string, () => Promise<string>> = {
    'a code outside the union': () => answering(403, '{"code":"sure"}'),
    'an inherited code': () => answering(403, '{"code":"constructor"}'),
    'a refusal without a code': () => answering(500, '{}'),
    'a refusal that is no problem': () => answering(502, '<html>'),
    'success that is no JSON': () => answering(200, 'ok'),
    'success with duplicate keys': () => answering(200, '{"a":1,"a":2}'),
    'an answer that is too large': () => answering(200, JSON.stringify('x'.repeat(10_001))),
    'a redirect': () => answering(302, '{}', { location: '/elsewhere' }),
    'a refusal with success in its body': () => answering(302, '{"ticket":{}}'),
    'a cut connection': () => peer((request) => request.socket.destroy()),
    'a cut answer': () =>
      peer((_request, response) => {
        response.writeHead(200, { 'content-length': '10' });
        response.write('{"a":');
        response.socket?.destroySoon();
      }),
  };
  for (const [name, start] of Object.entries(OUTAGES)) {
    it(`treats ${name} as an outage`, async () => {
      verifies('C.6');
      await assert.rejects(client(await start()).read('/x'), refusedAs('unavailable'));
    });
  }

  it('treats nobody there, and no answer in time, as an outage', async () => {
    verifies('C.6');
    await assert.rejects(client('http://127.0.0.1:1').read('/x'), refusedAs('unavailable'));
    const silent = await peer(() => {});
    await assert.rejects(client(silent, 50).read('/x'), refusedAs('unavailable'));
  });

  it('sends no target that is not in normal form', async () => {
    let requests = 0;
    const url = await peer((_request, response) => {
      requests += 1;
      response.end('{}');
    });
    for (const target of [
      'x',
      '//evil.example/x',
      '/a/../b',
      'http://evil.example/',
      '/a b',
      '@evil.example/',
    ]) {
      await assert.rejects(client(url).read(target), DispatchError);
    }
    assert.equal(requests, 0);
  });
});
