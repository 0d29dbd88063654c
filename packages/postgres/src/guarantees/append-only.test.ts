import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import { commitOf, newId } from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { attack, NO_GRANT, refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { createCommandPath } from '../command-path.ts';
import type { Pool } from '../pool.ts';
import { OWNER_ROLE } from '../roles.ts';
import { sql } from '../sql.ts';

let db: TestDatabase;
let pools: Record<'dispatch' | 'identity' | 'vault', Pool>;
let t: SeededTenant;
let eventId: string;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pools = {
    dispatch: testPool(db.urls.dispatch),
    identity: testPool(db.urls.identity),
    vault: testPool(db.urls.vault),
  };
  const commit = commitOf(t, 'autonomy.pause');
  await createCommandPath(pools.dispatch).commitDecision(commit);
  eventId = commit.event.id;
});
after(async () => {
  await Promise.all(Object.values(pools).map((pool) => pool.end()));
  await db.drop();
});

const insertEvent = (origin: string, id: string = newId()) => sql`
  insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
  values (${t.tenantId}, ${id}, ${origin}, 'x', 'y', 'accepted', ${newId()}, '\x7b7d')`;

/** As the tables' owner: more rights than any service has. */
async function asOwner(statement: string): Promise<string> {
  const client = new pg.Client({ connectionString: db.adminUrl });
  await client.connect();
  try {
    await client.query(`set role ${OWNER_ROLE}`);
    await client.query("select set_config('deadlatch.tenant', $1, false)", [t.tenantId]);
    return await refusalOf(client.query(statement));
  } finally {
    await client.end();
  }
}

test('the app role may add events and may not change, remove or truncate them', async () => {
  verifies('F.1');
  assert.equal(await attack(pools.dispatch, t.tenantId, insertEvent('dispatch')), 'allowed');
  for (const table of ['events', 'effects']) {
    for (const text of [
      `update audit.${table} set command = 'lie'`,
      `delete from audit.${table}`,
      `truncate audit.${table} cascade`,
    ]) {
      assert.equal(await refusalOf(pools.dispatch.query(text)), NO_GRANT, text);
    }
  }
});

test('mistake 34: TRUNCATE does not walk past the row trigger, not even as the owner', async () => {
  guardsAgainst(34);
  verifies('F.1');
  for (const table of ['audit.events', 'audit.effects', 'dispatch.completions', 'dispatch.idempotency']) {
    assert.equal(await asOwner(`truncate ${table} cascade`), 'append_only', table);
  }
  assert.equal(await asOwner(`select 1 from audit.events where id = '${eventId}'`), 'allowed');
});

test('the owner can neither change nor remove a row that is there', async () => {
  verifies('F.1');
  assert.equal(await asOwner(`update audit.events set actor = 'lie' where id = '${eventId}'`), 'append_only');
  assert.equal(await asOwner(`delete from audit.events where id = '${eventId}'`), 'append_only');
});

test("no app role writes the database's clock into an event or an effect", async () => {
  verifies('F.1');
  const backdated = sql`insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body, at)
    values (${t.tenantId}, ${newId()}, 'dispatch', 'x', 'y', 'accepted', ${newId()}, '', '1999-01-01')`;
  assert.equal(await attack(pools.dispatch, t.tenantId, backdated), NO_GRANT);
});

test('each service writes events of its own origin only', async () => {
  verifies('F.1', 'T4.5');
  const origins = ['dispatch', 'identity', 'vault', 'operator'] as const;
  for (const role of ['dispatch', 'identity', 'vault'] as const) {
    for (const origin of origins) {
      const expected = role === origin ? 'allowed' : NO_GRANT;
      assert.equal(
        await attack(pools[role], t.tenantId, insertEvent(origin)),
        expected,
        `${role} as ${origin}`,
      );
    }
  }
});

test('identity and vault add events and read none', async () => {
  for (const role of ['identity', 'vault'] as const) {
    assert.equal(await attack(pools[role], t.tenantId, sql`select 1 from audit.events`), NO_GRANT);
    assert.equal(await attack(pools[role], t.tenantId, sql`select 1 from audit.effects`), NO_GRANT);
  }
});

test('an event id is used once', async () => {
  assert.equal(await attack(pools.dispatch, t.tenantId, insertEvent('dispatch', eventId)), 'events_pkey');
});

test('a refusal is an event without an effect; a commit cannot call itself refused', async () => {
  verifies('F.6');
  const path = createCommandPath(pools.dispatch);
  const { event } = commitOf(t, 'ticket.create');
  await path.commitRefusal({ tenant_id: t.tenantId, nonce: null, event: { ...event, decision: 'refused' } });
  const commit = commitOf(t, 'ticket.create');
  await path.commitDecision({ ...commit, event: { ...commit.event, decision: 'refused' as 'accepted' } });
  assert.equal(
    await attack(
      pools.dispatch,
      t.tenantId,
      sql`select 1 / (select count(*) filter (where decision = 'accepted') from audit.events where id = ${commit.event.id})`,
      sql`select 1 / (select count(*) filter (where decision = 'refused') from audit.events where id = ${event.id})`,
    ),
    'allowed',
  );
});

test('no app role writes into what waits for the log: an event does, and nothing else', async () => {
  verifies('F.1', 'F.4');
  const ghost = sql`insert into audit.unsequenced (tenant_id, event_id, bytes) values (${t.tenantId}, ${newId()}, 1)`;
  // One that is in the log already would stop it just as well.
  const again = sql`insert into audit.unsequenced (tenant_id, event_id, bytes) values (${t.tenantId}, ${eventId}, 1)`;
  assert.equal(await attack(pools.dispatch, t.tenantId, ghost), 'append_only');
  assert.equal(await attack(pools.dispatch, t.tenantId, again), 'append_only');
  for (const role of ['identity', 'vault'] as const) {
    // The guard's own words are not for them; what counts is the no.
    assert.equal(await attack(pools[role], t.tenantId, ghost), NO_GRANT, role);
  }
  for (const role of ['dispatch', 'identity', 'vault'] as const) {
    assert.equal(await attack(pools[role], t.tenantId, insertEvent(role)), 'allowed', role);
  }
});

test('an event that a bundle of the log cannot hold is not written', async () => {
  verifies('F.1', 'F.4');
  const withBody = (body: Buffer) => sql`
    insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
    values (${t.tenantId}, ${newId()}, 'dispatch', 'x', 'y', 'accepted', ${newId()}, ${body})`;
  const outcome = (body: Buffer) => attack(pools.dispatch, t.tenantId, withBody(body));
  assert.equal(await outcome(Buffer.alloc(65_535, 0x20)), 'allowed');
  assert.equal(await outcome(Buffer.alloc(65_536, 0x20)), 'events_body_loggable');
  assert.equal(await outcome(Buffer.from('{"name":"Zoë \u{1f511} \ufeff\uffff"}')), 'allowed');
  // The sequencer reads it as text: what is none is refused before it can stop the log.
  const notText = [[0xff], [0x00], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]];
  for (const bytes of notText) assert.equal(await outcome(Buffer.from(bytes)), '22021', bytes.join(' '));
});
