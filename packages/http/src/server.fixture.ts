import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { dimensionOf, type ErrorCode } from '@deadlatch/kernel';
import { generateSigningKeyPem, loadSigningKey, type PinnedKey, signRequest } from '@deadlatch/signing';
import { createLogger } from '@deadlatch/telemetry';
import type { FastifyInstance } from 'fastify';
import { authenticate, readJson } from './authenticate.ts';
import { createKeyRing, type KeyRing } from './key-ring.ts';
import { createHttpServer } from './server.ts';
import { statusOf } from './statuses.ts';
import { validator } from './validator.ts';

/** Fixtures of this package's tests: a small service behind the shared edge, and plain sockets to throw things at it. */
export const AUDIENCE = 'spiffe://demo.deadlatch/vault';
export const LIMIT = 1_024;
export const CANARY = 'maria.lopez@example.com';

export const key = loadSigningKey(generateSigningKeyPem());

export const pinned: PinnedKey = {
  keyId: key.keyId,
  publicKey: key.publicKey,
  service: 'gateway',
  notBefore: 0,
  notAfter: Number.MAX_SAFE_INTEGER,
  revokedAt: null,
};

export interface TestService {
  readonly app: FastifyInstance;
  readonly port: number;
  readonly logs: string[];
  /** how often a handler got as far as acting */
  readonly effects: () => number;
}

const checkNote = validator<{ note: string }>({
  type: 'object',
  required: ['note'],
  additionalProperties: false,
  properties: { note: { type: 'string', maxLength: 100 } },
});

export async function startTestService(
  options: { readonly keys?: KeyRing; readonly ready?: () => Promise<void> } = {},
): Promise<TestService> {
  const logs: string[] = [];
  let acted = 0;
  const app = createHttpServer({
    service: 'vault',
    logger: createLogger({ service: 'vault', level: 'debug', write: (line) => logs.push(line) }),
    bodyLimitBytes: LIMIT,
    ready: options.ready ?? (async () => {}),
  });
  const keys = options.keys ?? createKeyRing({ read: () => [pinned], now: Date.now });
  app.post('/v1/notes', async (request) => {
    await authenticate(request, {
      shapes: [{ write: true, token: false }],
      audience: AUDIENCE,
      keys,
      now: Date.now,
    });
    const { note } = checkNote(readJson(request));
    acted += 1;
    return { length: note.length };
  });
  app.get('/v1/notes', async (request) => {
    await authenticate(request, {
      shapes: [{ write: false, token: false }],
      audience: AUDIENCE,
      keys,
      now: Date.now,
    });
    return { notes: [] };
  });
  app.get<{ Params: { id: string } }>('/v1/notes/:id', async (request) => ({ id: request.params.id }));
  app.post('/forms', { config: { accepts: ['application/x-www-form-urlencoded'] } }, async (request) => ({
    form: request.rawBody.toString(),
  }));
  app.put(
    '/uploads',
    { config: { accepts: ['image/png'], streamBody: true }, bodyLimit: 4_096 },
    async (request) => {
      let bytes = 0;
      for await (const chunk of request.body as AsyncIterable<Buffer>) bytes += chunk.byteLength;
      acted += 1;
      return { bytes };
    },
  );
  app.get('/broken', async () => {
    throw new TypeError(`cannot read ${CANARY}`);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { app, port, logs, effects: () => acted };
}

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly json: () => Record<string, unknown>;
}

/** Sends bytes as they are and reads until the server closes or `answers` answers have come. */
export async function exchange(port: number, data: string | Buffer, answers = 1): Promise<Answer[]> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  const isHead = data.toString().startsWith('HEAD ');
  const chunks: Buffer[] = [];
  let found: Answer[] = [];
  socket.on('error', () => {});
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      found = parseAnswers(Buffer.concat(chunks).toString('latin1'), isHead);
      if (found.length >= answers) resolve();
    });
    socket.on('close', () => resolve());
  });
  socket.write(data);
  await done;
  socket.destroy();
  return found;
}

function parseAnswers(text: string, isHead: boolean): Answer[] {
  const found: Answer[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return found;
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const at = line.indexOf(':');
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
      }),
    );
    const length = isHead ? 0 : Number(headers.get('content-length') ?? 0);
    const body = rest.slice(end + 4, end + 4 + length);
    if (body.length < length) return found;
    found.push({
      status: Number(first.split(' ')[1]),
      headers,
      body,
      json: () => JSON.parse(body) as Record<string, unknown>,
    });
    rest = rest.slice(end + 4 + length);
  }
}

export interface RawRequest {
  method?: string;
  target?: string;
  body?: string | Buffer;
  /** added after those of the signature; `null` removes one of them */
  headers?: Readonly<Record<string, string | null>>;
  /** further lines, as they are */
  lines?: readonly string[];
  /** what is signed when it is not what is sent */
  signedTarget?: string;
}

/** The bytes of a validly signed write, but for what is asked to be different. */
export function signedBytes(request: RawRequest = {}): Buffer {
  const body = Buffer.from(request.body ?? '{"note":"door"}');
  const method = request.method ?? 'POST';
  const target = request.target ?? '/v1/notes';
  const isWrite = method !== 'GET';
  const signed = signRequest({
    method: isWrite ? 'POST' : 'GET',
    target: request.signedTarget ?? target,
    body: isWrite ? body : new Uint8Array(),
    shape: { write: isWrite, token: false },
    ...(isWrite && { idempotencyKey: crypto.randomUUID() }),
    key,
    audience: AUDIENCE,
    now: Date.now(),
  });
  const headers: Record<string, string | null> = {
    host: '127.0.0.1',
    ...signed,
    ...(isWrite && { 'content-length': String(body.byteLength) }),
    ...request.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  );
  const head = [`${method} ${target} HTTP/1.1`, ...lines, ...(request.lines ?? []), '', ''].join('\r\n');
  return isWrite ? Buffer.concat([Buffer.from(head, 'latin1'), body]) : Buffer.from(head, 'latin1');
}

/** The bytes of a request without signature or body. */
export const plain = (first: string, ...lines: string[]) =>
  [first, 'host: 127.0.0.1', ...lines, '', ''].join('\r\n');

/** The answer is exactly the problem document of `code`. */
export function assertProblem(answer: Answer, code: ErrorCode): void {
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const { request_id, fields: _fields, ...body } = answer.json();
  assert.deepEqual(body, {
    type: `urn:deadlatch:problem:${code}`,
    title: code.replaceAll('_', ' '),
    status: statusOf(code),
    code,
    dimension: dimensionOf(code),
  });
  assert.equal(answer.status, statusOf(code));
  assert.match(String(request_id), /^[0-9a-f-]{36}$/);
  assert.equal(answer.headers.get('x-request-id'), request_id);
}
