import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { ServiceName } from '@deadlatch/catalogue';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld } from '../../support/dispatch-api.ts';
import {
  alone,
  createWire,
  exchange,
  person,
  type Wire,
  type WireRequest,
  withExtra,
} from '../../support/wire.ts';

/** The trace of a request to the authority, with nobody who collects: who may choose it, and where it is kept. */
const CANARY = 'maria.lopez@example.test';
let world: DispatchWorld;
let wire: Wire;
let port: number;

before(async () => {
  world = await createDispatchWorld();
  ({ port } = await world.start());
  wire = createWire(world, port);
});
after(() => world.close());

const hex = (bytes: number) => randomBytes(bytes).toString('hex');
const dana = (service: ServiceName = 'web') => person('staff', world.tenant.staff.dana, service);
const create = () => wire.prepare(dana(), 'ticket.create', null, { site_id: world.tenant.siteId });

/** What the trail and the outbox hold of the trace of one request. */
async function kept(
  sent: WireRequest,
): Promise<{ status: number; events: (string | null)[]; outbox: unknown[] }> {
  const { rows: before } = await world.admin.query<{ n: number }>(
    'select count(*)::int as n from audit.events',
  );
  const { status } = await wire.send(sent);
  const { rows } = await world.admin.query<{ trace: string | null; outbox: unknown[] }>(
    `select convert_from(e.body, 'UTF8')::jsonb ->> 'trace_id' as trace,
            array(select o.payload ->> 'traceparent' from dispatch.outbox o where o.event_id = e.id) as outbox
       from audit.events e order by e.at, e.id offset $1`,
    [before[0]?.n ?? 0],
  );
  return { status, events: rows.map((row) => row.trace), outbox: rows.flatMap((row) => row.outbox) };
}

test('the trace of a proven service stands in the event, accepted or refused', async () => {
  verifies('F.3', 'F.6');
  const refused = wire.prepare(dana(), 'ticket.create', null, { site_id: CANARY });
  for (const [sent, status] of [
    [create(), 200],
    [refused, 400],
    [wire.prepare(dana(), 'no.such_command', null, {}), 404],
  ] as const) {
    const trace = hex(16);
    const found = await kept(withExtra(sent, 'traceparent', `00-${trace}-${hex(8)}-01`));
    assert.deepEqual(found.events, [trace], String(status));
  }
});

test('what is not proven chooses no trace: nothing is written in its name', async () => {
  verifies('F.3', 'T4.3');
  const trace = hex(16);
  const traced = withExtra(create(), 'traceparent', `00-${trace}-${hex(8)}-01`);
  const spoiled = { ...traced, body: Buffer.from('{"site_id":"other"}') };
  const found = await kept(spoiled);
  assert.deepEqual([found.status, found.events], [401, []]);
});

test('a trace that cannot be read is none: there is one all the same, and no word of it is kept', async () => {
  verifies('F.3', 'T5.4');
  const seen = new Set<string | null>();
  for (const traceparent of [
    null,
    CANARY,
    `00-${'0'.repeat(32)}-${hex(8)}-01`,
    `00-${hex(16)}-${hex(8)}-01-${CANARY}`,
  ]) {
    const sent = traceparent === null ? create() : withExtra(create(), 'traceparent', traceparent);
    const told = withExtra(withExtra(sent, 'tracestate', `who=${CANARY}`), 'baggage', `who=${CANARY}`);
    const { status, events } = await kept(told);
    assert.equal(status, 200);
    assert.match(events[0] ?? '', /^[0-9a-f]{32}$/);
    seen.add(events[0] ?? null);
  }
  assert.equal(seen.size, 4);
  // Of two there is no telling which is meant.
  const [one, other] = [hex(16), hex(16)];
  const twice = withExtra(create(), 'traceparent', `00-${one}-${hex(8)}-01`);
  const { events } = await kept(withExtra(twice, 'traceparent', `00-${other}-${hex(8)}-01`));
  assert.equal(events.length, 1);
  assert.ok(![one, other].includes(events[0] ?? ''));
  const { rows } = await world.admin.query(
    `select count(*)::int as n from audit.events where convert_from(body, 'UTF8') like '%${CANARY}%'`,
  );
  assert.equal(rows[0].n, 0);
});

test('what a command leaves to be done goes on with its trace', async () => {
  verifies('F.3');
  const [trace, provider] = [hex(16), `SM${hex(16)}`];
  const sent = wire.prepare(alone('gateway'), 'message.receive', null, {
    channel: 'sms',
    provider_id: provider,
    contact_id: world.tenant.contacts.maria,
    sender_hash: 'A'.repeat(43),
    doubts: [],
    received_at: new Date().toISOString(),
    text_id: world.tenant.siteId,
    mask_state: 'RELEASED',
    masked_text: 'the door is stuck',
  });
  const found = await kept(withExtra(sent, 'traceparent', `00-${trace}-${hex(8)}-01`));
  assert.equal(found.status, 200);
  assert.ok(found.outbox.length > 0);
  for (const traceparent of found.outbox)
    assert.match(String(traceparent), new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
  const { rows } = await world.admin.query<{ grant: string }>(
    `select payload ->> 'turn_grant' as grant from dispatch.outbox where kind = 'agent.wake' and payload ->> 'traceparent' like $1`,
    [`00-${trace}-%`],
  );
  const claims = JSON.parse(Buffer.from(rows[0]?.grant.split('.')[1] ?? '', 'base64url').toString());
  assert.equal(claims.traceparent, found.outbox[0]);
});

test('commands are counted by name, decision and dimension; a name that somebody made up is not repeated', async () => {
  verifies('T5.1', 'T5.4');
  await wire.send(create());
  for (const name of ['zebulon.quux', 'maria', '15550102233']) {
    await wire.send(wire.prepareBytes(dana(), `/v1/${name}`, Buffer.from('{}')));
    await wire.send(wire.prepareBytes(dana(), `/v1/tickets/${name}/${name}`, Buffer.from('{}')));
  }
  const answer = await exchange(port, {
    method: 'GET',
    target: '/metrics',
    headers: [],
    body: Buffer.alloc(0),
  });
  const metrics = String(answer.body);
  assert.match(
    metrics,
    /^deadlatch_commands_total\{command="ticket.create",decision="accepted",dimension="none"\} [1-9]/m,
  );
  assert.match(
    metrics,
    /^deadlatch_commands_total\{command="unknown",decision="refused",dimension="tool"\} [1-9]/m,
  );
  assert.match(
    metrics,
    /^deadlatch_http_request_duration_seconds_count\{method="POST",route="\/v1\/:command",status="2xx"\} [1-9]/m,
  );
  assert.doesNotMatch(metrics, /zebulon|quux|maria|15550102233/i);
});
