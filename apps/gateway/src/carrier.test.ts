import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { createTracing } from '@deadlatch/telemetry';
import { createCarrier } from './carrier.ts';

const ACCOUNT = `AC${'0'.repeat(32)}`;
const SID = `SM${'a'.repeat(32)}`;

/** A carrier of this test, at the process edge. */
async function start(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: { url: string; authorization: string; form: Record<string, string> }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    requests.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '', form });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const carrier = createCarrier({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accountSid: ACCOUNT,
    authToken: () => 'a-token',
    number: '+15550001111',
    statusUrl: 'https://gateway.test/sms/status',
    fetch,
    timeoutMs: 300,
    tracing: createTracing({ random: randomBytes }),
  });
  return { carrier, requests };
}

const json = (status: number, body: unknown) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
const isOutage = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';

test("a text is posted in the carrier's own format", async (t) => {
  const { carrier, requests } = await start(t, json(201, { sid: SID, status: 'queued' }));
  assert.deepEqual(await carrier.send('+15552223333', 'We come at 9 & bring a key'), {
    outcome: 'accepted',
    providerId: SID,
  });
  assert.deepEqual(requests, [
    {
      url: `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`,
      authorization: `Basic ${Buffer.from(`${ACCOUNT}:a-token`).toString('base64')}`,
      form: {
        To: '+15552223333',
        From: '+15550001111',
        Body: 'We come at 9 & bring a key',
        StatusCallback: 'https://gateway.test/sms/status',
      },
    },
  ]);
});

test('a number that the carrier refuses is an answer, not an outage', async (t) => {
  for (const status of [400, 403, 404]) {
    const { carrier } = await start(t, json(status, { code: 21211 }));
    assert.deepEqual(await carrier.send('+15552223333', 'x'), { outcome: 'refused' });
  }
});

test('whatever does not say that the carrier has it is tried again later', async (t) => {
  for (const status of [401, 408, 429, 500, 503]) {
    const { carrier } = await start(t, json(status, {}));
    await assert.rejects(carrier.send('+15552223333', 'x'), isOutage, String(status));
  }
  for (const body of [{}, { sid: '../x' }, { sid: 7 }, [], 'x'.repeat(70_000)]) {
    const { carrier } = await start(t, json(201, body));
    await assert.rejects(carrier.send('+15552223333', 'x'), isOutage);
  }
  const { carrier: silent } = await start(t, () => undefined);
  await assert.rejects(silent.send('+15552223333', 'x'), isOutage);
});

test('neither credentials nor number follow a redirect', async (t) => {
  const { carrier: elsewhere, requests } = await start(t, json(201, { sid: SID }));
  await elsewhere.send('+15552223333', 'x');
  const { carrier } = await start(t, (_, response) => {
    response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
  });
  await assert.rejects(carrier.send('+15552223333', 'x'), isOutage);
  assert.equal(requests.length, 1);
});

test('an outage says nothing of the number, the text or the token', async (t) => {
  const { carrier } = await start(t, json(500, {}));
  await assert.rejects(carrier.send('+15552223333', 'secret words'), (error: unknown) => {
    assert.ok(error instanceof DispatchError);
    const said = JSON.stringify([error.message, error.detail, error.extra, error.cause]);
    assert.doesNotMatch(said, /15552223333|secret words|a-token/);
    return true;
  });
});
