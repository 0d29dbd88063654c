import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findCommand } from '@deadlatch/catalogue';
import { validator } from '@deadlatch/http';
import { openSealed } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { startGateway } from './compose.ts';
import { loadGatewayConfig } from './config.ts';
import {
  ACCOUNT,
  everythingIn,
  FORM,
  filesIn,
  freePort,
  inboundParams,
  makeKeys,
  maskedAnswer,
  NUMBER,
  newSid,
  type Peer,
  postDelivery,
  postForm,
  SENDER,
  signDelivery,
  signForm,
  startPeer,
  temporary,
  until,
  untilHandedOver,
} from './gateway.fixture.ts';

const TEXT = 'Your visit is booked. See https://status.test/s/abc';

async function start(t: TestContext) {
  const directory = await temporary(t);
  const keys = makeKeys(directory);
  const inboxDirectory = join(directory, 'inbox');
  mkdirSync(inboxDirectory);
  const vault = await startPeer(t, 'vault', keys, (call) =>
    call.path === '/v1/reveals' ? { status: 200, body: { fields: { phone: SENDER } } } : maskedAnswer(),
  );
  const api = await startPeer(t, 'dispatch-api', keys, (call) =>
    call.path.endsWith('/rendered') ? rendered(call.path.split('/')[3] ?? '') : { status: 200, body: {} },
  );
  const carrier = await startPeer(t, null, keys, () => ({ status: 201, body: { sid: newSid() } }));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { config, secrets } = loadGatewayConfig({
    DEADLATCH_ENVIRONMENT: 'demo',
    DEADLATCH_KEY_DIR: keys.directory,
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: String(port),
    DEADLATCH_INTERNAL_PORT: String(await freePort()),
    DEADLATCH_MTLS: 'mesh',
    DEADLATCH_LOG_LEVEL: 'debug',
    DISPATCH_API_URL: api.url,
    WITNESS_URL: 'http://127.0.0.1:1',
    VAULT_URL: vault.url,
    GATEWAY_PUBLIC_URL: url,
    GATEWAY_INBOX_DIR: inboxDirectory,
    TWILIO_ACCOUNT_SID: ACCOUNT,
    TWILIO_NUMBER: NUMBER,
    TWILIO_API_BASE: carrier.url,
  });
  const logs: string[] = [];
  const write = (line: string) => logs.push(line);
  const gateway = await startGateway(config, secrets, { now: Date.now, randomBytes, fetch, write });
  t.after(() => gateway.close());
  return { url, internalUrl: gateway.internalUrl, keys, vault, api, carrier, logs, inboxDirectory };
}

function rendered(messageId: string) {
  const body = {
    message_id: messageId,
    contact_id: randomUUID(),
    channel: 'sms',
    text: TEXT,
    reveal_grant: 'grant-1',
  };
  return { status: 200, body };
}

const received = (api: Peer) => api.calls.filter((call) => call.path === '/v1/message.receive');

test('a text is sealed, kept, answered, masked and handed over', async (t) => {
  verifies('R.5', 'T5.2');
  const { url, keys, vault, api, inboxDirectory, logs } = await start(t);
  const params = inboundParams();
  const response = await postForm(`${url}/sms/inbound`, params);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/xml/);
  assert.equal(await response.text(), '<Response/>');
  await untilHandedOver(inboxDirectory, 1);

  const [inbound] = vault.calls;
  assert.equal(inbound?.body.provider_id, params.MessageSid);
  const sealed = Buffer.from(String(inbound?.body.sealed), 'base64url');
  const letter = JSON.parse(Buffer.from(openSealed(keys.inbox.privateKey, sealed)).toString());
  const { received_at, ...rest } = letter;
  assert.deepEqual(rest, { from: SENDER, to: NUMBER, body: params.Body });

  const [message] = received(api);
  assert.equal(message?.body.provider_id, params.MessageSid);
  assert.equal(message?.body.received_at, received_at);
  const entry = findCommand('message.receive');
  assert.ok(entry !== undefined);
  validator(entry.input)(message?.body);

  assert.deepEqual(filesIn(inboxDirectory, 'waiting'), []);
  assert.doesNotMatch(logs.join('') + everythingIn(inboxDirectory), /5552223333|close in an hour/);
});

