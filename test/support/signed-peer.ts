import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ServiceName } from '@deadlatch/catalogue';
import {
  generateInboxKeyPem,
  generateSigningKeyPem,
  loadInboxKey,
  loadSigningKey,
  type ServiceKeyPair,
  signRequest,
  verifyRequest,
} from '@deadlatch/signing';
import { makeLogKeys } from './log-trust.ts';
import { pinnedForGood } from './pinned-for-good.ts';

/** Keys and small HTTP peers that speak the real wire format, for tests of services without their neighbours. */
export const ENVIRONMENT = 'demo';

export interface TestKeys {
  readonly service: (name: ServiceName) => ServiceKeyPair;
  readonly grant: ServiceKeyPair;
  readonly token: ServiceKeyPair;
  /** Of the Merkle log and of its witness. */
  readonly log: ReturnType<typeof makeLogKeys>;
  /** Writes a key directory for one service, as the supervisor would, and names it. */
  directoryFor(name: ServiceName, files?: Readonly<Record<string, string>>): string;
}

const NO_SIGNING_KEY: readonly ServiceName[] = ['agent'];

/** Fresh keys for the named services, each pinned for good. Everything on disk goes when the test ends. */
export async function makeTestKeys(t: TestContext, services: readonly ServiceName[]): Promise<TestKeys> {
  const root = await mkdtemp(join(tmpdir(), 'deadlatch-keys-'));
  t.after(() => rm(root, { recursive: true, force: true, maxRetries: 3 }));
  const pems = new Map(services.map((name) => [name, generateSigningKeyPem()]));
  const pemOf = (name: ServiceName) => {
    const pem = pems.get(name);
    if (pem === undefined) throw new Error(`no key was made for ${name}`);
    return pem;
  };
  const service = (name: ServiceName) => loadSigningKey(pemOf(name));
  const newPair = () => loadSigningKey(generateSigningKeyPem());
  const [grant, token] = [newPair(), newPair()];
  const log = makeLogKeys(ENVIRONMENT);
  const bundle = JSON.stringify({
    environment: ENVIRONMENT,
    services: services.map((name) => ({
      service: name,
      ...pinnedForGood(service(name)),
    })),
    grant_keys: [pinnedForGood(grant)],
    token_keys: [pinnedForGood(token)],
    inbox_key: { x: loadInboxKey(generateInboxKeyPem()).x },
    ...log.trust,
  });
  return {
    service,
    grant,
    token,
    log,
    directoryFor(name, files = {}) {
      const directory = join(root, name);
      mkdirSync(directory);
      writeFileSync(join(directory, 'trust.json'), bundle);
      if (!NO_SIGNING_KEY.includes(name)) writeFileSync(join(directory, 'signing.pem'), pemOf(name));
      for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
      return directory;
    },
  };
}

export interface PeerCall {
  readonly method: string;
  readonly path: string;
  readonly idempotencyKey: string | null;
  readonly token: string | null;
  readonly body: Record<string, unknown>;
}

export interface PeerAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface SignedPeer {
  readonly url: string;
  /** Every request that was rightly signed, in the order of arrival. */
  readonly calls: PeerCall[];
  /** Replaceable: what the next request is answered. Throwing cuts the connection. */
  answer: (call: PeerCall) => PeerAnswer | Promise<PeerAnswer>;
}

/**
 * A peer at the process edge. It accepts signatures of `sender` for its own name and nothing else: any other
 * request has its connection cut.
 */
export async function startSignedPeer(
  t: TestContext,
  options: {
    readonly name: ServiceName;
    readonly sender: { readonly name: ServiceName; readonly key: ServiceKeyPair };
    /** 0, the default: any free one. */
    readonly port?: number;
    readonly answer: SignedPeer['answer'];
  },
): Promise<SignedPeer> {
  const peer = { url: '', calls: [] as PeerCall[], answer: options.answer };
  const server = createServer(async (request, response) => {
    try {
      const call = prove(request, await bytesOf(request), options.name, options.sender);
      peer.calls.push(call);
      const { status, body } = await peer.answer(call);
      const type = status < 400 ? 'application/json' : 'application/problem+json';
      response.writeHead(status, { 'content-type': type });
      response.end(JSON.stringify(body));
    } catch {
      request.socket.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  peer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return peer;
}

/** A problem document as a service would send it. */
export function problem(status: number, code: string, extra: Record<string, unknown> = {}): PeerAnswer {
  return { status, body: { type: `urn:deadlatch:problem:${code}`, title: code, status, code, ...extra } };
}

function prove(
  request: IncomingMessage,
  body: Buffer,
  audience: ServiceName,
  sender: { readonly name: ServiceName; readonly key: ServiceKeyPair },
): PeerCall {
  const { key } = sender;
  const verified = verifyRequest({
    method: request.method ?? '',
    target: request.url ?? '',
    rawHeaders: request.rawHeaders,
    body,
    shapes: [true, false].flatMap((write) => [true, false].map((token) => ({ write, token }))),
    audience: `spiffe://${ENVIRONMENT}.deadlatch/${audience}`,
    findKey: (keyId) =>
      keyId === key.keyId
        ? {
            ...key,
            service: sender.name,
            notBefore: 0,
            notAfter: Number.MAX_SAFE_INTEGER,
            revokedAt: null,
          }
        : undefined,
    now: Date.now(),
  });
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    idempotencyKey: verified.idempotencyKey,
    token: verified.token,
    body: body.byteLength === 0 ? {} : JSON.parse(body.toString()),
  };
}

/** A signed write without a user token, ready for `fetch`. */
export function signedWrite(options: {
  readonly target: string;
  readonly body: unknown;
  readonly key: ServiceKeyPair;
  readonly audience: ServiceName;
  readonly now?: number;
}): { method: 'POST'; headers: Record<string, string>; body: Uint8Array<ArrayBuffer> } {
  const body = new Uint8Array(
    Buffer.from(typeof options.body === 'string' ? options.body : JSON.stringify(options.body)),
  );
  const headers = signRequest({
    method: 'POST',
    target: options.target,
    body,
    shape: { write: true, token: false },
    idempotencyKey: randomUUID(),
    key: options.key,
    audience: `spiffe://${ENVIRONMENT}.deadlatch/${options.audience}`,
    now: options.now ?? Date.now(),
  });
  return { method: 'POST', headers, body };
}

/** A port nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves once `isTrue`; gives up after 20 s, so that a failure ends instead of hanging. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isTrue()); tries += 1) {
    if (tries > 1_000) throw new Error('it never became true');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
