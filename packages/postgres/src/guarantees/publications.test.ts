import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ContentVersion } from '@deadlatch/catalogue';
import type { PublicationFacts } from '@deadlatch/decision';
import { verifies } from '../../../../test/requirements.ts';
import { commitOf, instantIn, newId, newMessage } from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { attack, NO_GRANT, refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { type CommandPath, createCommandPath } from '../command-path.ts';
import type { Pool } from '../pool.ts';
import { type Sql, sql } from '../sql.ts';
import { withTenant } from '../with-tenant.ts';

/** Which version is in force, by what the database holds by itself. */
let db: TestDatabase;
let pool: Pool;
let admin: Pool;
let path: CommandPath;
let t: SeededTenant;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pool = testPool(db.urls.dispatch);
  admin = testPool(db.adminUrl);
  path = createCommandPath(pool);
});
after(async () => {
  await pool.end();
  await admin.end();
  await db.drop();
});

interface Publication extends ContentVersion {
  readonly number: number;
  readonly effective_from: string;
}

const publication = (over: Partial<Publication> = {}): Publication => ({
  kind: 'incident_type',
  name: 'DOOR_WONT_LATCH',
  number: 2,
  version: 1,
  effective_from: instantIn(),
  ...over,
});
const publish = (over: Partial<Publication> = {}, command = `${over.kind ?? 'incident_type'}.publish`) =>
  refusalOf(path.commitDecision(commitOf(t, command, { changes: { publication: publication(over) } })));

/** An event of this command, and a row that names it. */
const planted = (command: string, over: Partial<Publication> = {}): Sql[] => {
  const p = publication(over);
  const event = newId();
  return [
    sql`insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
        values (${t.tenantId}, ${event}, 'dispatch', ${command}, 'a', 'accepted', ${newId()}, '')`,
    sql`insert into dispatch.publications (tenant_id, kind, name, number, version, effective_from, event_id)
        values (${t.tenantId}, ${p.kind}, ${p.name}, ${p.number}, ${p.version}, ${p.effective_from}, ${event})`,
  ];
};

async function factsOf(name: string): Promise<PublicationFacts | null> {
  const facts = await path.readFacts({
    tenant_id: t.tenantId,
    command: name.startsWith('M') ? 'template.publish' : 'incident_type.publish',
    target: 'none',
    target_id: null,
    needs: ['publications'],
    subject: { kind: 'staff', id: t.staff.adam },
    service: 'web',
    turn_id: null,
    conversation_id: null,
    idempotency: null,
    refs: name.startsWith('M') ? { template: name } : { type: name },
  });
  return facts.publications;
}

test('a version comes into force with the event that publishes it, and with no other', async () => {
  verifies('F.1');
  for (const command of ['template.publish', 'account.change', 'ticket.triage', 'operator.bootstrap']) {
    assert.equal(await publish({}, command), 'change_without_event', command);
    assert.equal(await attack(pool, t.tenantId, ...planted(command)), 'change_without_event', command);
  }
  const [, row] = planted('incident_type.publish');
  assert.ok(row);
  assert.equal(await attack(pool, t.tenantId, row), 'change_without_event', 'without any event');
  assert.equal(await publish(), 'allowed');
  // The event of another transaction is not ours.
  const { rows } = await admin.query(
    "select event_id from dispatch.publications where name = 'DOOR_WONT_LATCH' and number = 2",
  );
  assert.equal(
    await attack(
      pool,
      t.tenantId,
      sql`insert into dispatch.publications (tenant_id, kind, name, number, version, effective_from, event_id)
          values (${t.tenantId}, 'incident_type', 'DOOR_WONT_LATCH', 3, 2, now(), ${rows[0].event_id})`,
    ),
    'change_without_event',
  );
});

test('each follows the last one of its name; two at the same moment are one and a conflict', async () => {
  verifies('R.2');
  const name = 'CLOSER_LEAK_OR_SLAM';
  for (const number of [1, 3, 99]) assert.equal(await publish({ name, number }), 'version_conflict');
  const both = await Promise.all([publish({ name }), publish({ name, version: 2 })]);
  assert.equal(both.filter((one) => one === 'allowed').length, 1, both.join());
  const [other] = both.filter((one) => one !== 'allowed');
  assert.ok(other === 'publications_pkey' || other === 'version_conflict', other);
});

test('nothing begins before it was decided', async () => {
  const name = 'AUTO_SENSOR_SAFETY';
  assert.equal(await publish({ name, effective_from: instantIn(-120_000) }), 'published_in_the_past');
  assert.equal(await publish({ name, effective_from: instantIn(-5_000) }), 'allowed');
  assert.equal(await publish({ name, number: 3, effective_from: instantIn(3_600_000) }), 'allowed');
});