test('nothing readable lies on the disk while the vault is down', async (t) => {
  verifies('R.5', 'T5.2', 'C.6');
  const { url, vault, api, inboxDirectory } = await start(t);
  vault.answer = () => ({ status: 503, body: {} });
  const params = inboundParams();
  assert.equal((await postForm(`${url}/sms/inbound`, params)).status, 200);
  await until(() => vault.calls.length > 0);
  assert.deepEqual(filesIn(inboxDirectory, 'waiting'), [params.MessageSid]);
  assert.doesNotMatch(everythingIn(inboxDirectory), /5552223333|close in an hour/);
  vault.answer = maskedAnswer;
  await untilHandedOver(inboxDirectory, 1);
  assert.equal(received(api).length, 1);
});

test('garbage is refused and leaves nothing behind', async (t) => {
  verifies('I.4');
  const { url, vault, api, inboxDirectory } = await start(t);
  const to = `${url}/sms/inbound`;
  const params = inboundParams();
  const encoded = new URLSearchParams(params).toString();
  const signature = signForm(to, params);
  const signed = (changes: Record<string, string>) => postForm(to, inboundParams(changes));
  const long = { ...params, Filler: 'x'.repeat(20_000) };
  const cases: [string, () => Promise<Response>, number[]][] = [
    [
      'no signature',
      () => fetch(to, { method: 'POST', headers: { 'content-type': FORM }, body: encoded }),
      [401],
    ],
    [
      'wrong token',
      () => postForm(to, params, { headers: { 'x-twilio-signature': signForm(to, params, 'x') } }),
      [401],
    ],
    [
      'empty token',
      () => postForm(to, params, { headers: { 'x-twilio-signature': signForm(to, params, '') } }),
      [401],
    ],
    ['empty signature', () => postForm(to, params, { headers: { 'x-twilio-signature': '' } }), [401]],
    [
      'two signatures',
      () => postForm(to, params, { headers: { 'x-twilio-signature': `${signature}, ${signature}` } }),
      [401],
    ],
    [
      'other url',
      () =>
        postForm(to, params, { headers: { 'x-twilio-signature': signForm(`${url}/sms/status`, params) } }),
      [401],
    ],
    ['query', () => postForm(`${to}?a=1`, params), [401]],
    ['changed text', () => postForm(to, params, { body: encoded.replace('lock', 'open') }), [401]],
    ['duplicate', () => postForm(to, params, { body: `${encoded}&From=%2B15559990000` }), [400]],
    ['bad utf-8', () => postForm(to, params, { body: encoded.replace('front', '%ff') }), [400]],
    ['raw bytes', () => postForm(to, params, { body: Uint8Array.from([0x41, 0x3d, 0xff]) }), [400]],
    ['no body', () => postForm(to, params, { body: '' }), [400]],
    ['json', () => postForm(to, params, { headers: { 'content-type': 'application/json' } }), [415]],
    ['oversize', () => postForm(to, long), [413]],
    ['foreign account', () => signed({ AccountSid: `AC${'1'.repeat(32)}` }), [404]],
    ['foreign number', () => signed({ To: '+15550001112' }), [404]],
    ['sid with a path', () => signed({ MessageSid: '../../x' }), [400]],
    ['sender in words', () => signed({ From: 'Corporate' }), [400]],
    ['a read', () => fetch(to), [404]],
  ];
  for (const [name, send, statuses] of cases) {
    const response = await send();
    assert.ok(statuses.includes(response.status), `${name}: ${response.status}`);
  }
  assert.deepEqual(filesIn(inboxDirectory, 'waiting'), []);
  assert.deepEqual(filesIn(inboxDirectory, 'seen'), []);
  assert.equal(vault.calls.length + api.calls.length, 0);
});

test('forwarded headers have no say in which url was signed', async (t) => {
  const { url, inboxDirectory } = await start(t);
  const params = inboundParams();
  const response = await postForm(`${url}/sms/inbound`, params, {
    headers: {
      'x-forwarded-host': 'evil.test',
      'x-forwarded-proto': 'https',
      'x-twilio-signature': signForm('https://evil.test/sms/inbound', params),
    },
  });
  assert.equal(response.status, 401);
  assert.deepEqual(filesIn(inboxDirectory, 'waiting'), []);
});

