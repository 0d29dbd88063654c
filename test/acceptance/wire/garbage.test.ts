import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { COMMANDS, READS } from '@deadlatch/catalogue';
import { verifies } from '../../requirements.ts';
import type { DispatchWorld, Replica } from '../../support/dispatch-api.ts';
import { REFUSAL_WRITES, storedEvents, tableState } from '../../support/table-state.ts';
import {
  type Actor,
  alone,
  createWire,
  pathOf,
  person,
  type Wire,
  type WireAnswer,
  type WireRequest,
  withExtra,
  withHeader,
} from '../../support/wire.ts';
import { createWitnessedWorld } from '../../support/witnessed-world.ts';

/** Bytes that make no sense, at every edge of a running service. */
let world: DispatchWorld;
let replica: Replica;
let wire: Wire;
let ticketId: string;

before(async () => {
  world = await createWitnessedWorld();
  replica = await world.start();
  wire = createWire(world, replica.port);
  const created = await wire.command(dana(), 'ticket.create', null, { site_id: world.tenant.siteId });
  ticketId = created.body.ticket.id;
});
after(() => world.close());

const dana = () => person('staff', world.tenant.staff.dana);

/** A problem document, the sender's fault, and nothing changed but the trail of a known caller. */
async function refused(sent: WireRequest, isAudited: boolean): Promise<WireAnswer> {
  const before = await tableState(world.admin, ...REFUSAL_WRITES);
  const trail = await storedEvents(world.admin, world.tenant.tenantId);
  const answer = await wire.send(sent);
  const { status, code, body } = answer;
  assert.ok(status >= 400 && status < 500, `${sent.target}: ${status} ${code}`);
  assert.equal(answer.type, 'application/problem+json');
  assert.deepEqual(
    [body.type, body.status, typeof body.dimension, typeof body.request_id],
    [`urn:deadlatch:problem:${code}`, status, 'string', 'string'],
  );
  assert.deepEqual(await tableState(world.admin, ...REFUSAL_WRITES), before);
  const written = (await storedEvents(world.admin, world.tenant.tenantId)).slice(trail.length);
  assert.deepEqual(
    written.map((e) => [e.decision, e.body.code, e.body.dimension]),
    isAudited ? [['refused', code, body.dimension]] : [],
  );
  return answer;
}

const triageBytes = (body: Buffer) => wire.prepareBytes(dana(), pathOf('ticket.triage', ticketId), body);
const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** Bodies that are no JSON of ours, and the code they get. */
const BODIES: Readonly<Record<string, readonly [body: string | Buffer, code: string]>> = {
  'no bytes': ['', 'malformed_body'],
  'no JSON': ['{"type":', 'malformed_body'],
  'two values': ['{}{}', 'malformed_body'],
  'a duplicate key': [
    '{"type":"DOOR_WONT_LATCH","type":"DOOR_CANNOT_SECURE","answers":[]}',
    'malformed_body',
  ],
  'a duplicate key, escaped': ['{"type":"A","\\u0074ype":"B","answers":[]}', 'malformed_body'],
  'a prototype': ['{"__proto__":{"type":"DOOR_WONT_LATCH"}}', 'malformed_body'],
  'bad UTF-8': [Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 'malformed_body'],
  'a byte-order mark': [Buffer.from('\ufeff{}'), 'malformed_body'],
  'half a surrogate': ['{"type":"\\ud800"}', 'malformed_body'],
  'a zero character': ['{"type":"DOOR\\u0000","answers":[]}', 'malformed_body'],
  'a number too large': ['{"priority":1e400}', 'malformed_body'],
  'too deep': [deep(200), 'malformed_body'],
  'a list': ['[]', 'schema_mismatch'],
  null: ['null', 'schema_mismatch'],
  'a text': ['"ticket.triage"', 'schema_mismatch'],
  'an unknown field': ['{"type":"DOOR_WONT_LATCH","answers":[],"nte_cents":1000000}', 'schema_mismatch'],
  'a missing field': ['{"answers":[]}', 'schema_mismatch'],
  'a wrong type': ['{"type":7,"answers":[]}', 'schema_mismatch'],
  'an unknown choice': ['{"type":"EVERYTHING","answers":[]}', 'schema_mismatch'],
  'an inherited name': ['{"type":"constructor","answers":[]}', 'schema_mismatch'],
  'a list that is too long': [
    JSON.stringify({
      type: 'DOOR_WONT_LATCH',
      answers: Array(100).fill({ question: 'which_door', answer: 'no' }),
    }),
    'schema_mismatch',
  ],
};

