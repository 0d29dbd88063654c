import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { startSimulator } from './compose.ts';
import type { MailboxView, PhoneView } from './world.ts';

const TOKEN = 'a-carrier-token-of-32-characters';
const ACCOUNT = `AC${'0'.repeat(32)}`;
const NUMBER = '+15550001111';
const MARIA = '+15552220001';
const PEOPLE = [
  { slug: 'maria-manager', label: 'Maria (store manager)', phone: MARIA, email: null },
  { slug: 'alan-approver', label: 'Alan (approver)', phone: '+15552220002', email: 'alan@store.example' },
];

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

interface Webhook {
  readonly path: string;
  readonly form: Record<string, string>;
  readonly isSigned: boolean;
}

/** The simulator, and a gateway of this test that checks the carrier's signature in its own words. */
async function start(t: TestContext) {
  const webhooks: Webhook[] = [];
  const gateway = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const form = Object.fromEntries(new URLSearchParams(text));
    const joined = Object.entries(form)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flat()
      .join('');
    const expected = createHmac('sha1', TOKEN)
      .update(`http://${request.headers.host}${request.url}${joined}`)
      .digest('base64');
    const isSigned = request.headers['x-twilio-signature'] === expected;
    webhooks.push({ path: request.url ?? '', form, isSigned });
    response.writeHead(answer.status).end('<Response/>');
  }).listen(0, '127.0.0.1');
  const answer = { status: 200 };
  await once(gateway, 'listening');
  const gatewayUrl = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  const [port, smtpPort] = [await freePort(), await freePort()];
  const simulator = await startSimulator(
    {
      host: '127.0.0.1',
      port,
      smtpPort,
      logLevel: 'error',
      gatewayUrl,
      accountSid: ACCOUNT,
      number: NUMBER,
      people: PEOPLE,
    },
    { carrierToken: () => TOKEN, now: Date.now, randomBytes, fetch, write: () => undefined },
  );
  t.after(async () => {
    await simulator.close();
    gateway.closeAllConnections();
    gateway.close();
  });
  return { url: simulator.url, smtpPort, gatewayUrl, webhooks, answer };
}

/** What the simulator answers is checked by what is asserted of it. */
async function jsonOf<T>(response: Promise<Response>): Promise<T> {
  return (await (await response).json()) as T;
}

interface Outcome {
  readonly sid: string;
  readonly status: number;
}

const phoneOf = (url: string) => jsonOf<PhoneView>(fetch(`${url}/api/phones/maria-manager`));