test('a webhook that comes again, at once or later, is one message', async (t) => {
  verifies('R.2');
  const { url, api, inboxDirectory } = await start(t);
  const params = inboundParams();
  const again = () => postForm(`${url}/sms/inbound`, params).then((response) => response.status);
  assert.deepEqual(await Promise.all([again(), again(), again()]), [200, 200, 200]);
  await untilHandedOver(inboxDirectory, 1);
  assert.equal(await again(), 200);
  assert.deepEqual(filesIn(inboxDirectory, 'waiting'), []);
  assert.equal(received(api).length, 1);
});

test('a disk that takes nothing is told to the carrier, who keeps the message', async (t) => {
  verifies('C.6');
  const { url, api, inboxDirectory } = await start(t);
  rmSync(join(inboxDirectory, 'scratch'), { recursive: true });
  writeFileSync(join(inboxDirectory, 'scratch'), '');
  assert.equal((await postForm(`${url}/sms/inbound`, inboundParams())).status, 503);
  assert.equal(api.calls.length, 0);
});

test('a message the vault cannot read is held and the next one goes through', async (t) => {
  const { url, vault, api, inboxDirectory } = await start(t);
  const poison = inboundParams();
  vault.answer = (call) =>
    call.body.provider_id === poison.MessageSid
      ? { status: 400, body: { code: 'schema_mismatch' } }
      : maskedAnswer();
  await postForm(`${url}/sms/inbound`, poison);
  const good = inboundParams();
  await postForm(`${url}/sms/inbound`, good);
  await untilHandedOver(inboxDirectory, 1);
  await until(() => filesIn(inboxDirectory, 'held').length === 1);
  assert.deepEqual(filesIn(inboxDirectory, 'held'), [poison.MessageSid]);
  assert.deepEqual(
    received(api).map((call) => call.body.provider_id),
    [good.MessageSid],
  );
});

test('the worker has a message delivered: text from dispatch-api, number from the vault', async (t) => {
  const { url, internalUrl, keys, vault, api, carrier, logs, inboxDirectory } = await start(t);
  const messageId = randomUUID();
  const response = await postDelivery(internalUrl, keys.worker, { message_id: messageId });
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { state: 'sent' });
  assert.deepEqual(
    vault.calls.map((call) => call.body),
    [{ grant: 'grant-1' }],
  );
  assert.deepEqual(
    carrier.calls.map((call) => call.body),
    [{ To: SENDER, From: NUMBER, Body: TEXT, StatusCallback: `${url}/sms/status` }],
  );
  const report = api.calls.at(-1);
  assert.equal(report?.path, `/v1/messages/${messageId}/message.report_delivery`);
  assert.equal(report?.body.status, 'sent');
  assert.doesNotMatch(logs.join('') + everythingIn(inboxDirectory), /5552223333|is booked/);
});

test('nobody but the worker has anything delivered', async (t) => {
  verifies('T4.2');
  const { internalUrl, keys, api, carrier } = await start(t);
  const body = { message_id: randomUUID() };
  const cases: [string, () => Promise<Response>, number][] = [
    ['unsigned', () => postDelivery(internalUrl, null, body), 401],
    ['web', () => postDelivery(internalUrl, keys.web, body), 403],
    ['the gateway itself', () => postDelivery(internalUrl, keys.gateway, body), 403],
    ['signed for another service', () => postDelivery(internalUrl, keys.worker, body, 'vault'), 401],
    ['no id', () => postDelivery(internalUrl, keys.worker, {}), 400],
    ['a number in place of an id', () => postDelivery(internalUrl, keys.worker, { message_id: SENDER }), 400],
    ['one field more', () => postDelivery(internalUrl, keys.worker, { ...body, to: SENDER }), 400],
  ];
  for (const [name, send, status] of cases) assert.equal((await send()).status, status, name);
  assert.equal(api.calls.length + carrier.calls.length, 0);
});

