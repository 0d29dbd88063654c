import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import {
  ACCOUNT,
  everythingIn,
  inboundParams,
  NUMBER,
  newSid,
  postDelivery,
  postForm,
  SENDER,
  signDelivery,
  untilHandedOver,
} from './gateway.fixture.ts';
import { start, TEXT } from './start-gateway.fixture.ts';

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
