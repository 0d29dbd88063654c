import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  generateInboxKeyPem,
  generateSigningKeyPem,
  loadInboxKey,
  loadSigningKey,
  type PinnedKey,
  type ServiceKeyPair,
  signRequest,
  verifyRequest,
} from '@deadlatch/signing';
import { makeLogTrust } from '../../../test/support/log-trust.ts';
import { pinnedForGood } from '../../../test/support/pinned-for-good.ts';

/** Fixtures of this app's tests: keys, a carrier's webhooks, and small peers that speak the real wire format. */
export const TOKEN = 'a-carrier-token-of-32-characters';
export const ACCOUNT = `AC${'0'.repeat(32)}`;
export const NUMBER = '+15550001111';
export const SENDER = '+15552223333';
export const FORM = 'application/x-www-form-urlencoded';

export interface Keys {
  readonly directory: string;
  readonly worker: ServiceKeyPair;
  readonly web: ServiceKeyPair;
  readonly gateway: ServiceKeyPair;
  readonly inbox: ReturnType<typeof loadInboxKey>;
}

export async function temporary(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** A key directory as the supervisor would have written it. */
export function makeKeys(parent: string): Keys {
  const directory = join(parent, 'keys');
  mkdirSync(directory);
  const pem = generateSigningKeyPem();
  const [gateway, worker, web, grant, token] = [
    loadSigningKey(pem),
    ...Array.from({ length: 4 }, () => loadSigningKey(generateSigningKeyPem())),
  ] as [ServiceKeyPair, ServiceKeyPair, ServiceKeyPair, ServiceKeyPair, ServiceKeyPair];
  const inbox = loadInboxKey(generateInboxKeyPem());
  const pinned = (service: string, key: ServiceKeyPair) => ({ service, ...pinnedForGood(key) });
  writeFileSync(join(directory, 'signing.pem'), pem);
  writeFileSync(join(directory, 'twilio-auth-token'), TOKEN);
  writeFileSync(
    join(directory, 'trust.json'),
    JSON.stringify({
      environment: 'demo',
      services: [pinned('gateway', gateway), pinned('worker', worker), pinned('web', web)],
      grant_keys: [pinnedForGood(grant)],
      token_keys: [pinnedForGood(token)],
      inbox_key: { x: inbox.x },
      ...makeLogTrust('demo'),
    }),
  );
  return { directory, worker, web, gateway, inbox };
}

export interface PeerCall {
  readonly path: string;
  readonly key: string | null;
  readonly body: Record<string, unknown>;
}

export interface Peer {
  readonly url: string;
  /** Every request that arrived, refused ones too. */
  readonly calls: PeerCall[];
  /** Replaceable: what the next request is answered. Throwing cuts the connection. */
  answer: (call: PeerCall) => { status: number; body: unknown } | Promise<{ status: number; body: unknown }>;
}

/** A peer at the process edge. Signed ones accept the gateway's signature for their own name and nothing else. */
export async function startPeer(
  t: TestContext,
  audience: string | null,
  keys: Keys,
  answer: Peer['answer'],
): Promise<Peer> {
  const calls: PeerCall[] = [];
  const peer = { url: '', calls, answer };
  const server = createServer(async (request, response) => {
    const body = await bytesOf(request);
    try {
      const key = audience === null ? null : prove(request, body, audience, keys);
      const call = { path: request.url ?? '', key, body: readBody(request, body) };
      calls.push(call);
      const reply = await peer.answer(call);
      response.writeHead(reply.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(reply.body));
    } catch {
      request.socket.destroy();
    }
  });
  peer.url = await listen(t, server);
  return peer;
}

function prove(request: IncomingMessage, body: Uint8Array, audience: string, keys: Keys): string | null {
  const pin: PinnedKey = {
    keyId: keys.gateway.keyId,
    publicKey: keys.gateway.publicKey,
    service: 'gateway',
    notBefore: 0,
    notAfter: Number.MAX_SAFE_INTEGER,
    revokedAt: null,
  };
  return verifyRequest({
    method: request.method ?? '',
    target: request.url ?? '',
    rawHeaders: request.rawHeaders,
    body,
    shapes: [
      { write: true, token: false },
      { write: false, token: false },
    ],
    audience: `spiffe://demo.deadlatch/${audience}`,
    findKey: (keyId) => (keyId === pin.keyId ? pin : undefined),
    now: Date.now(),
  }).idempotencyKey;
}

function readBody(request: IncomingMessage, bytes: Buffer): Record<string, unknown> {
  if (bytes.byteLength === 0) return {};
  return request.headers['content-type'] === FORM
    ? Object.fromEntries(new URLSearchParams(bytes.toString()))
    : JSON.parse(bytes.toString());
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

async function listen(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The vault's answer to a text of somebody on file. */
export function maskedAnswer(): { status: number; body: Record<string, unknown> } {
  return {
    status: 200,
    body: {
      text_id: randomUUID(),
      contact_id: randomUUID(),
      sender_hash: 'h'.repeat(43),
      doubts: [],
      mask_state: 'RELEASED',
      masked_text: 'front door will not lock',
    },
  };
}

export function newSid(): string {
  return `SM${randomBytes(16).toString('hex')}`;
}

export function inboundParams(changes: Record<string, string> = {}): Record<string, string> {
  const sid = changes.MessageSid ?? newSid();
  return {
    MessageSid: sid,
    SmsSid: sid,
    SmsMessageSid: sid,
    AccountSid: ACCOUNT,
    From: SENDER,
    To: NUMBER,
    Body: "front door won't lock, we close in an hour",
    NumMedia: '0',
    NumSegments: '1',
    FromCountry: 'US',
    ApiVersion: '2010-04-01',
    ...changes,
  };
}

/** The carrier's signature, written a second time on purpose. */
export function signForm(url: string, params: Record<string, string>, token = TOKEN): string {
  const joined = Object.entries(params)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flat()
    .join('');
  return createHmac('sha1', token)
    .update(url + joined)
    .digest('base64');
}

export async function postForm(
  url: string,
  params: Record<string, string>,
  changes: { body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': FORM, 'x-twilio-signature': signForm(url, params), ...changes.headers },
    body: changes.body ?? new URLSearchParams(params).toString(),
  });
}

export async function postDelivery(
  url: string,
  key: ServiceKeyPair | null,
  body: unknown,
  audience = 'gateway',
): Promise<Response> {
  return fetch(`${url}/v1/deliveries`, signDelivery(key, body, audience));
}

/** A delivery request, signed by `key` or not at all. */
export function signDelivery(
  key: ServiceKeyPair | null,
  body: unknown,
  audience = 'gateway',
  now = Date.now(),
): RequestInit {
  const bytes = Buffer.from(JSON.stringify(body));
  const headers =
    key === null
      ? { 'content-type': 'application/json' }
      : signRequest({
          method: 'POST',
          target: '/v1/deliveries',
          body: bytes,
          shape: { write: true, token: false },
          idempotencyKey: randomUUID(),
          key,
          audience: `spiffe://demo.deadlatch/${audience}`,
          now,
        });
  return { method: 'POST', headers, body: bytes };
}

/** Names of the files in one folder of the inbox. */
export function filesIn(directory: string, folder: string): string[] {
  return readdirSync(join(directory, folder)).sort();
}

/** Everything the gateway wrote to its disk, as one text. */
export function everythingIn(directory: string): string {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const path = join(directory, name);
      return name + (statSync(path).isFile() ? readFileSync(path, 'latin1') : '');
    })
    .join('\n');
}

/** Resolves once `isTrue`; gives up after 20 s, so that a failure ends instead of hanging. */
export async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries += 1) {
    if (tries > 2000) throw new Error('it never became true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Resolves once so many events were handed over and nothing waits any more. */
export async function untilHandedOver(directory: string, count: number): Promise<void> {
  await until(() => filesIn(directory, 'seen').length >= count && filesIn(directory, 'waiting').length === 0);
}
