import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { COMMANDS } from '@deadlatch/catalogue';
import { verifies } from '../../../test/requirements.ts';
import { problem } from '../../../test/support/signed-peer.ts';
import { accepted, CANARY, callTool, connect, connected, grantFor, newTurn } from './bridge.fixture.ts';

const TRIAGE = { type: 'DOOR_CANNOT_SECURE', answers: [{ question: 'open_to_public', answer: 'yes' }] };
const commandsSent = (calls: readonly { method: string; path: string }[]) =>
  calls.filter((call) => call.method === 'POST').map((call) => call.path);

test('only what dispatch-api lists for the turn appears, with the narrow schema of agents', async (t) => {
  verifies('T1.1', 'T1.5', 'A.1', 'T4.1');
  const { client, tools } = await connected(t, newTurn());
  tools.names = ['ticket.create', 'ticket.triage', 'approval.decide', 'constructor', 'nobody.knows', 7];
  const listed = (await client.listTools(undefined, { cacheMode: 'bypass' })).tools;
  assert.deepEqual(
    listed.map((tool) => tool.name),
    ['ticket.create', 'ticket.triage', 'conversation.get', 'ticket.get', 'schedule.options'],
  );
  const triage = COMMANDS.find((entry) => entry.name === 'ticket.triage');
  const schema = JSON.parse(JSON.stringify(triage?.agentInput));
  assert.deepEqual(listed.find((tool) => tool.name === 'ticket.triage')?.inputSchema, schema);
  for (const name of ['conversation.get', 'ticket.get']) {
    const read = listed.find((tool) => tool.name === name)?.inputSchema;
    assert.deepEqual(read, { type: 'object', properties: {}, additionalProperties: false });
  }
});

test('a turn without a ticket has no ticket to read', async (t) => {
  const { client } = await connected(t, newTurn(null));
  const names = (await client.listTools(undefined, { cacheMode: 'bypass' })).tools.map((tool) => tool.name);
  assert.deepEqual(names, ['ticket.create', 'ticket.triage', 'conversation.reply', 'conversation.get']);
  assert.deepEqual((await callTool(client, 'ticket.get')).value, { code: 'not_found' });
  assert.deepEqual((await callTool(client, 'ticket.triage', TRIAGE)).value, { code: 'unknown_command' });
});

test('a listed tool is sent on as a command of this turn', async (t) => {
  verifies('T1.1', 'T4.1', 'A.1', 'A.2');
  const turn = newTurn();
  const { client, api } = await connected(t, turn);
  const answer = await callTool(client, 'ticket.triage', TRIAGE);
  assert.equal(answer.isError, false);
  const sent = api.calls.at(-1);
  assert.equal(sent?.path, `/v1/tickets/${turn.ticket}/ticket.triage`);
  assert.deepEqual(sent?.body, TRIAGE);
  assert.match(sent?.token ?? '', /^[\w-]+\.[\w-]+\.[\w-]+$/);
});

test('no other name is ever sent on', async (t) => {
  verifies('T1.1', 'C.8');
  const { client, api } = await connected(t, newTurn());
  const names = [
    'ticket.ready',
    'approval.decide',
    'visit.dispatch_emergency',
    'ticket.Triage',
    'ticket.triage ',
    '../ticket.triage',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    '',
  ];
  for (const name of names) {
    const { isError, value } = await callTool(client, name);
    assert.equal(isError, true, name);
    assert.deepEqual(value, { code: 'unknown_command' }, name);
  }
  assert.deepEqual(commandsSent(api.calls), []);
});

test('a name that dispatch-api listed by mistake is not sent on when no agent may hold it', async (t) => {
  verifies('T1.1');
  const { client, api, tools } = await connected(t, newTurn());
  tools.names = ['approval.decide', 'constructor', '__proto__', 'ticket.cancel'];
  for (const name of tools.names as string[]) {
    assert.deepEqual((await callTool(client, name)).value, { code: 'unknown_command' }, name);
  }
  assert.deepEqual(commandsSent(api.calls), []);
});

test('arguments choose no subject, ticket, conversation or tenant', async (t) => {
  verifies('T1.9', 'T1.5');
  const turn = newTurn();
  const { client, api } = await connected(t, turn, (_path, body) =>
    Object.keys(body).length > 0 ? problem(400, 'schema_mismatch') : accepted(),
  );
  const other = randomUUID();
  const smuggled = {
    ticket_id: other,
    id: other,
    tenant_id: other,
    subject: `staff:${other}`,
    conversation_id: other,
    'idempotency-key': other,
  };
  const { value } = await callTool(client, 'ticket.triage', smuggled);
  assert.deepEqual(value, { code: 'schema_mismatch' });
  const sent = api.calls.at(-1);
  assert.equal(sent?.path, `/v1/tickets/${turn.ticket}/ticket.triage`);
  assert.notEqual(sent?.idempotencyKey, other);
  assert.deepEqual(sent?.body, smuggled);
  for (const name of ['conversation.get', 'ticket.get']) {
    const before = api.calls.length;
    assert.deepEqual((await callTool(client, name, { id: other })).value, { code: 'schema_mismatch' });
    assert.deepEqual(
      api.calls.slice(before).map((call) => call.path),
      ['/v1/turn'],
    );
  }
});

