import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { ErrorCode } from '@deadlatch/kernel';
import { guardsAgainst } from '../../../test/mistakes.ts';
import { verifies } from '../../../test/requirements.ts';
import {
  type Answer,
  assertProblem,
  exchange,
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

describe('bodies', () => {
  it('without a length are cut off while they stream, and the answer arrives', async () => {
    verifies('I.4');
    const head = signedBytes({ headers: { 'content-length': null }, lines: ['transfer-encoding: chunked'] })
      .toString('latin1')
      .split('\r\n\r\n')[0];
    const chunk = `400\r\n${'x'.repeat(1_024)}\r\n`;
    assertProblem(await one(`${head}\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`), 'payload_too_large');
  });

  it('that never end are cut: the connection closes after a bounded number of bytes', async () => {
    verifies('I.4');
    guardsAgainst(14);
    const socket = connect({ host: '127.0.0.1', port: service.port });
    await once(socket, 'connect');
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', resolve));
    let received = '';
    socket.on('data', (data) => {
      received += data.toString();
    });
    socket.write(
      plain('POST /v1/notes HTTP/1.1', 'content-type: application/json', 'transfer-encoding: chunked'),
    );
    const chunk = `4000\r\n${'x'.repeat(16_384)}\r\n`;
    let sent = 0;
    const pump = () => {
      while (!socket.destroyed && sent < 64_000_000 && socket.write(chunk)) sent += 16_384;
    };
    socket.on('drain', pump);
    pump();
    await closed;
    assert.match(received, /^HTTP\/1\.1 413 /);
    assert.ok(sent < 32_000_000, `the server took ${sent} bytes`);
  });

  it('announced as too long are refused before any of them is sent', async () => {
    verifies('I.4');
    guardsAgainst(14);
    const answer = await one(
      plain('POST /v1/notes HTTP/1.1', 'content-type: application/json', 'content-length: 60000000'),
    );
    assertProblem(answer, 'payload_too_large');
  });

  it('on a read are refused', async () => {
    assertProblem(await one(`${plain('GET /v1/notes HTTP/1.1', 'content-length: 2')}{}`), 'malformed_body');
    const chunked = plain('GET /v1/notes HTTP/1.1', 'transfer-encoding: chunked');
    assertProblem(await one(`${chunked}0\r\n\r\n`), 'malformed_body');
  });

  it('of another type reach the route that asked for it, as bytes, and no other', async () => {
    const form = 'Body=front+door&From=%2B15550102233';
    const send = (path: string, type: string) =>
      one(
        `${plain(`POST ${path} HTTP/1.1`, `content-type: ${type}`, `content-length: ${form.length}`)}${form}`,
      );
    const accepted = await send('/forms', 'application/x-www-form-urlencoded; charset=UTF-8');
    assert.deepEqual(accepted.json(), { form });
    assertProblem(await send('/forms', 'application/json'), 'unsupported_media_type');
    assertProblem(await send('/forms', 'text/plain'), 'unsupported_media_type');
    assertProblem(await send('/v1/notes', 'application/x-www-form-urlencoded'), 'unsupported_media_type');
  });

  it('may be streamed, within the limit of their route', async () => {
    const upload = (size: number, chunked: boolean) => {
      const bytes = 'x'.repeat(size);
      const length = chunked ? 'transfer-encoding: chunked' : `content-length: ${size}`;
      const body = chunked ? `${size.toString(16)}\r\n${bytes}\r\n0\r\n\r\n` : bytes;
      return one(`${plain('PUT /uploads HTTP/1.1', 'content-type: image/png', length)}${body}`);
    };
    assert.deepEqual((await upload(4_096, false)).json(), { bytes: 4_096 });
    assert.deepEqual((await upload(4_096, true)).json(), { bytes: 4_096 });
    const before = service.effects();
    assertProblem(await upload(4_097, false), 'payload_too_large');
    assertProblem(await upload(4_097, true), 'payload_too_large');
    assert.equal(service.effects(), before);
  });
});

describe('bytes that are no request', () => {
  const GARBAGE: Record<string, readonly [string | Buffer, ErrorCode]> = {
    noise: [Buffer.from([0, 255, 1, 254, 13, 10, 13, 10]), 'malformed_body'],
    'a TLS hello': [Buffer.from('16030100c8010000c40303', 'hex'), 'malformed_body'],
    'two lengths': [
      `${plain('POST /v1/notes HTTP/1.1', 'content-length: 2', 'content-length: 3')}{}`,
      'malformed_body',
    ],
    'a length and chunks': [
      `${plain('POST /v1/notes HTTP/1.1', 'content-length: 2', 'transfer-encoding: chunked')}{}`,
      'malformed_body',
    ],
    'a length with a sign': [plain('POST /v1/notes HTTP/1.1', 'content-length: +2'), 'malformed_body'],
    'a header without a name': [plain('GET /livez HTTP/1.1', ': x'), 'malformed_body'],
    'a folded header': [plain('GET /livez HTTP/1.1', 'a: b', ' c'), 'malformed_body'],
    'a space before the colon': [plain('GET /livez HTTP/1.1', 'host : x'), 'malformed_body'],
    'a bare line feed in a header': [plain('GET /livez HTTP/1.1', 'a: b\nc: d\re'), 'malformed_body'],
    'headers over the limit': [plain('GET /livez HTTP/1.1', `a: ${'x'.repeat(20_000)}`), 'payload_too_large'],
  };
  for (const [name, [bytes, code]] of Object.entries(GARBAGE)) {
    it(`${name}: ${code}, and the connection closes`, async () => {
      verifies('I.4');
      const answer = await one(bytes);
      assertProblem(answer, code);
      assert.equal(answer.headers.get('connection'), 'close');
    });
  }

  it('after a good request in the same write do not spoil or repeat its answer', async () => {
    verifies('I.4');
    const before = service.effects();
    const answers = await exchange(
      service.port,
      Buffer.concat([signedBytes(), Buffer.from('\0garbage\r\n\r\n')]),
      2,
    );
    assert.ok(answers.length <= 1);
    assert.ok(service.effects() - before <= 1);
    if (answers[0]) assert.equal(answers[0].status, 200);
  });

  it('too many headers are refused instead of dropped', async () => {
    const lines = Array.from({ length: SERVER_LIMITS.maxHeaders + 10 }, (_, at) => `x-${at}: 1`);
    assertProblem(await one(plain('GET /livez HTTP/1.1', ...lines)), 'payload_too_large');
  });

  it('a request without a host is refused', async () => {
    const [answer] = await exchange(service.port, 'GET /livez HTTP/1.1\r\n\r\n');
    assert.equal(answer?.status, 400);
  });

  it('the service is still well', async () => {
    assert.equal((await one(plain('GET /livez HTTP/1.1'))).status, 200);
    assert.equal((await one(signedBytes())).status, 200);
  });
});