test('what was published is never changed, removed or truncated, and when it was written is not said by the writer', async () => {
  verifies('F.1');
  const changes = [
    sql`update dispatch.publications set version = 1`,
    sql`delete from dispatch.publications`,
    sql`truncate dispatch.publications`,
  ];
  for (const change of changes) {
    assert.equal(await attack(pool, t.tenantId, change), NO_GRANT);
    const asOwner = await attack(admin, t.tenantId, sql`set local role deadlatch_owner`, change);
    assert.equal(asOwner, 'append_only');
  }
  const dated = sql`insert into dispatch.publications
    (tenant_id, kind, name, number, version, effective_from, event_id, published_at)
    values (${t.tenantId}, 'template', 'M01', 2, 1, now(), ${newId()}, now())`;
  assert.equal(await attack(pool, t.tenantId, dated), NO_GRANT);
});

test('a message is of the version in force at its commit, whatever its writer says, and keeps it', async () => {
  verifies('T2.1', 'T2.6');
  const written = async (template: string, over: object = {}) => {
    const message = {
      ...newMessage(t, { direction: 'OUT', state: 'QUEUED', template, provider_id: null }),
      ...over,
    };
    const commit = commitOf(t, 'ticket.close', { changes: { messages: [message] } });
    const refusal = await refusalOf(path.commitDecision(commit));
    const version = async () =>
      (await admin.query('select template_version as v from dispatch.messages where id = $1', [message.id]))
        .rows[0]?.v;
    return { refusal, version, id: message.id };
  };
  const before = await written('M17', { template_version: 1 });
  assert.deepEqual([before.refusal, await before.version()], ['allowed', 2]);
  const later = { kind: 'template', name: 'M17' } as const;
  assert.equal(await publish({ ...later, effective_from: instantIn(3_600_000) }), 'allowed');
  assert.equal(await (await written('M17')).version(), 2, 'what is only planned says nothing yet');
  assert.equal(await publish({ ...later, number: 3 }), 'allowed');
  const after = await written('M17', { template_version: 2 });
  assert.deepEqual([await after.version(), await before.version()], [1, 2]);
  const change = sql`update dispatch.messages set template_version = 1 where id = ${before.id}`;
  assert.equal(await attack(pool, t.tenantId, change), NO_GRANT);
  // What nobody published says nothing; a phrase has one text.
  assert.equal((await written('M99')).refusal, 'template_not_published');
  assert.deepEqual(await (await written('phrase:thanks_noted')).version(), null);
  assert.deepEqual(await (await written('staff:please_call_us', { template_version: 1 })).version(), null);
  const id = newId();
  const direct = (template: string) => sql`insert into dispatch.messages
    (tenant_id, id, direction, channel, state, template, slots, claim, correlation_id, created_at, template_version)
    values (${t.tenantId}, ${id}, 'OUT', 'sms', 'QUEUED', ${template}, '{}', '{}', ${newId()}, now(), 2)`;
  assert.equal(await attack(pool, t.tenantId, direct('staff:please_call_us')), 'messages_of_a_version');
  assert.equal(await attack(pool, t.tenantId, direct('M17')), 'allowed');
  const { rows } = await admin.query('select template_version as v from dispatch.messages where id = $1', [
    id,
  ]);
  assert.deepEqual(rows, [{ v: 1 }], 'not what its writer said');
});

test('facts hold the row in force and all that may follow; the other tenant’s are others', async () => {
  verifies('T4.6');
  const name = 'FIRE_DOOR_DEFICIENCY';
  assert.deepEqual(await factsOf(name), {
    kind: 'incident_type',
    name,
    last_number: 1,
    rows: [{ number: 1, version: 2, effective_from: '1970-01-01T00:00:00.000Z' }],
  });
  const [now, soon] = [instantIn(), instantIn(3_600_000)];
  assert.equal(await publish({ name, effective_from: now }), 'allowed');
  assert.equal(await publish({ name, number: 3, version: 2, effective_from: soon }), 'allowed');
  const rows = [
    { number: 2, version: 1, effective_from: now },
    { number: 3, version: 2, effective_from: soon },
  ];
  assert.deepEqual(await factsOf(name), { kind: 'incident_type', name, last_number: 3, rows });
  const other = await seedTenant(db.adminUrl, { slug: 'other' });
  const { rows: theirs } = await admin.query(
    'select number from dispatch.publications where tenant_id = $1 and name = $2',
    [other.tenantId, name],
  );
  assert.deepEqual(theirs, [{ number: 1 }]);
  assert.deepEqual(await factsOf('M99'), { kind: 'template', name: 'M99', last_number: 0, rows: [] });
});

test('nothing of it is another tenant’s', async () => {
  verifies('T4.6');
  const other = await seedTenant(db.adminUrl, { slug: 'foreign' });
  const seen = await withTenant(pool, other.tenantId, (tx) =>
    tx.query<{ n: number }>(
      sql`select count(*)::int as n from dispatch.publications where tenant_id = ${t.tenantId}`,
    ),
  );
  assert.deepEqual(seen, [{ n: 0 }]);
});