test('what is for carriers is on the one port, what is for services on the other', async (t) => {
  verifies('T4.2');
  const { url, internalUrl, keys, carrier } = await start(t);
  assert.equal((await postDelivery(url, keys.worker, { message_id: randomUUID() })).status, 404);
  assert.equal((await postForm(`${internalUrl}/sms/inbound`, inboundParams())).status, 404);
  assert.equal(carrier.calls.length, 0);
});

test('a delivery that was signed once is accepted once', async (t) => {
  verifies('T4.3');
  const { internalUrl, keys, carrier } = await start(t);
  const captured = signDelivery(keys.worker, { message_id: randomUUID() });
  assert.equal((await fetch(`${internalUrl}/v1/deliveries`, captured)).status, 200);
  assert.equal((await fetch(`${internalUrl}/v1/deliveries`, captured)).status, 401);
  assert.equal(carrier.calls.length, 1);
});

test('a delivery signed before this process started is refused', async (t) => {
  verifies('T4.3');
  const { internalUrl, keys, carrier } = await start(t);
  const old = signDelivery(keys.worker, { message_id: randomUUID() }, 'gateway', Date.now() - 10_000);
  assert.equal((await fetch(`${internalUrl}/v1/deliveries`, old)).status, 401);
  assert.equal(carrier.calls.length, 0);
});

test('what is no longer true is not sent', async (t) => {
  verifies('T2.6');
  const { internalUrl, keys, api, vault, carrier } = await start(t);
  const messageId = randomUUID();
  api.answer = (call) =>
    call.path.endsWith('/rendered')
      ? { status: 409, body: { code: 'superseded' } }
      : { status: 200, body: {} };
  const response = await postDelivery(internalUrl, keys.worker, { message_id: messageId });
  assert.deepEqual(await response.json(), { state: 'superseded' });
  assert.equal(vault.calls.length + carrier.calls.length, 0);
  // It says so, or the message would stand as waiting for ever.
  const report = api.calls.at(-1);
  assert.equal(report?.path, `/v1/messages/${messageId}/message.report_delivery`);
  assert.deepEqual(report?.body, { status: 'superseded' });
});

test('one message is one text: at the same time, again, and after a report that got lost', async (t) => {
  verifies('R.2');
  const { internalUrl, keys, api, carrier } = await start(t);
  const messageId = randomUUID();
  const normal = api.answer;
  api.answer = (call) => (call.path.endsWith('report_delivery') ? { status: 503, body: {} } : normal(call));
  const deliver = () => postDelivery(internalUrl, keys.worker, { message_id: messageId });
  const first = await Promise.all([deliver(), deliver(), deliver()]);
  assert.deepEqual(
    first.map((response) => response.status),
    [503, 503, 503],
  );
  api.answer = normal;
  assert.deepEqual(await (await deliver()).json(), { state: 'sent' });
  assert.deepEqual(await (await deliver()).json(), { state: 'sent' });
  assert.equal(carrier.calls.length, 1);
  const keysUsed = api.calls.filter((call) => call.path.endsWith('report_delivery')).map((call) => call.key);
  assert.equal(new Set(keysUsed).size, 1);
});

test('a carrier that refuses is reported as failed; one that is down is asked again', async (t) => {
  const { internalUrl, keys, api, carrier } = await start(t);
  carrier.answer = () => ({ status: 400, body: { code: 21211 } });
  const refused = await postDelivery(internalUrl, keys.worker, { message_id: randomUUID() });
  assert.deepEqual(await refused.json(), { state: 'failed' });
  assert.deepEqual(api.calls.at(-1)?.body, { status: 'failed' });

  carrier.answer = () => ({ status: 500, body: {} });
  const before = api.calls.length;
  const down = await postDelivery(internalUrl, keys.worker, { message_id: randomUUID() });
  assert.equal(down.status, 503);
  assert.equal(
    api.calls.slice(before).some((call) => call.path.endsWith('report_delivery')),
    false,
  );
});

