import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifies } from '../../requirements.ts';
import { createDatabaseLine, type DatabaseLine } from '../../support/database-line.ts';
import { createDispatchWorld, type DispatchWorld, type Replica } from '../../support/dispatch-api.ts';
import { type Crew, createCrew, inbound } from '../../support/job.ts';
import { randomPicture } from '../../support/pictures.ts';
import { REFUSAL_WRITES, storedEvents, tableState } from '../../support/table-state.ts';
import { alone, createWire, stepUp, type Wire, type WireRequest } from '../../support/wire.ts';

/** What the authority needs is taken away: it refuses, and nothing has happened when it is back. */
let world: DispatchWorld;
let replica: Replica;
let wire: Wire;
let crew: Crew;
let line: DatabaseLine;

before(async () => {
  line = createDatabaseLine();
  world = await createDispatchWorld({ databaseUrl: line.leadTo });
  replica = await world.start();
  wire = createWire(world, replica.port);
  crew = createCrew(world, wire);
});
after(async () => {
  await world.close();
  await line.close();
});

const site = () => ({ site_id: world.tenant.siteId });
const create = () => wire.command(crew.dana, 'ticket.create', null, site());

async function unavailableWithoutTrace(
  work: () => Promise<{ status: number; code: string; type: string }>,
  ...without: readonly string[]
) {
  const before = await tableState(world.admin, ...without);
  const answer = await work();
  assert.deepEqual(
    [answer.status, answer.code, answer.type],
    [503, 'unavailable', 'application/problem+json'],
  );
  assert.deepEqual(await tableState(world.admin, ...without), before);
}

async function comesBack(): Promise<void> {
  const deadline = Date.now() + 10_000;
  while ((await create()).status !== 200) {
    assert.ok(Date.now() < deadline, 'did not come back');
    await sleep(50);
  }
}

describe('without its database', () => {
  test('every command and read is refused, readiness says so, and it comes back by itself', async () => {
    verifies('C.6');
    const id = await crew.ticket();
    await line.cut();
    await unavailableWithoutTrace(create);
    await unavailableWithoutTrace(() => wire.command(crew.dana, 'ticket.ready', id, {}));
    await unavailableWithoutTrace(() =>
      wire.command(alone('gateway'), 'message.receive', null, inbound(world.tenant.contacts.maria)),
    );
    await unavailableWithoutTrace(() => wire.read(crew.dana, '/v1/tickets'));
    await unavailableWithoutTrace(() => wire.read(crew.dana, '/readyz'));
    assert.equal((await wire.read(crew.dana, '/livez')).status, 200);
    // What is no request of ours is refused as such: an outage is not a way to learn who is known.
    const stranger = { method: 'POST', target: '/v1/ticket.create', headers: [], body: Buffer.from('{}') };
    assert.ok((await wire.send(stranger)).status >= 400);
    await line.mend();
    await comesBack();
  });

  test('a request that met an outage can be sent again under its key', async () => {
    verifies('C.6', 'R.1', 'R.2');
    const key = randomUUID();
    const ask = () => wire.command(crew.dana, 'ticket.create', null, site(), { key });
    await line.cut();
    await unavailableWithoutTrace(ask);
    await line.mend();
    await comesBack();
    const [first, second] = [await ask(), await ask()];
    assert.deepEqual([first.body.replayed, second.body.replayed], [false, true]);
    assert.equal(first.body.ticket.id, second.body.ticket.id);
  });

  test('a server that ends its sessions and takes no more is an outage too', async () => {
    verifies('C.6');
    const { name } = world.database;
    await world.admin.query(
      `alter role deadlatch_dispatch in database ${name} set default_transaction_read_only = on`,
    );
    await world.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = 'deadlatch_dispatch'`,
      [name],
    );
    await sleep(50);
    await unavailableWithoutTrace(create);
    await world.admin.query(
      `alter role deadlatch_dispatch in database ${name} reset default_transaction_read_only`,
    );
    await world.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = 'deadlatch_dispatch'`,
      [name],
    );
    await comesBack();
  });
});

describe('what only the database refuses', () => {
  /** Sends the same bytes twice: the first is refused by the database, the second is a replay. */
  const refusedOnce = async (sent: WireRequest, status: number, code: string) => {
    const held = await tableState(world.admin, ...REFUSAL_WRITES);
    const trail = (await storedEvents(world.admin, world.tenant.tenantId)).length;
    const first = await wire.send(sent);
    const again = await wire.send(sent);
    assert.deepEqual([first.status, first.code], [status, code]);
    assert.deepEqual([again.status, again.code], [401, 'unauthenticated'], 'the nonce is burned');
    assert.deepEqual(await tableState(world.admin, ...REFUSAL_WRITES), held);
    const events = (await storedEvents(world.admin, world.tenant.tenantId)).slice(trail);
    assert.deepEqual(
      events.map((e) => [e.decision, e.body.code]),
      [['refused', code]],
    );
  };

  test('a rule that no correct decision runs into leaves its event and burns the nonce', async () => {
    verifies('F.6', 'C.6', 'T4.3');
    await world.admin.query('alter table dispatch.tickets add constraint closed check (false) not valid');
    await refusedOnce(wire.prepare(crew.dana, 'ticket.create', null, site()), 503, 'unavailable');
    await world.admin.query('alter table dispatch.tickets drop constraint closed');
    assert.equal((await create()).status, 200);
  });

  test('a consumed token leaves its event and burns the nonce', async () => {
    verifies('F.6', 'T3.4', 'T4.3');
    const job = await crew.started();
    const { approvalId, digest } = await crew.asksForMoney(job, 20_000);
    const txn = randomUUID();
    const body = { decision: 'APPROVE', action_digest: digest };
    await world.admin.query('insert into dispatch.consumed_tokens (tenant_id, txn) values ($1, $2)', [
      world.tenant.tenantId,
      txn,
    ]);
    const approver = world.tenant.contacts.alan;
    const used = wire.prepare(stepUp(approver, digest, { txn }), 'approval.decide', approvalId, body);
    await refusedOnce(used, 401, 'unauthenticated');
    const fresh = await wire.command(stepUp(approver, digest), 'approval.decide', approvalId, body);
    assert.equal(fresh.status, 200);
  });
});

