import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCommand } from '@deadlatch/catalogue';
import { validator } from '@deadlatch/http';
import { openSealed } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import {
  everythingIn,
  FORM,
  filesIn,
  inboundParams,
  maskedAnswer,
  NUMBER,
  type Peer,
  postForm,
  SENDER,
  signForm,
  until,
  untilHandedOver,
} from './gateway.fixture.ts';
import { start } from './start-gateway.fixture.ts';

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