test("a refusal of the gateway's own call is an outage to the worker, who would give up on a refusal", async (t) => {
  verifies('C.6');
  const { internalUrl, keys, api, vault, carrier } = await start(t);
  const normal = vault.answer;
  for (const code of ['unauthenticated', 'not_granted', 'rate_limited', 'unavailable']) {
    vault.answer = () => ({ status: 403, body: { code } });
    const response = await postDelivery(internalUrl, keys.worker, { message_id: randomUUID() });
    assert.equal(response.status, 503, code);
  }
  vault.answer = () => ({ status: 404, body: { code: 'not_found' } });
  const noNumber = await postDelivery(internalUrl, keys.worker, { message_id: randomUUID() });
  assert.deepEqual(await noNumber.json(), { state: 'failed' });
  vault.answer = normal;
  api.answer = () => ({ status: 401, body: { code: 'unauthenticated' } });
  assert.equal((await postDelivery(internalUrl, keys.worker, { message_id: randomUUID() })).status, 503);
  api.answer = () => ({ status: 404, body: { code: 'not_found' } });
  assert.equal((await postDelivery(internalUrl, keys.worker, { message_id: randomUUID() })).status, 404);
  assert.equal(carrier.calls.length, 0);
});

test("the carrier's word on a text finds its message, once per status", async (t) => {
  const { url, internalUrl, keys, api, carrier, inboxDirectory } = await start(t);
  const sid = newSid();
  carrier.answer = () => ({ status: 201, body: { sid } });
  const messageId = randomUUID();
  await postDelivery(internalUrl, keys.worker, { message_id: messageId });
  const say = (MessageStatus: string) => {
    const params = { MessageSid: sid, AccountSid: ACCOUNT, From: NUMBER, To: SENDER, MessageStatus };
    return postForm(`${url}/sms/status`, params).then((response) => response.status);
  };
  assert.deepEqual([await say('sent'), await say('delivered'), await say('delivered')], [200, 200, 200]);
  assert.equal(await say('approved'), 400);
  await untilHandedOver(inboxDirectory, 1);
  const reports = api.calls.filter((call) => call.path.endsWith(`${messageId}/message.report_delivery`));
  assert.deepEqual(
    reports.map((call) => call.body),
    [
      { status: 'sent', provider_id: sid },
      { status: 'delivered', provider_id: sid },
    ],
  );
});

test('in a flood strangers beyond their rate are turned away at the door, and everybody else is kept', async (t) => {
  verifies('R.5', 'R.6');
  const { url, vault, api, inboxDirectory } = await start(t);
  const isKnown = new Set<string>();
  const refusal = { code: 'rate_limited', rate_of: 'unknown_sender' };
  vault.answer = ({ body }) =>
    isKnown.has(String(body.provider_id)) ? maskedAnswer() : { status: 429, body: refusal };
  // So many are taken over before anybody is asked, and turned away later.
  const unasked = 20;
  const post = async (params: Record<string, string>) =>
    (await postForm(`${url}/sms/inbound`, params)).status;
  const statuses = await Promise.all(Array.from({ length: unasked + 150 }, () => post(inboundParams())));
  assert.deepEqual(new Set(statuses), new Set([200]));
  const known = inboundParams();
  isKnown.add(known.MessageSid ?? '');
  assert.equal(await post(known), 200);
  await until(() => received(api).length === 1 && filesIn(inboxDirectory, 'waiting').length === 0);
  assert.equal(received(api)[0]?.body.provider_id, known.MessageSid);
  const seen = filesIn(inboxDirectory, 'seen').length;
  assert.ok(seen < unasked + 20, `${seen} files`);
  assert.deepEqual(filesIn(inboxDirectory, 'held'), []);
});

test('in a flood nothing is turned away while the vault cannot be asked, or refuses for any other reason', async (t) => {
  verifies('R.5', 'C.6');
  const { url, vault, inboxDirectory } = await start(t);
  const answers = [
    { status: 503, body: { code: 'unavailable' } },
    { status: 429, body: { code: 'rate_limited' } },
    { status: 401, body: { code: 'unauthenticated', rate_of: 'unknown_sender' } },
  ];
  let asked = 0;
  vault.answer = () => answers[asked++ % answers.length] ?? maskedAnswer();
  const count = 60;
  const statuses = await Promise.all(
    Array.from({ length: count }, async () => (await postForm(`${url}/sms/inbound`, inboundParams())).status),
  );
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.equal(filesIn(inboxDirectory, 'waiting').length, count);
});