function write(url: string, slug: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${url}/api/phones/${slug}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

function restSend(url: string, form: Record<string, string>, credentials = `${ACCOUNT}:${TOKEN}`) {
  return fetch(`${url}/2010-04-01/Accounts/${ACCOUNT}/Messages.json`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(form).toString(),
  });
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isTrue()); tries += 1) {
    if (tries > 1000) throw new Error('it never became true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a text from a phone reaches the gateway as a signed webhook', async (t) => {
  const { url, webhooks, answer } = await start(t);
  const sent = await jsonOf<Outcome>(write(url, 'maria-manager', { body: 'door & lock + 50% é' }));
  assert.match(sent.sid, /^SM[0-9a-f]{32}$/);
  assert.equal(sent.status, 200);
  const [webhook] = webhooks;
  assert.equal(webhook?.path, '/sms/inbound');
  assert.equal(webhook?.isSigned, true);
  assert.equal(webhook?.form.MessageSid, sent.sid);
  assert.equal(webhook?.form.From, MARIA);
  assert.equal(webhook?.form.To, NUMBER);
  assert.equal(webhook?.form.Body, 'door & lock + 50% é');

  answer.status = 503;
  const refused = await jsonOf<Outcome>(write(url, 'maria-manager', { body: 'again' }));
  assert.equal(refused.status, 503);
  const phone = await phoneOf(url);
  assert.deepEqual(
    phone.messages.map((message) => [message.direction, message.status]),
    [
      ['sent', 'taken'],
      ['sent', 'refused'],
    ],
  );
});

test('an event can be sent again under its sid', async (t) => {
  const { url, webhooks } = await start(t);
  const { sid } = await jsonOf<Outcome>(write(url, 'maria-manager', { body: 'x' }));
  await write(url, 'maria-manager', { body: 'x', sid });
  assert.deepEqual(
    webhooks.map((webhook) => webhook.form.MessageSid),
    [sid, sid],
  );
  assert.equal((await phoneOf(url)).messages.length, 1);
});

test('a text by REST appears in the phone and its fate is reported, signed', async (t) => {
  const { url, gatewayUrl, webhooks } = await start(t);
  const StatusCallback = `${gatewayUrl}/sms/status`;
  const response = await restSend(url, { To: MARIA, From: NUMBER, Body: 'See you at 9', StatusCallback });
  assert.equal(response.status, 201);
  const { sid } = (await response.json()) as Outcome;
  const phone = await phoneOf(url);
  assert.equal(phone.messages[0]?.body, 'See you at 9');
  assert.equal(phone.messages[0]?.direction, 'received');
  await until(() => webhooks.length === 2);
  assert.deepEqual(
    webhooks.map(({ path, isSigned, form }) => [path, isSigned, form.MessageSid, form.MessageStatus]),
    [
      ['/sms/status', true, sid, 'sent'],
      ['/sms/status', true, sid, 'delivered'],
    ],
  );
});

test('the carrier takes texts of its own customer only, for its own phones only', async (t) => {
  const { url, webhooks } = await start(t);
  const form = { To: MARIA, From: NUMBER, Body: 'x' };
  for (const credentials of ['', ':', `${ACCOUNT}:`, `${ACCOUNT}:wrong`, `AC1:${TOKEN}`]) {
    assert.equal((await restSend(url, form, credentials)).status, 401, credentials);
  }
  const changes = [
    { To: '+15559999999' },
    { To: 'maria' },
    { From: '+15550001112' },
    { Body: '' },
    { Body: 'x'.repeat(1601) },
    { StatusCallback: 'http://127.0.0.1:1/sms/status' },
  ];
  for (const change of changes) {
    const response = await restSend(url, { ...form, ...change });
    assert.equal(response.status, 400, JSON.stringify(change));
    assert.equal(typeof ((await response.json()) as { code: unknown }).code, 'number');
  }
  const { phones } = await jsonOf<{ phones: PhoneView[] }>(fetch(`${url}/api/state`));
  assert.equal(phones.flatMap((phone) => phone.messages).length, 0);
  assert.equal(webhooks.length, 0);
});

/** Speaks SMTP by hand; returns the code of each answer. */
async function speak(port: number, lines: readonly string[]): Promise<number[]> {
  const socket = connect(port, '127.0.0.1');
  const codes: number[] = [];
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async () => {
    for (;;) {
      const { value = '421 closed' } = await answers.next();
      if (value[3] !== '-') return Number(value.slice(0, 3));
    }
  };
  await next();
  for (const line of lines) {
    socket.write(`${line}\r\n`);
    codes.push(await next());
  }
  socket.destroy();
  return codes;
}

test('mail to somebody of the demo lands in the mailbox, and mail to others is refused', async (t) => {
  const { url, smtpPort } = await start(t);
  const mail = [
    'From: Approvals <approvals@deadlatch.example>',
    'Subject: =?utf-8?q?Your_code?=',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'Type 123456 only on the page you opened =E2=80=94 nowhere else.',
    '.',
  ].join('\r\n');
  const head = ['EHLO test', 'MAIL FROM:<approvals@deadlatch.example>'];
  const codes = await speak(smtpPort, [...head, 'RCPT TO:<Alan@Store.example>', 'DATA', mail]);
  assert.deepEqual(codes, [250, 250, 250, 354, 250]);
  const { mails } = await jsonOf<MailboxView>(fetch(`${url}/api/mailboxes/alan-approver`));
  assert.equal(mails[0]?.subject, 'Your code');
  assert.equal(mails[0]?.from, 'approvals@deadlatch.example');
  assert.match(mails[0]?.text ?? '', /^Type 123456 .* — nowhere else\.$/);
  assert.deepEqual((await speak(smtpPort, [...head, 'RCPT TO:<eve@else.example>'])).at(-1), 550);
});

test('no other page and no other name of this machine may read or write', async (t) => {
  const { url, webhooks } = await start(t);
  const text = { body: 'forged' };
  assert.equal((await write(url, 'maria-manager', text, { origin: 'http://evil.test' })).status, 401);
  assert.equal((await write(url, 'maria-manager', text, { origin: 'null' })).status, 401);
  assert.equal((await write(url, 'maria-manager', text, { origin: 'http://127.0.0.1:4300' })).status, 401);
  assert.equal((await write(url, 'maria-manager', text, { 'sec-fetch-site': 'same-site' })).status, 401);
  assert.equal((await write(url, 'maria-manager', text, { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await write(url, 'maria-manager', { ...text, more: 1 })).status, 400);
  assert.equal((await write(url, 'nobody', text)).status, 404);
  for (const path of ['/', '/api/state']) {
    const response = await rawGet(url, path, 'rebound.evil.test');
    assert.equal(response, 401, path);
  }
  assert.equal(webhooks.length, 0);
  assert.equal((await write(url, 'maria-manager', text, { origin: url })).status, 200);
});

function rawGet(url: string, path: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    httpRequest(`${url}${path}`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

test('the page loads its own files only and follows changes', async (t) => {
  const { url } = await start(t);
  const page = await fetch(url);
  assert.match(
    page.headers.get('content-security-policy') ?? '',
    /default-src 'none'.*frame-ancestors 'none'/,
  );
  const files = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]*)"/g)].map(([, path]) => path);
  assert.deepEqual([...new Set(files)].sort(), ['/client.js', '/icon.svg', '/style.css']);
  for (const path of files) assert.equal((await fetch(`${url}${path}`)).status, 200);

  const changes = await fetch(`${url}/api/changes`);
  const reader = changes.body?.getReader();
  await write(url, 'maria-manager', { body: 'x' });
  let heard = '';
  while (!heard.includes('event: change'))
    heard += Buffer.from((await reader?.read())?.value ?? []).toString();
  await reader?.cancel();
});
