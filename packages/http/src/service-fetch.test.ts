import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { createAuthority, type Issued, issueFor, writeTlsFiles } from '../../../test/support/certificates.ts';
import { key } from './server.fixture.ts';
import { createServiceClient } from './service-client.ts';
import { createServiceFetch } from './service-fetch.ts';
import {
  AUDIENCE,
  ENVIRONMENT,
  startTlsService,
  steppedClock,
  type TlsService,
  tlsFilesFor,
} from './tls.fixture.ts';
import type { TlsFiles } from './tls-files.ts';

const HOUR_MS = 3_600_000;

let service: TlsService;
before(async () => {
  service = await startTlsService();
});
after(() => service.close());

const clientTls = (name: ServiceName, now?: () => number) => tlsFilesFor(service.authority, name, now);

function fetchTo(tls: TlsFiles | null, peer = AUDIENCE): typeof fetch {
  return createServiceFetch({ tls, peer, fetch });
}

const urlOf = ({ port }: TlsService, path = '/who') => `https://127.0.0.1:${port}${path}`;

const nextTurn = () => new Promise((done) => setImmediate(done));

const unavailable = (detail: string) => (error: unknown) => {
  assert.ok(error instanceof DispatchError);
  assert.equal(error.code, 'unavailable');
  assert.equal(error.detail, detail);
  return true;
};

describe('a call to another service', () => {
  it('shows who we are, and signed calls are accepted', async () => {
    verifies('T4.1');
    const gatewayFetch = fetchTo(await clientTls('gateway'));
    const answer = await gatewayFetch(urlOf(service));
    assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
    assert.deepEqual(await answer.json(), { service: 'gateway' });
    const client = createServiceClient({
      service: 'gateway',
      key: () => key,
      baseUrl: `https://127.0.0.1:${service.port}`,
      audience: AUDIENCE,
      fetch: gatewayFetch,
      now: Date.now,
      random: randomBytes,
      timeoutMs: 5_000,
    });
    assert.deepEqual(await client.read('/v1/notes'), { notes: [] });
  });

  it('streams a body, and is ended by its signal', async () => {
    const call = fetchTo(await clientTls('web'));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array(700));
        controller.enqueue(new Uint8Array(300));
        controller.close();
      },
    });
    const headers = { 'content-type': 'image/png', 'content-length': '1000' };
    const sent = await call(urlOf(service, '/uploads'), { method: 'PUT', headers, body, duplex: 'half' });
    assert.deepEqual(await sent.json(), { bytes: 1_000 });
    const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
    const signal = AbortSignal.timeout(50);
    const hangs = call(urlOf(service, '/uploads'), {
      method: 'PUT',
      headers,
      body: never,
      duplex: 'half',
      signal,
    });
    await assert.rejects(hangs, { name: 'AbortError' });
  });

  it('goes to nobody who only has the certificate of another service, not even its headers', async () => {
    verifies('T4.1');
    const posing = await startTlsService('gateway');
    try {
      const call = fetchTo(await tlsFilesFor(posing.authority, 'worker'));
      await assert.rejects(call(urlOf(posing)), /the receiver has another name/);
      assert.equal(posing.reached(), 0);
      // The same receiver under its own name is reached.
      const honest = fetchTo(await tlsFilesFor(posing.authority, 'worker'), spiffeId(ENVIRONMENT, 'gateway'));
      assert.equal((await honest(urlOf(posing))).status, 200);
    } finally {
      await posing.close();
    }
  });

  it('goes to no receiver of another authority or environment, and over no plain connection', async () => {
    verifies('T4.1');
    const before = service.reached();
    const stranger = fetchTo(await tlsFilesFor(await createAuthority(), 'worker'));
    await assert.rejects(stranger(urlOf(service)), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
    const elsewhere = fetchTo(await clientTls('worker'), spiffeId('prod', 'vault'));
    await assert.rejects(elsewhere(urlOf(service)), /the receiver has another name/);
    const plain = fetchTo(await clientTls('worker'));
    await assert.rejects(plain(`http://127.0.0.1:${service.port}/who`), unavailable('address_without_tls'));
    assert.equal(service.reached(), before);
  });

  it('is not made with a certificate that expired', async () => {
    verifies('T4.1');
    const clock = steppedClock();
    const call = fetchTo(await clientTls('worker', clock.now));
    assert.equal((await call(urlOf(service))).status, 200);
    clock.step(25 * HOUR_MS);
    await assert.rejects(call(urlOf(service)), unavailable('own_certificate_expired'));
  });

  it('where a mesh carries TLS is an ordinary one', () => {
    assert.equal(fetchTo(null), fetch);
  });
});

describe('files that are rewritten', () => {
  it('while calls are made never break one, at either end', async () => {
    verifies('T4.1');
    const own = await startTlsService();
    const clock = steppedClock();
    const tls = await tlsFilesFor(own.authority, 'worker', clock.now);
    const call = fetchTo(tls);
    const next = await createAuthority();
    let isOver = false;
    let calls = 0;
    const load = async () => {
      while (!isOver) {
        assert.deepEqual(await (await call(urlOf(own))).json(), { service: 'worker' });
        calls += 1;
      }
    };
    const rewrite = async (authorities: readonly Issued[], signer: Issued) => {
      for (const [directory, name] of [
        [own.directory, 'vault'],
        [tls.directory, 'worker'],
      ] as const) {
        await writeTlsFiles({ authorities }, directory);
        await writeTlsFiles({ leaf: await issueFor(signer, ENVIRONMENT, name) }, directory);
      }
      clock.step(3_000);
      own.clock.step(3_000);
      // Some calls with what is now in the files, before the next change.
      const enough = calls + 30;
      while (calls < enough) await Promise.race([running, nextTurn()]);
    };
    const running = Promise.all([load(), load(), load()]);
    try {
      await rewrite([own.authority, next], own.authority);
      await rewrite([own.authority, next], next);
      await rewrite([next], next);
      isOver = true;
      await running;
      assert.ok(calls >= 90);
      // All of it happened: the authority of the beginning is trusted at neither end any more.
      const directory = await writeTlsFiles({ authorities: [next, own.authority] }, tls.directory);
      await writeTlsFiles({ leaf: await issueFor(own.authority, ENVIRONMENT, 'worker') }, directory);
      clock.step(3_000);
      await assert.rejects(call(urlOf(own)), { code: 'ECONNRESET' });
    } finally {
      isOver = true;
      await own.close();
    }
  });
});