describe('a body that makes no sense', () => {
  for (const [name, [body, code]] of Object.entries(BODIES)) {
    test(name, async () => {
      verifies('I.1', 'I.2', 'I.4', 'C.0', 'F.6');
      assert.equal((await refused(triageBytes(Buffer.from(body)), true)).code, code);
    });
  }

  test('every command refuses a body that is not its own', async () => {
    verifies('I.1', 'I.2');
    const senders: Readonly<Record<string, Actor>> = {
      'message.receive': alone('gateway'),
      'message.report_delivery': alone('gateway'),
      'approval.expire': alone('worker'),
      'choice.make': alone('web'),
      'visit.escalate': alone('worker'),
      'visit.miss': alone('worker'),
      'suggestion.expire': alone('worker'),
    };
    // By turns: what one caller is refused too often in a minute is counted and not written each time.
    const staff = [world.tenant.staff.dana, world.tenant.staff.sue].map((id) => person('staff', id));
    const wrong = { 'x-unknown': { '': [] } };
    for (const [at, { name, target }] of COMMANDS.entries()) {
      if (['approval.decide', 'act.confirm', 'conversation.reply'].includes(name)) continue;
      const id = target === 'none' ? null : ticketId;
      const answer = await refused(
        wire.prepare(senders[name] ?? staff[at % 2] ?? dana(), name, id, wrong),
        true,
      );
      assert.equal(answer.code, 'schema_mismatch', name);
    }
  });

  test('values that a database could not hold are the sender’s fault', async () => {
    verifies('I.1', 'I.4');
    const inbound = {
      channel: 'sms',
      provider_id: 'SM1',
      sender_hash: 'h'.repeat(43),
      doubts: ['unknown_number'],
      received_at: new Date().toISOString(),
      text_id: randomUUID(),
      mask_state: 'RELEASED',
      masked_text: 'the door',
    };
    const wrong = [
      { masked_text: 'a\u0000b', contact_id: world.tenant.contacts.maria, doubts: [] },
      { provider_id: 'a\u0000b' },
      { channel: '\u0000' },
      { received_at: '2026-13-45T99:99:99.999Z' },
      { received_at: '2026-02-30T00:00:00.000Z' },
      { received_at: '0000-01-01T00:00:00.000Z' },
      { contact_id: 'not-an-id' },
      { provider_id: 'S'.repeat(5_000) },
    ];
    for (const change of wrong) {
      await refused(wire.prepare(alone('gateway'), 'message.receive', null, { ...inbound, ...change }), true);
    }
    assert.equal((await wire.command(alone('gateway'), 'message.receive', null, inbound)).status, 200);
  });
});

