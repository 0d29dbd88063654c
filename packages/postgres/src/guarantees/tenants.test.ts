import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { playCanonicalCommits } from '../../../../test/support/canonical-commits.ts';
import { newId } from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { attack, NO_GRANT, refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { createCommandPath } from '../command-path.ts';
import type { Pool } from '../pool.ts';
import { OWNER_ROLE } from '../roles.ts';
import { sql } from '../sql.ts';
import { withTenant } from '../with-tenant.ts';

interface TenantTable {
  readonly name: string;
  readonly column: string;
  readonly enabled: boolean;
  readonly forced: boolean;
}

let db: TestDatabase;
let admin: Pool;
let ours: SeededTenant;
let theirs: SeededTenant;
let tables: readonly TenantTable[];

before(async () => {
  db = await createTestDatabase();
  admin = testPool(db.adminUrl);
  ours = await seedTenant(db.adminUrl, { slug: 'ours' });
  theirs = await seedTenant(db.adminUrl, { slug: 'theirs' });
  const pool = testPool(db.urls.dispatch);
  for (const tenant of [ours, theirs]) await playCanonicalCommits(createCommandPath(pool), tenant);
  await pool.end();
  for (const tenant of [ours, theirs]) await fillServiceTables(tenant);
  tables = await tenantTables();
});
after(async () => {
  await admin.end();
  await db.drop();
});

/** Every table of ours that has a tenant, from the catalogue of the database: a new one cannot be forgotten. */
async function tenantTables(): Promise<TenantTable[]> {
  const { rows } = await admin.query<TenantTable>(`
    select format('%I.%I', n.nspname, c.relname) as name, a.attname as column,
           c.relrowsecurity as enabled, c.relforcerowsecurity as forced
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
       and a.attname = case when c.oid = 'dispatch.tenants'::regclass then 'id' else 'tenant_id' end
     where n.nspname in ('dispatch', 'audit', 'identity', 'vault', 'context', 'trust') and c.relkind in ('r', 'p')
     order by 1`);
  return rows;
}

/** One row in every table of identity and vault, and in the log. */
async function fillServiceTables(t: SeededTenant): Promise<void> {
  const soon = new Date(Date.now() + 60_000).toISOString();
  const identity = testPool(db.urls.identity, 1);
  await withTenant(identity, t.tenantId, async (tx) => {
    const subject = `contact:${t.contacts.maria}`;
    await tx.run(sql`insert into identity.sign_in_links (tenant_id, hash, subject, label, expires_at)
      values (${t.tenantId}, ${newId()}, ${subject}, 'm', ${soon})`);
    await tx.run(sql`insert into identity.sessions (tenant_id, hash, subject, label, expires_at)
      values (${t.tenantId}, ${newId()}, ${subject}, 'm', ${soon})`);
    await tx.run(sql`insert into identity.step_ups
      (tenant_id, id, approval_id, contact_id, action_digest, browser_hash, code_hash, expires_at)
      values (${t.tenantId}, ${newId()}, ${newId()}, ${t.contacts.alan}, 'd', 'b', 'c', ${soon})`);
    await tx.run(
      sql`insert into identity.code_tries (tenant_id, approval_id) values (${t.tenantId}, ${newId()})`,
    );
    await tx.run(sql`insert into identity.address_commitments (tenant_id, contact_id, kind, commitment)
      values (${t.tenantId}, ${t.contacts.alan}, 'phone', 'c')`);
    await tx.run(sql`insert into identity.used_grants (tenant_id, jti, expires_at)
      values (${t.tenantId}, ${newId()}, ${soon})`);
  });
  await identity.end();
  const vault = testPool(db.urls.vault, 1);
  await withTenant(vault, t.tenantId, async (tx) => {
    const text = newId();
    const bytes = Buffer.from('ciphertext');
    await tx.run(sql`insert into vault.subjects (tenant_id, id, wrapped_key)
      values (${t.tenantId}, ${t.contacts.maria}, ${bytes})`);
    await tx.run(sql`insert into vault.values (tenant_id, id, subject_id, kind, ciphertext, blind_index)
      values (${t.tenantId}, ${newId()}, ${t.contacts.maria}, 'phone', ${bytes}, 'i')`);
    await tx.run(sql`insert into vault.texts (tenant_id, id, subject_id, ciphertext, commitment)
      values (${t.tenantId}, ${text}, ${t.contacts.maria}, ${bytes}, 'c')`);
    await tx.run(sql`insert into vault.text_placeholders (tenant_id, text_id, placeholder, ciphertext)
      values (${t.tenantId}, ${text}, 'PERSON_1', ${bytes})`);
    await tx.run(
      sql`insert into vault.inbound (tenant_id, provider_id, answer) values (${t.tenantId}, 'SM1', '{}')`,
    );
    await tx.run(sql`insert into vault.contact_accounts (tenant_id, contact_id, account_id)
      values (${t.tenantId}, ${t.contacts.maria}, ${t.accountId})`);
    await tx.run(sql`insert into vault.account_values (tenant_id, id, account_id, kind, ciphertext)
      values (${t.tenantId}, ${newId()}, ${t.accountId}, 'address', ${bytes})`);
    await tx.run(sql`insert into vault.used_grants (tenant_id, jti, expires_at)
      values (${t.tenantId}, ${newId()}, ${soon})`);
  });
  await vault.end();
  const sequencer = testPool(db.urls.sequencer, 1);
  await sequencer.query(
    `insert into audit.log_entries (index, tenant_id, event_id, leaf_hash)
     select (select count(*) from audit.log_entries), tenant_id, id, sha256(id::text::bytea)
       from audit.events where tenant_id = $1 limit 1`,
    [t.tenantId],
  );
  await sequencer.end();
}

/** Counts as the tables' owner, who reads every table and is bound by the same policies. */
async function countAs(
  role: string,
  tenantId: string | null,
  table: TenantTable,
  of: string,
): Promise<number> {
  const client = await admin.connect();
  try {
    await client.query('begin');
    if (tenantId !== null) await client.query("select set_config('deadlatch.tenant', $1, true)", [tenantId]);
    if (role !== '') await client.query(`set local role ${role}`);
    const { rows } = await client.query(
      `select count(*)::int as n from ${table.name} where ${table.column} = $1`,
      [of],
    );
    return rows[0].n;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

test('every table with a tenant has row-level security, forced on its owner too', () => {
  verifies('T4.6');
  assert.ok(tables.length >= 45, `only ${tables.length} tables found`);
  assert.deepEqual(
    tables.filter((table) => !table.enabled || !table.forced).map((table) => table.name),
    [],
  );
});

test('every table: own rows are seen, rows of the other tenant are not, and without a tenant there are none', async (ctx) => {
  verifies('T4.6');
  for (const table of tables) {
    await ctx.test(table.name, async () => {
      // A table without rows of theirs would prove nothing.
      assert.ok((await countAs('', null, table, theirs.tenantId)) > 0, 'the other tenant has rows here');
      assert.ok((await countAs(OWNER_ROLE, theirs.tenantId, table, theirs.tenantId)) > 0, 'and sees them');
      assert.equal(await countAs(OWNER_ROLE, ours.tenantId, table, theirs.tenantId), 0);
      assert.equal(await countAs(OWNER_ROLE, null, table, theirs.tenantId), 0);
      assert.equal(await countAs(OWNER_ROLE, newId(), table, theirs.tenantId), 0);
    });
  }
});

/** Inserts a copy of the first of `rowsOf`'s rows (of events the operator's own) while working as `workingAs`; answers SQLSTATE and constraint. */
async function insertCopy(table: TenantTable, rowsOf: string, workingAs: string): Promise<string> {
  const client = await admin.connect();
  try {
    await client.query('begin');
    await client.query(
      `create temporary table copied on commit drop as select * from ${table.name} where ${table.column} = '${rowsOf}' order by ctid limit 1`,
    );
    await client.query('grant select on copied to public');
    await client.query("select set_config('deadlatch.tenant', $1, true)", [workingAs]);
    await client.query(`set local role ${OWNER_ROLE}`);
    return await refusalOf(client.query(`insert into ${table.name} select * from copied`));
  } finally {
    await client.query('rollback');
    client.release();
  }
}

test('every table: a row cannot be written for the other tenant', async (ctx) => {
  verifies('T4.6');
  for (const table of tables) {
    await ctx.test(table.name, async () => {
      const refusal = await insertCopy(table, theirs.tenantId, ours.tenantId);
      // Versioned rows are refused by their guard even before the policy: it finds no event of theirs.
      // And nothing is written by hand into what waits for the log. A yes is held against its event first, too.
      const refusals = [NO_GRANT, 'change_without_event', 'append_only', 'confirmation_of_another'];
      assert.ok(refusals.includes(refusal), refusal);
      // The twin: for its own tenant the same copy gets past the policy, to the row that is there already.
      const own = await insertCopy(table, theirs.tenantId, theirs.tenantId);
      assert.notEqual(own, NO_GRANT);
    });
  }
});

test('the app role sees nothing of the other tenant through the functions either', async () => {
  verifies('T4.6');
  const pool = testPool(db.urls.dispatch);
  const path = createCommandPath(pool);
  const { rows } = await admin.query('select id from dispatch.tickets where tenant_id = $1 limit 1', [
    theirs.tenantId,
  ]);
  const facts = await path.readFacts({
    tenant_id: ours.tenantId,
    command: 'ticket.hold',
    target: 'ticket',
    target_id: rows[0].id,
    needs: ['visit', 'approvals', 'evidence'],
    subject: { kind: 'staff', id: theirs.staff.dana },
    service: 'web',
    turn_id: null,
    conversation_id: null,
    idempotency: null,
    refs: { account_id: theirs.accountId, site_id: theirs.siteId },
  });
  assert.deepEqual([facts.ticket, facts.account, facts.site, facts.subject], [null, null, null, null]);
  await pool.end();
});

test('a tenant set for one transaction is gone in the next on the same connection', async () => {
  verifies('T4.6');
  const pool = testPool(db.urls.dispatch, 1);
  const count = sql`select 1 / count(*) from dispatch.tickets`;
  assert.equal(await attack(pool, ours.tenantId, count), 'allowed');
  const { rows } = await pool.query('select count(*)::int as n from dispatch.tickets');
  assert.equal(rows[0]?.n, 0);
  await pool.end();
});
