import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { publicationsBefore } from '@deadlatch/audit-log';
import { MESSAGE_TEMPLATES, RELEASED_VERSIONS } from '@deadlatch/catalogue';
import { inForceAt } from '@deadlatch/decision';
import { type CommandPath, createCommandPath, OWNER_ROLE, type Pool, withTenant } from '@deadlatch/postgres';
import { verifies } from '../../../../test/requirements.ts';
import { commitOf, instantIn, newMessage } from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { presentIncidentTypes, presentTemplates, versionsInForce } from './present-publications.ts';
import { listPublications } from './publications.sql.ts';

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

async function publish(name: string, number: number, version: number, effective_from: string): Promise<void> {
  const publication = { kind: 'incident_type' as const, name, number, version, effective_from };
  await path.commitDecision(commitOf(t, 'incident_type.publish', { changes: { publication } }));
}

test('the database and the decision mean the same by "in force", at every moment of a full history', async () => {
  verifies('I.3');
  const name = 'ROLLING_OR_DOCK_DOOR';
  const hours = [3, 1, 2, 2, 5, 1, 5, 4, 3, 3];
  for (const [at, hour] of hours.entries()) {
    await publish(name, at + 2, (at % 2) + 1, instantIn(hour * 3_600_000));
  }
  const { rows } = await admin.query(
    `select number, version, dispatch.instant(effective_from) as effective_from
       from dispatch.publications where tenant_id = $1 and name = $2`,
    [t.tenantId, name],
  );
  const moments = rows.flatMap((row) => [-1, 0, 1].map((ms) => Date.parse(row.effective_from) + ms));
  for (const moment of [...moments, 0, -1]) {
    const at = new Date(moment).toISOString();
    const { rows: found } = await admin.query(
      "select dispatch.version_in_force($1, 'incident_type', $2, $3) as v",
      [t.tenantId, name, at],
    );
    assert.equal(found[0].v, inForceAt(rows, moment)?.version ?? null, at);
  }
});

test('a tenant that is older than publications goes on with what it had, as the verifier of the trail knows it', async () => {
  verifies('F.1');
  const file = new URL('../../../../sql/dispatch/0035-publications.sql', import.meta.url);
  const migration = await readFile(file, 'utf8');
  const said = { direction: 'OUT', state: 'QUEUED', provider_id: null } as const;
  const messages = ['M17', 'phrase:thanks_noted'].map((template) => newMessage(t, { ...said, template }));
  await path.commitDecision(commitOf(t, 'ticket.close', { changes: { messages } }));
  const client = await admin.connect();
  try {
    await client.query('begin');
    await client.query('drop table dispatch.publications');
    await client.query('alter table dispatch.messages drop column template_version');
    await client.query(`set local role ${OWNER_ROLE}`);
    await client.query(migration);
    await client.query('reset role');
    const { rows } = await client.query(
      `select p.tenant_id || '/' || p.kind || '/' || p.name || '/' || p.number as id,
              p.version, dispatch.instant(p.effective_from) as effective_from
         from dispatch.publications p
         join audit.events e on e.tenant_id = p.tenant_id and e.id = p.event_id and e.command = 'operator.bootstrap'
        where p.tenant_id = $1 order by 1`,
      [t.tenantId],
    );
    const known = publicationsBefore(t.tenantId).map((row) => {
      assert.equal(row.table, 'publications');
      const { version, effective_from } = row.values as Readonly<Record<string, unknown>>;
      return { id: row.id, version, effective_from };
    });
    assert.deepEqual(
      rows,
      known.sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    const { rows: kept } = await client.query(
      "select distinct template like 'M__' as is_template, template_version as v from dispatch.messages order by 1",
    );
    assert.deepEqual(kept, [
      { is_template: false, v: null },
      { is_template: true, v: 1 },
    ]);
    const { rows: forced } = await client.query(
      `select relname from pg_class where relforcerowsecurity
        and oid in ('dispatch.tenants'::regclass, 'audit.events'::regclass, 'dispatch.messages'::regclass)`,
    );
    assert.equal(forced.length, 3, 'and the policies bind the owner again');
  } finally {
    await client.query('rollback');
    client.release();
  }
});

test('what is listed is what is in force, what is planned and what the release brings, and nothing of nobody', async () => {
  const list = (tenantId: string, kind: 'incident_type' | 'template') =>
    withTenant(pool, tenantId, (tx) => listPublications(tx, tenantId, kind));
  const name = 'HARDWARE_REPLACEMENT';
  const soon = instantIn(7_200_000);
  await publish(name, 2, 1, soon);
  const types = await list(t.tenantId, 'incident_type');
  assert.deepEqual(
    presentIncidentTypes(types).find(({ type }) => type === name),
    {
      type: name,
      version: 1,
      effective_from: '1970-01-01T00:00:00.000Z',
      scheduled: [{ version: 1, effective_from: soon }],
      released: [1],
    },
  );
  assert.equal(versionsInForce(types).DOOR_WONT_LATCH, 2);
  const templates = presentTemplates(await list(t.tenantId, 'template'));
  assert.deepEqual(
    templates.map(({ template }) => template),
    [...MESSAGE_TEMPLATES],
  );
  assert.ok(templates.every(({ texts }) => texts.every((text) => text.length > 10) && texts.length > 0));
  const released = RELEASED_VERSIONS.filter(({ kind }) => kind === 'template');
  assert.equal(templates.flatMap((one) => one.released).length, released.length);
  // A tenant that nobody put on file has nothing in force, and says nothing.
  const nobody = await list('0195a000-0000-7000-8000-0000000000ff', 'template');
  assert.ok(presentTemplates(nobody).every(({ version, texts }) => version === null && texts.length === 0));
  assert.deepEqual(versionsInForce(nobody), {});
});