describe('an address that makes no sense', () => {
  test('unknown commands and foreign, unknown or malformed ids', async () => {
    verifies('I.4', 'A.3b', 'A.3c', 'F.6');
    const other = await world.addTenant();
    const theirs = {
      ...dana(),
      claims: { sub: `staff:${other.staff.dana}`, scope: 'person', tenant: other.tenantId },
    };
    const foreign = (await wire.command(theirs, 'ticket.create', null, { site_id: other.siteId })).body.ticket
      .id;
    const cases: readonly (readonly [target: string, code: string])[] = [
      ['/v1/ticket.destroy', 'unknown_command'],
      ['/v1/constructor', 'unknown_command'],
      ['/v1/__proto__', 'unknown_command'],
      [`/v1/tickets/${ticketId}/toString`, 'unknown_command'],
      [`/v1/tickets/${ticketId}/ticket.create`, 'unknown_command'],
      [`/v1/approvals/${ticketId}/ticket.ready`, 'unknown_command'],
      [`/v1/invoices/${ticketId}/ticket.ready`, 'unknown_command'],
      [`/v1/tickets/${ticketId}/ticket.ready?x=1`, 'unknown_command'],
      [`/v1/tickets/${foreign}/ticket.ready`, 'not_found'],
      [`/v1/tickets/${randomUUID()}/ticket.ready`, 'not_found'],
      ['/v1/tickets/1/ticket.ready', 'not_found'],
      ['/v1/tickets/$&/ticket.ready', 'not_found'],
      [`/v1/tickets/${ticketId.toUpperCase()}/ticket.ready`, 'not_found'],
      ["/v1/tickets/'or'1'='1/ticket.ready", 'not_found'],
    ];
    const answers = new Map<string, WireAnswer>();
    for (const [target, code] of cases) {
      const answer = await refused(wire.prepareBytes(dana(), target, Buffer.from('{}')), true);
      assert.equal(answer.code, code, target);
      answers.set(target, answer);
    }
    const shown = (target: string) => ({ ...answers.get(target)?.body, request_id: '' });
    assert.deepEqual(
      shown(`/v1/tickets/${foreign}/ticket.ready`),
      shown('/v1/tickets/1/ticket.ready'),
      'foreign and unknown look alike',
    );
  });

  test('very long ones are refused before anybody is known', async () => {
    verifies('I.4');
    for (const length of [200, 1_900, 10_000, 100_000]) {
      const sent = {
        ...triageBytes(Buffer.from('{}')),
        target: `/v1/tickets/${'a'.repeat(length)}/ticket.ready`,
      };
      await refused(sent, false);
    }
  });
});

describe('a reader who asks nonsense', () => {
  test('gets a problem document, whatever it is', async () => {
    verifies('I.4', 'C.0', 'T5.6');
    const targets = [
      '/v1/tickets?state=new',
      '/v1/tickets?state=NEW&state=OLD',
      '/v1/tickets?limit=1000',
      '/v1/tickets?priority=urgent',
      '/v1/tickets?site=114',
      '/v1/tickets?mine=false',
      '/v1/tickets?after=1',
      ...[
        `1_2026-01-01T00:00:00.000Z_${randomUUID()}`,
        ...['9999-99-99T99:99:99.999Z', '2026-02-30T00:00:00.000Z', '0000-01-01T00:00:00.000Z'].map((at) =>
          Buffer.from(`1_${at}_${randomUUID()}`).toString('base64url'),
        ),
        Buffer.from(`7_2026-01-01T00:00:00.000Z_${randomUUID()}`).toString('base64url'),
      ].map((after) => `/v1/tickets?after=${after}`),
      '/v1/tickets/1',
      `/v1/tickets/${randomUUID()}`,
      `/v1/tickets/${randomUUID()}/timeline`,
      '/v1/tickets/x/evidence',
      '/v1/conversations/x',
      '/v1/turn',
      '/v1/links/x',
      '/v1/step-ups/x',
      '/v1/nothing',
    ];
    const before = await tableState(world.admin, 'audit.events');
    for (const target of targets) {
      const answer = await wire.read(dana(), target);
      assert.ok(answer.status >= 400 && answer.status < 500, `${target}: ${answer.status}`);
      assert.equal(answer.type, 'application/problem+json');
    }
    assert.deepEqual(await tableState(world.admin, 'audit.events'), before);
    assert.equal((await wire.read(dana(), '/v1/tickets?state=NEW')).body.tickets.length, 1);
  });

  test('no read changes anything but the trail of refusals, whoever asks', async () => {
    verifies('T3.12');
    const before = await tableState(world.admin, 'audit.events');
    for (const { route } of READS) {
      const target = route.replace(':id', ticketId).replace(':secret', 'A'.repeat(22));
      for (const actor of [dana(), alone('gateway'), alone('identity'), alone('web')]) {
        await wire.read(actor, target);
      }
    }
    assert.deepEqual(await tableState(world.admin, 'audit.events'), before);
  });
});

