import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { signRequest } from '@deadlatch/signing';
import { createLogger } from '@deadlatch/telemetry';
import { createAuthority, type Issued, issueFor, writeTlsFiles } from '../../../test/support/certificates.ts';
import { authenticate } from './authenticate.ts';
import { createKeyRing } from './key-ring.ts';
import { requirePeer } from './peer.ts';
import { key, pinned } from './server.fixture.ts';
import { createHttpServer } from './server.ts';
import { openTlsFiles, type TlsFiles } from './tls-files.ts';

/** Fixtures of the TLS tests: a vault behind a real TLS listener, and connections to it of every kind. */
export const ENVIRONMENT = 'demo';
export const AUDIENCE = spiffeId(ENVIRONMENT, 'vault');

/** A clock that stands where it is put, beginning at the true time. */
export function steppedClock() {
  let aheadMs = 0;
  return {
    now: () => Date.now() + aheadMs,
    step: (ms: number) => {
      aheadMs += ms;
    },
  };
}

export async function tlsFilesFor(
  authority: Issued,
  service: ServiceName,
  now: () => number = Date.now,
): Promise<TlsFiles & { readonly directory: string }> {
  const directory = await writeTlsFiles({
    leaf: await issueFor(authority, ENVIRONMENT, service),
    authorities: [authority],
  });
  return { ...openTlsFiles({ directory, environment: ENVIRONMENT, service, now }), directory };
}

export interface TlsService {
  readonly authority: Issued;
  readonly port: number;
  readonly directory: string;
  readonly clock: ReturnType<typeof steppedClock>;
  readonly logs: string[];
  /** requests that reached a handler */
  readonly reached: () => number;
  /** when a handler has begun to read an upload */
  readonly uploadBegan: Promise<void>;
  close(): Promise<void>;
}

/** @param service whose certificate it shows; the vault's unless told */
export async function startTlsService(service: ServiceName = 'vault'): Promise<TlsService> {
  const authority = await createAuthority();
  const clock = steppedClock();
  const tls = await tlsFilesFor(authority, service, clock.now);
  const logs: string[] = [];
  let reached = 0;
  const upload = Promise.withResolvers<void>();
  const app = createHttpServer({
    service: 'vault',
    logger: createLogger({ service: 'vault', level: 'debug', write: (line) => logs.push(line) }),
    bodyLimitBytes: 1_024,
    ready: async () => {},
    tls,
  });
  const keys = createKeyRing({ read: () => [pinned], now: Date.now });
  app.get('/who', async (request) => {
    reached += 1;
    return { service: request.peer?.service };
  });
  app.get('/agents', async (request) => {
    requirePeer(request, 'agent');
    reached += 1;
    return {};
  });
  app.get('/v1/notes', async (request) => {
    const shapes = [{ write: false, token: false }];
    await authenticate(request, { shapes, audience: AUDIENCE, keys, now: Date.now });
    reached += 1;
    return { notes: [] };
  });
  app.put('/uploads', { config: { accepts: ['image/png'], streamBody: true } }, async (request) => {
    let bytes = 0;
    for await (const chunk of request.body as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      upload.resolve();
    }
    return { bytes };
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    authority,
    port,
    directory: tls.directory,
    clock,
    logs,
    reached: () => reached,
    uploadBegan: upload.promise,
    close: () => app.close(),
  };
}

/** What a connection brought back: the answers as text, or the code of the error that ended it. */
export interface Said {
  readonly text: string;
  readonly error: string | null;
}

export const GET_WHO = 'GET /who HTTP/1.1\r\nhost: x\r\n\r\n';

/** A read of the gateway's key, as bytes. */
export function signedRead(): string {
  const headers = signRequest({
    method: 'GET',
    target: '/v1/notes',
    body: new Uint8Array(),
    shape: { write: false, token: false },
    key,
    audience: AUDIENCE,
    now: Date.now(),
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /v1/notes HTTP/1.1\r\nhost: x\r\n${lines.join('')}\r\n`;
}

/** Opens a TLS connection that trusts the service, whatever it is called, and shows what it is told to show. */
export function tlsConnect(service: TlsService, options: ConnectionOptions): TLSSocket {
  const socket = connect({
    host: '127.0.0.1',
    port: service.port,
    ca: service.authority.certificate,
    checkServerIdentity: () => undefined,
    ...options,
  });
  socket.on('error', () => undefined);
  return socket;
}

/** Sends bytes and reads until the server closes, or `until` is in what it said. */
export async function ask(socket: TLSSocket, bytes: string, until?: string): Promise<Said> {
  let text = '';
  let error: string | null = null;
  const done = Promise.withResolvers<void>();
  const onData = (chunk: Buffer) => {
    text += chunk.toString('utf8');
    if (until !== undefined && text.includes(until)) done.resolve();
  };
  socket.on('data', onData);
  socket.once('error', (cause: NodeJS.ErrnoException) => {
    error = cause.code ?? cause.message;
  });
  socket.once('close', () => done.resolve());
  socket.write(bytes);
  await done.promise;
  socket.off('data', onData);
  return { text, error };
}

/** One connection, one request. */
export async function askOnce(
  service: TlsService,
  options: ConnectionOptions,
  bytes = GET_WHO,
): Promise<Said> {
  const socket = tlsConnect(service, options);
  const said = await ask(socket, bytes, '}');
  if (!socket.destroyed) {
    socket.destroy();
    await once(socket, 'close');
  }
  return said;
}

export const shows = ({ certificate, key: privateKey }: Issued): ConnectionOptions => ({
  cert: certificate,
  key: privateKey,
});