describe('no trail, no act', () => {
  test('when an event cannot be written, nothing is done, and a refusal is an outage', async () => {
    verifies('C.6', 'F.1', 'F.6', 'T4.7');
    const id = await crew.ticket();
    await world.admin.query(
      'revoke insert (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body) on audit.events from deadlatch_dispatch',
    );
    await unavailableWithoutTrace(create);
    await unavailableWithoutTrace(() => wire.command(crew.dana, 'ticket.ready', id, {}));
    await unavailableWithoutTrace(() => wire.command(crew.dana, 'ticket.destroy', id, {}));
    await world.admin.query(
      'grant insert (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body) on audit.events to deadlatch_dispatch',
    );
    assert.equal((await create()).status, 200);
    assert.equal((await wire.command(crew.dana, 'ticket.ready', id, {})).code, 'invalid_state');
  });

  test('nor when nonces, stored answers, effects or the outbox cannot be written', async () => {
    verifies('C.6', 'T4.3', 'T4.7');
    const grants: readonly (readonly [string, string])[] = [
      ['dispatch.nonces', 'keyid, nonce, created'],
      [
        'dispatch.idempotency',
        'tenant_id, service, subject, command, path, key, fingerprint, answer, event_id',
      ],
      [
        'audit.effects',
        'tenant_id, object, object_id, version, command, before_state, after_state, event_id',
      ],
      ['dispatch.outbox', 'tenant_id, id, event_id, kind, ref_id, order_key, payload'],
    ];
    const ask = () => wire.command(crew.maria, 'ticket.create', null, site());
    for (const [table, columns] of grants) {
      await world.admin.query(`revoke insert (${columns}) on ${table} from deadlatch_dispatch`);
      // A refusal needs its nonce and its event, and nothing else.
      await unavailableWithoutTrace(ask, ...(table === 'dispatch.nonces' ? [] : REFUSAL_WRITES));
      await world.admin.query(`grant insert (${columns}) on ${table} to deadlatch_dispatch`);
      assert.equal((await ask()).status, 200, table);
    }
  });

  test('nor when the object store is gone: evidence is not taken on anybody’s word', async () => {
    verifies('C.4', 'C.6');
    const id = await crew.ticket();
    const bytes = randomPicture();
    const asked = await crew.does(crew.dana, 'evidence.presign', id, {
      key: 'photo.before.opening',
      content_type: 'image/png',
      size_bytes: bytes.byteLength,
      sha256: '0'.repeat(64),
    });
    const { evidence_id: evidenceId, upload_url: target } = asked.body.result;
    const uploads = join(world.objects, 'uploads');
    await rm(uploads, { recursive: true, force: true });
    await writeFile(uploads, '');
    const put = { method: 'PUT', target, headers: [['content-type', 'image/png']], body: bytes } as const;
    await unavailableWithoutTrace(() => wire.send(put));
    await unavailableWithoutTrace(() =>
      wire.command(crew.dana, 'evidence.finalize', id, { evidence_id: evidenceId }),
    );
    await rm(uploads);
    await mkdir(uploads);
    assert.equal((await wire.send(put)).status, 204);
  });
});

describe('kill -9', () => {
  test('in the middle of many commands loses none that was answered and repeats none', async () => {
    verifies('R.1', 'R.2');
    const keys = Array.from({ length: 60 }, () => randomUUID());
    const ask = (key: string) => wire.command(crew.dana, 'ticket.create', null, site(), { key });
    const before = await world.admin.query('select count(*)::int as n from dispatch.tickets');
    const first = keys.map((key) => ask(key).catch(() => null));
    await first[5];
    await replica.kill();
    const answered = await Promise.all(first);
    replica = await world.start(replica.port);
    const second = await Promise.all(keys.map(ask));
    assert.ok(second.every(({ status }) => status === 200));
    answered.forEach((answer, i) => {
      if (answer?.status !== 200) return;
      assert.deepEqual([second[i]?.body.replayed, second[i]?.body.ticket.id], [true, answer.body.ticket.id]);
    });
    const after = await world.admin.query('select count(*)::int as n from dispatch.tickets');
    assert.equal(after.rows[0].n - before.rows[0].n, keys.length);
  });
});
