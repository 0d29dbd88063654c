import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import type { Call } from '../testing/fake-peers.ts';
import { DANA, KEY_ONE, KEY_TWO, TICKET_ID } from '../testing/people.ts';
import { type RunningWeb, startTestWeb } from '../testing/running-web.ts';

const TRIAGE = `POST /v1/tickets/${TICKET_ID}/ticket.triage`;
const WORDS = 'caller says the key of Maria does not turn';

describe('sending commands', () => {
  let web: RunningWeb;
  let cookie: string;
  let csrf: string;
  before(async () => {
    web = await startTestWeb();
    web.peers.answers.set(TRIAGE, () => ({ ticket: { id: TICKET_ID, state: 'TRIAGED' }, replayed: false }));
    web.peers.answers.set(`POST /v1/tickets/${TICKET_ID}/ticket.ready`, () => {
      throw new DispatchError('invalid_state', { extra: { from_state: 'NEW', allowed_from: ['TRIAGED'] } });
    });
    ({ cookie, csrf } = await web.signIn(DANA));
  });
  after(() => web.close());

  const triage = (input: object = { type: 'DOOR_WONT_LATCH', answers: [] }, key = KEY_ONE) => ({
    target_id: TICKET_ID,
    input,
    idempotency_key: key,
  });
  const post = (command: string, body: unknown, headers: Record<string, string> = {}) =>
    web.ask(`/api/commands/${command}`, {
      method: 'POST',
      headers: {
        origin: web.origin,
        cookie,
        'x-csrf-token': csrf,
        'content-type': 'application/json',
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const reached = (route: string): Call[] => web.peers.calls.filter((call) => call.route === route);

  test('goes to dispatch-api signed, under the person’s token and the page’s own key; the answer comes back', async () => {
    verifies('T4.1', 'A.2');
    const answer = await post('ticket.triage', triage());
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { ticket: { id: TICKET_ID, state: 'TRIAGED' }, replayed: false });
    const [call] = reached(TRIAGE);
    assert.equal(call?.idempotencyKey, KEY_ONE);
    assert.match(call?.token ?? '', /danadispatcher$/);
    assert.deepEqual(call?.body, { type: 'DOOR_WONT_LATCH', answers: [] });
  });

  test('nothing leaves without a session, its CSRF token and our own origin', async () => {
    verifies('C.0');
    const before = web.peers.calls.length;
    const denied: Record<string, Record<string, string>> = {
      'no session': { cookie: '' },
      'no csrf token': { 'x-csrf-token': '' },
      'csrf token of another session': { 'x-csrf-token': 'A'.repeat(43) },
      'another origin': { origin: 'http://evil.example' },
      'a look-alike origin': { origin: `${web.origin}.evil.example` },
      'a null origin': { origin: 'null' },
      'another site': { 'sec-fetch-site': 'cross-site' },
      'the session twice': { cookie: `${cookie}; ${cookie}` },
    };
    for (const [name, headers] of Object.entries(denied)) {
      const answer = await post('ticket.triage', triage(), headers);
      assert.equal(answer.status, 401, name);
      assert.equal(answer.json?.code, 'unauthenticated', name);
    }
    const { origin: _, ...withoutOrigin } = { origin: '', cookie, 'x-csrf-token': csrf };
    const noOrigin = await web.ask('/api/commands/ticket.triage', {
      method: 'POST',
      headers: { ...withoutOrigin, 'content-type': 'application/json' },
      body: JSON.stringify(triage()),
    });
    assert.equal(noOrigin.status, 401);
    assert.equal(web.peers.calls.length, before, 'no peer was called');
  });

  test('a refusal comes back with its code and what would be needed', async () => {
    const answer = await post('ticket.ready', triage({}));
    assert.equal(answer.status, 409);
    assert.equal(answer.json?.code, 'invalid_state');
    assert.deepEqual(answer.json?.allowed_from, ['TRIAGED']);
    assert.equal(answer.json?.from_state, 'NEW');
  });

  test('what web may never send does not exist here', async () => {
    verifies('T1.1');
    for (const name of [
      'approval.decide',
      'act.confirm',
      'message.receive',
      'conversation.reply',
      'approval.expire',
      'constructor',
    ]) {
      const answer = await post(name, { ...triage({}), target_id: null });
      assert.equal(answer.status, 404, name);
      assert.equal(answer.json?.code, 'unknown_command', name);
    }
  });

  test('a call of another form is refused before anything is sent', async () => {
    verifies('I.1', 'I.2', 'I.4', 'C.1');
    const before = web.peers.calls.length;
    const bodies: Record<string, unknown> = {
      'no key': { target_id: TICKET_ID, input: {} },
      'a key that is no uuid': triage({}, 'again'),
      'an unknown member': { ...triage(), subject: 'staff:somebody' },
      'a target that climbs': { ...triage(), target_id: '../../approvals' },
      'no target': { ...triage(), target_id: null },
      'input that is no object': { ...triage(), input: 'x' },
      'a key twice': `{"target_id":"${TICKET_ID}","input":{},"input":{},"idempotency_key":"${KEY_ONE}"}`,
      'no json': '{',
    };
    for (const [name, body] of Object.entries(bodies)) {
      const answer = await post('ticket.triage', body);
      assert.equal(answer.status, 400, name);
    }
    assert.equal(web.peers.calls.length, before);
  });

  test('words go to the vault and nowhere else; the command carries their handle', async () => {
    verifies('T5.2');
    const answer = await post(
      'ticket.triage',
      triage({ type: 'DOOR_WONT_LATCH', answers: [], reason: { text: WORDS } }, KEY_TWO),
    );
    assert.equal(answer.status, 200);
    const holding = web.peers.calls.filter((call) => JSON.stringify(call).includes('Maria'));
    assert.deepEqual(
      holding.map((call) => call.service),
      ['vault'],
    );
    assert.deepEqual(reached(TRIAGE).at(-1)?.body, {
      type: 'DOOR_WONT_LATCH',
      answers: [],
      reason: { text_id: '01900000-0000-7000-8000-00000000abcd', commitment: 'c'.repeat(43) },
    });
    assert.doesNotMatch(answer.text, /Maria/);
  });

  test('a handle that the client brings is refused: it could name another person’s words', async () => {
    verifies('T5.2', 'C.0');
    const before = web.peers.calls.length;
    const handle = { text_id: '01900000-0000-7000-8000-00000000abcd', commitment: 'c'.repeat(43) };
    for (const reason of [handle, { ...handle, text: WORDS }, 'words', null, [{ text: WORDS }]]) {
      const answer = await post(
        'ticket.triage',
        triage({ type: 'DOOR_WONT_LATCH', answers: [], reason }, KEY_ONE),
      );
      assert.deepEqual([answer.status, answer.json?.code], [400, 'schema_mismatch'], JSON.stringify(reason));
    }
    const sent = web.peers.calls.slice(before).filter((call) => !call.route.startsWith('POST /v1/tokens'));
    assert.deepEqual(sent, [], 'neither the vault nor dispatch-api was called');
  });

  test('sending again has the same bytes and seals nothing anew; other words are sealed', async () => {
    verifies('R.2');
    const sealed = () => reached('POST /v1/texts').length;
    const before = sealed();
    const call = triage({ type: 'DOOR_WONT_LATCH', answers: [], reason: { text: WORDS } }, KEY_TWO);
    await post('ticket.triage', call);
    await post('ticket.triage', call);
    assert.equal(sealed(), before);
    const [last, previous] = reached(TRIAGE).reverse();
    assert.deepEqual(last?.body, previous?.body);
    await post(
      'ticket.triage',
      triage({ type: 'DOOR_WONT_LATCH', answers: [], reason: { text: 'other words' } }, KEY_TWO),
    );
    assert.equal(sealed(), before + 1);
  });

  test('empty and endless words are refused, and an ended session seals nothing', async () => {
    const before = reached('POST /v1/texts').length;
    for (const text of ['', '   ', 'x'.repeat(4_001)]) {
      const answer = await post(
        'ticket.triage',
        triage({ type: 'DOOR_WONT_LATCH', answers: [], reason: { text } }),
      );
      assert.equal(answer.json?.code, 'schema_mismatch');
    }
    const gone = await web.signIn(DANA);
    await web.ask('/api/sign-out', {
      method: 'POST',
      headers: {
        origin: web.origin,
        cookie: gone.cookie,
        'x-csrf-token': gone.csrf,
        'content-type': 'application/json',
      },
      body: '{}',
    });
    const answer = await post(
      'ticket.triage',
      triage({ type: 'DOOR_WONT_LATCH', answers: [], reason: { text: 'late' } }),
      { cookie: gone.cookie, 'x-csrf-token': gone.csrf },
    );
    assert.equal(answer.status, 401);
    assert.equal(reached('POST /v1/texts').length, before);
  });

  test('a kept token that is refused is replaced once; a session that is over stays refused', async () => {
    web.peers.tokens.clear();
    assert.equal((await post('ticket.triage', triage())).status, 200);
    web.peers.tokens.clear();
    web.peers.sessions.clear();
    const denied = await post('ticket.triage', triage());
    assert.equal(denied.status, 401);
    ({ cookie, csrf } = await web.signIn(DANA));
  });

  test('a peer that is gone is a refusal', async () => {
    verifies('C.6');
    const lonely = await startTestWeb();
    const person = await lonely.signIn(DANA);
    await lonely.peers.close();
    const answer = await lonely.ask('/api/commands/ticket.triage', {
      method: 'POST',
      headers: {
        origin: lonely.origin,
        cookie: person.cookie,
        'x-csrf-token': person.csrf,
        'content-type': 'application/json',
      },
      body: JSON.stringify(triage()),
    });
    assert.equal(answer.status, 503);
    await lonely.close();
  });

  test('the catalogue offers forms with words where the gate takes handles', async () => {
    assert.equal((await web.ask('/api/catalogue')).status, 401);
    const { json, text } = await web.ask('/api/catalogue', { headers: { cookie } });
    const commands = json?.commands as {
      name: string;
      roles: string[];
      from: string[];
      input: { properties: Record<string, unknown> };
    }[];
    const names = commands.map((command) => command.name);
    assert.ok(names.includes('tech.complete'));
    assert.ok(!names.includes('approval.decide') && !names.includes('message.receive'));
    assert.ok(commands.every((command) => command.roles.length > 0));
    assert.doesNotMatch(text, /commitment/);
    assert.deepEqual(commands.find(({ name }) => name === 'tech.start')?.from, ['ON_SITE']);
    assert.deepEqual(commands.find(({ name }) => name === 'ticket.create')?.from, []);
    const triageForm = commands.find((command) => command.name === 'ticket.triage');
    assert.deepEqual(triageForm?.input.properties.reason, {
      type: 'object',
      required: ['text'],
      properties: { text: { type: 'string', minLength: 1, maxLength: 4_000 } },
      'x-source': 'free_text',
    });
  });
});
