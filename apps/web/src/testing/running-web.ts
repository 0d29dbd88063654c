import { randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { spiffeId } from '@deadlatch/catalogue';
import { createHttpServer, createServiceClient } from '@deadlatch/http';
import { createIdMaker } from '@deadlatch/kernel';
import { createLogger } from '@deadlatch/telemetry';
import type { ClientFiles } from '../client-files.ts';
import { createIdentity, createVault } from '../peers.ts';
import { addWeb } from '../server.ts';
import { ENVIRONMENT, type FakePeers, type FakePerson, startFakePeers } from './fake-peers.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly cookies: readonly string[];
  readonly text: string;
  /** The body as JSON, `null` when it is none. */
  readonly json: Record<string, unknown> | null;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface RunningWeb {
  readonly peers: FakePeers;
  readonly origin: string;
  /** Sends exactly these headers, besides Host and the length of the body. */
  ask(path: string, ask?: Ask): Promise<Answer>;
  /** Signs a person in through the pages, as a browser does, and answers what their requests carry. */
  signIn(person: FakePerson): Promise<{ readonly cookie: string; readonly csrf: string }>;
  close(): Promise<void>;
}

const NO_CLIENT: ClientFiles = { page: null, files: new Map() };

/** The real server on a free port, before fake peers. */
export async function startTestWeb(
  options: { readonly client?: ClientFiles; readonly port?: number } = {},
): Promise<RunningWeb> {
  const peers = await startFakePeers();
  const port = options.port ?? (await freePort());
  const origin = `http://127.0.0.1:${port}`;
  const client = (service: 'identity' | 'vault' | 'dispatch-api') =>
    createServiceClient({
      service: 'web',
      key: () => peers.webKey,
      baseUrl: peers.urls[service],
      audience: spiffeId(ENVIRONMENT, service),
      fetch,
      now: Date.now,
      random: randomBytes,
      timeoutMs: 5_000,
    });
  const server = createHttpServer({
    service: 'web',
    logger: createLogger({ service: 'web', level: 'silent' }),
    bodyLimitBytes: 262_144,
    ready: async () => {},
  });
  addWeb(server, {
    publicUrl: new URL(origin),
    identity: createIdentity(client('identity')),
    vault: createVault(client('vault')),
    dispatchApi: client('dispatch-api'),
    dispatchApiUrl: new URL(peers.urls['dispatch-api']),
    client: options.client ?? NO_CLIENT,
    fetch,
    now: Date.now,
    newId: createIdMaker(Date.now, randomBytes),
    newSecret: () => randomBytes(32).toString('base64url'),
    uploadTimeoutMs: 10_000,
  });
  await server.listen({ host: '127.0.0.1', port });
  const ask = (path: string, given: Ask = {}) => send(port, path, given);
  return {
    peers,
    origin,
    ask,
    signIn: (person) => signIn(peers, ask, origin, person),
    close: async () => {
      await server.close();
      await peers.close();
    },
  };
}

async function signIn(
  peers: FakePeers,
  ask: RunningWeb['ask'],
  origin: string,
  person: FakePerson,
): Promise<{ cookie: string; csrf: string }> {
  const link = randomBytes(16).toString('base64url');
  peers.links.set(link, person);
  const page = await ask(`/sign-in/${link}`);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  const signedIn = await ask('/sign-in', {
    method: 'POST',
    headers: { ...formHeaders(origin), cookie: jar(page.cookies) },
    body: `link=${link}&csrf=${csrf}`,
  });
  const cookie = jar(signedIn.cookies);
  const me = await ask('/api/me', { headers: { cookie } });
  return { cookie, csrf: String(me.json?.csrf) };
}

/** What a browser sends with a form of our own page. */
export function formHeaders(origin: string): Record<string, string> {
  return { origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' };
}

/** A `Cookie` header from `Set-Cookie` values; removed cookies are left out. */
export function jar(setCookies: readonly string[]): string {
  return setCookies
    .filter((text) => !text.includes('Max-Age=0'))
    .map((text) => text.split(';')[0])
    .join('; ');
}

function send(port: number, path: string, { method = 'GET', headers = {}, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const message = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        // An answer to HEAD says what it would be, and has nothing of it.
        const isJson = text !== '' && /json/.test(response.headers['content-type'] ?? '');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          cookies: response.headers['set-cookie'] ?? [],
          text,
          json: isJson ? (JSON.parse(text) as Record<string, unknown>) : null,
        });
      });
    });
    message.on('error', reject);
    message.end(body);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