describe('a stranger', () => {
  const withBody = (target: string, body: Buffer, ...headers: [string, string][]): WireRequest => ({
    method: 'POST',
    target,
    headers: headers.length === 0 ? [['content-type', 'application/json']] : headers,
    body,
  });

  test('writes nothing at all, however much they send', async () => {
    verifies('I.4', 'C.0');
    const before = await tableState(world.admin);
    const garbage: WireRequest[] = [
      withBody('/v1/ticket.create', Buffer.from('{}')),
      withBody('/v1/ticket.create', Buffer.alloc(0)),
      withBody('/v1/ticket.create', randomBytes(2_000)),
      withBody('/v1/ticket.create', Buffer.from('{}'), ['content-type', 'text/plain']),
      withBody('/v1/ticket.create', Buffer.from('{}'), ['content-type', 'application/json; charset=utf-8']),
      withBody(
        '/v1/ticket.create',
        Buffer.from('{}'),
        ['content-type', 'application/json'],
        ['content-encoding', 'gzip'],
      ),
      withBody('/v1/ticket.create', Buffer.from('{}'), ['accept', '*/*']),
      withBody(
        '/v1/ticket.create',
        Buffer.from('{}'),
        ['authorization', 'Bearer x'],
        ['content-type', 'application/json'],
      ),
      withBody('/', Buffer.from('{}')),
      withBody('/v1/tickets/1/2/3/4', Buffer.from('{}')),
      { ...withBody('/v1/tickets', Buffer.alloc(0)), method: 'GET', headers: [] },
      { ...withBody('/v1/tickets', Buffer.alloc(0)), method: 'GET', headers: [['signature', 'x']] },
      {
        ...withBody(`/uploads/${world.tenant.tenantId}/${randomUUID()}`, Buffer.from('x')),
        method: 'PUT',
        headers: [['content-type', 'image/png']] as [string, string][],
      },
    ];
    for (const sent of garbage) {
      const answer = await wire.send(sent);
      assert.ok(answer.status >= 400 && answer.status < 500, `${sent.target}: ${answer.status}`);
      assert.equal(answer.type, 'application/problem+json');
    }
    assert.deepEqual(await tableState(world.admin), before);
  });

  test('an oversize body is refused whether it says so or comes in pieces', async () => {
    verifies('I.4');
    const large = Buffer.from(JSON.stringify({ x: 'a'.repeat(70_000) }));
    const before = await tableState(world.admin);
    for (const isChunked of [false, true]) {
      assert.equal(
        (await wire.send({ ...withBody('/v1/ticket.create', large), isChunked })).code,
        'payload_too_large',
      );
      const known = { ...triageBytes(large), isChunked };
      assert.equal((await wire.send(known)).code, 'payload_too_large');
    }
    assert.deepEqual(await tableState(world.admin), before);
    const small = wire.prepare(dana(), 'ticket.create', null, { site_id: world.tenant.siteId });
    assert.equal((await wire.send({ ...small, isChunked: true })).status, 200);
  });

  test('content of another type or coding is refused even when it is signed', async () => {
    verifies('I.4');
    const sent = triageBytes(Buffer.from('{}'));
    for (const type of [
      'text/plain',
      'application/json; charset=utf-8',
      'application/x-www-form-urlencoded',
    ]) {
      assert.equal(
        (await refused(withHeader(sent, 'content-type', type), false)).code,
        'unsupported_media_type',
      );
    }
    for (const coding of ['gzip', 'identity', 'br']) {
      assert.equal(
        (await refused(withExtra(sent, 'content-encoding', coding), false)).code,
        'unsupported_media_type',
      );
    }
  });

  test('bytes that are no HTTP are answered or cut, and the service stays', async () => {
    verifies('I.4', 'C.0');
    const before = await tableState(world.admin);
    const lines = [
      'GARBAGE\r\n\r\n',
      `${randomBytes(500).toString('latin1')}\r\n\r\n`,
      'GET /v1/tickets HTTP/1.1\r\n\r\n',
      'POST /v1/ticket.create HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
      'POST /v1/ticket.create HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'GET /v1/tickets HTTP/1.1\r\nHost: a\r\nX: \u0000\r\n\r\n',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    ];
    for (const line of lines) {
      const said = await sayTo(replica.port, line);
      assert.match(said, /^HTTP\/1\.1 4\d\d /, JSON.stringify(line.slice(0, 60)));
    }
    assert.deepEqual(await tableState(world.admin), before);
    assert.equal((await wire.read(dana(), '/v1/tickets')).status, 200);
  });
});

/** Writes raw bytes and answers what came back before the connection was closed. */
function sayTo(port: number, text: string): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'));
    let said = '';
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
      socket.end();
    });
    socket.on('error', fail);
    socket.on('close', () => done(said));
  });
}
