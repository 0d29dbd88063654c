import type { AddressInfo } from 'node:net';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { createHttpServer } from '@deadlatch/http';
import { DispatchError, type JsonValue, parseStrictJson, refuse } from '@deadlatch/kernel';
import {
  generateSigningKeyPem,
  loadSigningKey,
  type ServiceKeyPair,
  verifyRequest,
} from '@deadlatch/signing';
import { createLogger } from '@deadlatch/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export const ENVIRONMENT = 'test';

/** A request that reached a peer with web's valid signature. */
export interface Call {
  readonly service: ServiceName;
  /** `POST /v1/texts` */
  readonly route: string;
  readonly body: JsonValue;
  readonly token: string | null;
  readonly idempotencyKey: string | null;
}

export interface FakePerson {
  readonly subject: string;
  readonly label: string;
  readonly roles: readonly string[];
}

/** The services behind web, as small as their edge: real HTTP, real signature checks, made-up answers. */
export interface FakePeers {
  readonly webKey: ServiceKeyPair;
  readonly urls: Readonly<Record<'identity' | 'vault' | 'dispatch-api', string>>;
  readonly calls: Call[];
  /** Sign-in links that still work. */
  readonly links: Map<string, FakePerson>;
  /** Live sessions. */
  readonly sessions: Map<string, FakePerson>;
  /** Tokens that dispatch-api takes. */
  readonly tokens: Map<string, FakePerson>;
  /** What dispatch-api answers, by route; it may throw a DispatchError. */
  readonly answers: Map<string, (call: Call) => JsonValue>;
  /** Bytes that reached dispatch-api's upload door, by target. */
  readonly uploads: Map<string, Buffer>;
  close(): Promise<void>;
}

export async function startFakePeers(): Promise<FakePeers> {
  const webKey = loadSigningKey(generateSigningKeyPem());
  const state = {
    webKey,
    calls: [] as Call[],
    links: new Map<string, FakePerson>(),
    sessions: new Map<string, FakePerson>(),
    tokens: new Map<string, FakePerson>(),
    answers: new Map<string, (call: Call) => JsonValue>(),
    uploads: new Map<string, Buffer>(),
  };
  const servers = {
    identity: serve('identity', state, (call) => identityAnswer(call, state)),
    vault: serve('vault', state, (call) => vaultAnswer(call)),
    'dispatch-api': serve('dispatch-api', state, (call) => dispatchAnswer(call, state)),
  };
  const accepts = ['image/jpeg', 'image/png', 'image/webp', 'application/partial-upload'];
  servers['dispatch-api'].route({
    method: ['PUT', 'PATCH', 'HEAD'],
    url: '/uploads/*',
    config: { accepts },
    bodyLimit: 15_000_000,
    handler: async (request, reply) => {
      const before =
        request.method === 'PUT' ? Buffer.alloc(0) : (state.uploads.get(request.url) ?? Buffer.alloc(0));
      const offset = request.headers['upload-offset'] ?? String(before.length);
      if (request.method === 'PATCH' && offset !== String(before.length)) {
        throw new DispatchError('upload_conflict');
      }
      if (request.method !== 'HEAD') state.uploads.set(request.url, Buffer.concat([before, request.rawBody]));
      const now = state.uploads.get(request.url)?.length ?? 0;
      return reply.code(204).header('upload-offset', String(now)).send();
    },
  });
  const listen = async (server: FastifyInstance): Promise<string> => {
    await server.listen({ host: '127.0.0.1', port: 0 });
    return `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  };
  const urls = {
    identity: await listen(servers.identity),
    vault: await listen(servers.vault),
    'dispatch-api': await listen(servers['dispatch-api']),
  };
  return {
    ...state,
    urls,
    close: async () => {
      await Promise.all(Object.values(servers).map((server) => server.close()));
    },
  };
}

type State = Omit<FakePeers, 'urls' | 'close'>;

function serve(service: ServiceName, state: State, answer: (call: Call) => JsonValue): FastifyInstance {
  const server = createHttpServer({
    service,
    logger: createLogger({ service, level: 'silent' }),
    bodyLimitBytes: 300_000,
    ready: async () => {},
  });
  const handle = async (request: FastifyRequest): Promise<JsonValue> => {
    const verified = verifyRequest({
      method: request.method,
      target: request.url,
      rawHeaders: request.raw.rawHeaders,
      body: request.rawBody,
      shapes: [true, false].flatMap((write) => [true, false].map((token) => ({ write, token }))),
      audience: spiffeId(ENVIRONMENT, service),
      findKey: (keyId) =>
        keyId === state.webKey.keyId
          ? {
              ...state.webKey,
              service: 'web',
              notBefore: 0,
              notAfter: Number.MAX_SAFE_INTEGER,
              revokedAt: null,
            }
          : undefined,
      now: Date.now(),
    });
    const call: Call = {
      service,
      route: `${request.method} ${request.url}`,
      body: request.method === 'POST' ? parseStrictJson(request.rawBody) : null,
      token: verified.token,
      idempotencyKey: verified.idempotencyKey,
    };
    state.calls.push(call);
    return answer(call);
  };
  server.get('/v1/evidence/:id/content', async (request, reply) => {
    const answer = (await handle(request)) as { type: string; bytes: string };
    return reply.type(answer.type).send(Buffer.from(answer.bytes, 'base64url'));
  });
  server.get('/v1/*', handle);
  server.post('/v1/*', handle);
  return server;
}

function identityAnswer(call: Call, state: State): JsonValue {
  const body = call.body as { link?: string; session?: string };
  if (call.route === 'POST /v1/sessions') {
    const person = state.links.get(body.link ?? '') ?? refuse('unauthenticated');
    state.links.delete(body.link ?? '');
    const session = `session-${state.sessions.size}`.padEnd(43, 'x');
    state.sessions.set(session, person);
    return { session, ...person, roles: [], expires_at: inSeconds(28_800) };
  }
  const person = state.sessions.get(body.session ?? '') ?? refuse('unauthenticated');
  if (call.route === 'POST /v1/sessions/end') {
    state.sessions.delete(body.session ?? '');
    return {};
  }
  if (call.route !== 'POST /v1/tokens/session') return refuse('not_found');
  const token = `token.${state.calls.length}.${person.label.replace(/[^A-Za-z]/g, '')}`;
  state.tokens.set(token, person);
  return { token, subject: person.subject, label: person.label, expires_at: inSeconds(60) };
}

function vaultAnswer(call: Call): JsonValue {
  if (call.route !== 'POST /v1/texts') return refuse('not_found');
  return { text_id: '01900000-0000-7000-8000-00000000abcd', commitment: 'c'.repeat(43) };
}

function dispatchAnswer(call: Call, state: State): JsonValue {
  // What needs no token: the secret of a link is all there is.
  const isLink = /^(GET \/v1\/(links|choices)\/|POST \/v1\/choice\.make$)/.test(call.route);
  if (!isLink && !state.tokens.has(call.token ?? '')) throw new DispatchError('unauthenticated');
  const answer = state.answers.get(call.route);
  if (answer) return answer(call);
  const person = state.tokens.get(call.token ?? '');
  return call.route === 'GET /v1/self' && person ? { roles: [...person.roles] } : refuse('not_found');
}

function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}