test('ids that dispatch-api did not mint never become part of a path', async (t) => {
  verifies('C.0');
  const turn = newTurn();
  const { client, api } = await connected(t, turn);
  const body = { turn: { id: turn.id, conversation_id: turn.conversation, ticket_id: '../tickets' } };
  api.answer = () => ({ status: 200, body: { ...body, tools: ['ticket.triage'] } });
  assert.deepEqual((await callTool(client, 'ticket.triage', TRIAGE)).value, { code: 'unavailable' });
  assert.deepEqual(commandsSent(api.calls), []);
});

test('an answer holds listed fields and nothing else', async (t) => {
  verifies('T1.3', 'T5.6');
  const id = randomUUID();
  const ticket = { id, reference: 'DL-1', state: 'TRIAGED', version: 2, priority: 'EMERGENCY' };
  const { client } = await connected(t, newTurn(), () => ({
    status: 200,
    body: {
      ticket: { ...ticket, nte_cents: 75_000, requester: CANARY },
      result: { ticket_id: id, existing: false, note: CANARY },
      tools: ['ticket.ready', { name: CANARY }],
      replayed: false,
      event_id: randomUUID(),
      debug: { stack: CANARY },
    },
  }));
  assert.deepEqual((await callTool(client, 'ticket.triage', TRIAGE)).value, {
    ticket,
    result: { ticket_id: id, existing: false },
    tools: ['ticket.ready'],
    replayed: false,
  });
  assert.deepEqual((await callTool(client, 'ticket.get')).value, {
    ticket: {
      reference: 'DL-1',
      state: 'NEW',
      version: 1,
      incident_type: null,
      priority: null,
      safety: false,
      answers: { open_to_public: 'yes' },
      missing: ['anyone_hurt'],
    },
    incident_types: { DOOR_WONT_LATCH: 2 },
  });
  const conversation = await callTool(client, 'conversation.get');
  assert.deepEqual(conversation.value, {
    entries: [
      {
        id: 'e1',
        direction: 'IN',
        mask_state: 'RELEASED',
        text: 'front door will not lock',
        template: null,
        at: '2026-01-01T00:00:00.000Z',
      },
    ],
  });
});

test('a refusal is a code, whatever the peer wrote', async (t) => {
  verifies('T1.3');
  const { client, logs } = await connected(t, newTurn(), () =>
    problem(409, 'invalid_state', {
      detail: CANARY,
      title: CANARY,
      from_state: CANARY,
      allowed_from: [CANARY],
    }),
  );
  const { isError, value, text } = await callTool(client, 'ticket.triage', TRIAGE);
  assert.equal(isError, true);
  assert.deepEqual(value, { code: 'invalid_state' });
  assert.deepEqual(text, [{ type: 'text', text: '{"code":"invalid_state"}' }]);
  assert.doesNotMatch(logs.join(''), /maria/);
});

test('whatever else a peer answers is an outage', async (t) => {
  verifies('C.6', 'T1.3');
  const { client, api } = await connected(t, newTurn());
  const cases: [string, () => { status: number; body: unknown }][] = [
    ['a code nobody knows', () => problem(418, `teapot ${CANARY}`)],
    ['the bridge itself is not accepted', () => problem(401, 'unauthenticated')],
    ['the bridge is over its ceiling', () => problem(403, 'above_ceiling')],
    ['no problem document', () => ({ status: 500, body: CANARY })],
    [
      'a cut connection',
      () => {
        throw new Error(CANARY);
      },
    ],
  ];
  const whole = api.answer;
  for (const [name, answer] of cases) {
    api.answer = (call) => (call.method === 'POST' ? answer() : whole(call));
    assert.deepEqual((await callTool(client, 'ticket.triage', TRIAGE)).value, { code: 'unavailable' }, name);
    api.answer = answer;
    assert.deepEqual((await callTool(client, 'conversation.get')).value, { code: 'unavailable' }, name);
    await assert.rejects(
      client.listTools(undefined, { cacheMode: 'bypass' }),
      (error: Error) => /unavailable/.test(error.message) && !error.message.includes('maria'),
      name,
    );
    api.answer = whole;
  }
});

test('the same call in the same turn is the same request, and in another turn another one', async (t) => {
  verifies('R.1');
  const turn = newTurn();
  const { client, api, url, keys, tools } = await connected(t, turn);
  const key = async (name: string, input: Record<string, unknown>) => {
    await callTool(client, name, input);
    return api.calls.at(-1)?.idempotencyKey;
  };
  const first = await key('ticket.triage', TRIAGE);
  assert.equal(await key('ticket.triage', { answers: TRIAGE.answers, type: TRIAGE.type }), first);
  assert.notEqual(await key('ticket.triage', { ...TRIAGE, answers: [] }), first);
  assert.notEqual(await key('ticket.create', {}), await key('conversation.reply', {}));

  const other = newTurn(turn.ticket);
  const otherClient = await connect(t, url, grantFor(other, keys.grant));
  const whole = api.answer;
  api.answer = async (call) => {
    const answer = await whole(call);
    if (call.path !== '/v1/turn') return answer;
    const body = answer.body as { turn: Record<string, unknown> };
    return { status: 200, body: { ...body, turn: { ...body.turn, id: other.id }, tools: tools.names } };
  };
  await callTool(otherClient, 'ticket.triage', TRIAGE);
  assert.notEqual(api.calls.at(-1)?.idempotencyKey, first);
});
