import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { newId } from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { attack, NO_GRANT, refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import type { Pool } from '../pool.ts';
import { sql } from '../sql.ts';

let db: TestDatabase;
let admin: Pool;
let t: SeededTenant;

before(async () => {
  db = await createTestDatabase();
  admin = testPool(db.adminUrl);
  t = await seedTenant(db.adminUrl);
});
after(async () => {
  await admin.end();
  await db.drop();
});

const SCHEMAS = ['dispatch', 'audit', 'identity', 'vault', 'context', 'trust'];

/** `table: RIGHTS columns` of a role; whole-table rights without columns. */
async function rightsOf(role: string): Promise<string[]> {
  const { rows } = await admin.query<{ line: string }>(
    `with acl as (
       select format('%s.%s', n.nspname, c.relname) as tab, null::name as col, x.privilege_type as verb
         from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
        where n.nspname = any($2) and x.grantee = $1::regrole and c.relkind in ('r', 'p', 'S', 'v')
       union all
       select format('%s.%s', n.nspname, c.relname), a.attname, x.privilege_type
         from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace,
              aclexplode(a.attacl) x
        where n.nspname = any($2) and x.grantee = $1::regrole)
     select format('%s %s%s', tab, verb, coalesce('(' || string_agg(col, ',' order by col) || ')', '')) as line
       from acl group by tab, verb order by tab, verb`,
    [role, SCHEMAS],
  );
  return rows.map((r) => r.line);
}

test('worker: reads what waits, writes what became of it, and nothing else', async () => {
  verifies('T4.2');
  assert.deepEqual(await rightsOf('deadlatch_worker'), [
    'dispatch.outbox SELECT',
    'dispatch.outbox UPDATE(abandoned_at,attempts,delivered_at,last_error,next_try_at)',
    'dispatch.timers SELECT',
    'dispatch.timers UPDATE(abandoned_at,attempts,fired_at,last_error,next_try_at)',
  ]);
});

test('sequencer: reads events, gives each its place in the log, and nothing else', async () => {
  verifies('T4.2');
  assert.deepEqual(await rightsOf('deadlatch_sequencer'), [
    'audit.events SELECT(at,body,id,tenant_id)',
    'audit.log_entries INSERT',
    'audit.log_entries SELECT',
    'audit.log_head SELECT',
    'audit.log_head UPDATE(epoch,origin,root,size,witnessed_note,witnessed_size)',
    'audit.unsequenced DELETE',
    'audit.unsequenced SELECT',
  ]);
});

test("the demo's command line: may leave a sign-in link and not read one", async () => {
  verifies('T4.2');
  assert.deepEqual(await rightsOf('deadlatch_demo'), [
    'identity.sign_in_links INSERT(expires_at,hash,label,roles,subject,tenant_id)',
  ]);
  const pool = testPool(db.urls.demo, 1);
  const link = sql`insert into identity.sign_in_links (tenant_id, hash, subject, label, expires_at)
    values (${t.tenantId}, ${newId()}, ${`staff:${t.staff.dana}`}, 'dana', now() + interval '1 hour')`;
  assert.equal(await attack(pool, t.tenantId, link), 'allowed');
  assert.equal(await attack(pool, t.tenantId, sql`select hash from identity.sign_in_links`), NO_GRANT);
  assert.equal(
    await attack(pool, t.tenantId, sql`update identity.sign_in_links set used_at = null`),
    NO_GRANT,
  );
  await pool.end();
});

test('identity: its own schema, its own events, the service keys', async () => {
  verifies('T4.2');
  const lines = await rightsOf('deadlatch_identity');
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('identity.')),
    [
      'audit.events INSERT(actor,body,command,correlation_id,decision,id,origin,tenant_id,ticket_id)',
      'audit.log_head SELECT',
      'audit.unsequenced INSERT(bytes,event_id,tenant_id)',
      'audit.unsequenced SELECT',
      'trust.service_keys SELECT',
    ],
  );
});

test('vault: its own schema, its own events, the service keys', async () => {
  verifies('T4.2', 'T5.2');
  const lines = await rightsOf('deadlatch_vault');
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('vault.')),
    [
      'audit.events INSERT(actor,body,command,correlation_id,decision,id,origin,tenant_id,ticket_id)',
      'audit.log_head SELECT',
      'audit.unsequenced INSERT(bytes,event_id,tenant_id)',
      'audit.unsequenced SELECT',
      'trust.service_keys SELECT',
    ],
  );
});

test('dispatch: everything it may write, column by column', async () => {
  verifies('T4.2', 'F.1');
  const lines = await rightsOf('deadlatch_dispatch');
  assert.deepEqual(
    lines.filter((line) => !line.endsWith(' SELECT')),
    [
      'audit.effects INSERT(after_state,before_state,command,event_id,object,object_id,tenant_id,version)',
      'audit.events INSERT(actor,body,command,correlation_id,decision,id,origin,tenant_id,ticket_id)',
      'audit.unsequenced INSERT(bytes,event_id,tenant_id)',
      'context.entries INSERT(conversation_id,mask_state,masked_text,message_id,tenant_id)',
      'dispatch.accounts INSERT(contract,event_id,id,slug,state,tenant_id,version)',
      'dispatch.accounts UPDATE(authority_version,contract,event_id,has_had_approver,slug,version)',
      'dispatch.act_confirmations INSERT(act_id,event_id,person_id,staff_id,tenant_id)',
      'dispatch.act_links INSERT',
      'dispatch.acts INSERT',
      'dispatch.acts UPDATE(decided_at,state,version)',
      'dispatch.approvals INSERT',
      'dispatch.approvals UPDATE(decided_at,decided_by,state,version)',
      'dispatch.assets INSERT(account_id,event_id,id,kind,model,serial,site_id,slug,state,tenant_id,version)',
      'dispatch.assets UPDATE(event_id,model,serial,slug,state,version)',
      'dispatch.autonomy_settings INSERT(account_id,event_id,level,tenant_id,version)',
      'dispatch.autonomy_settings UPDATE(event_id,level,version)',
      'dispatch.bookings DELETE',
      'dispatch.bookings INSERT(ends_at,held_until,option_id,starts_at,technician_id,tenant_id,visit_id)',
      'dispatch.choices INSERT(channel,contact_id,event_id,id,kind,link_hash,made_at,message_id,option_id,tenant_id,ticket_id)',
      'dispatch.completions INSERT(event_id,id,outcome,signature_kind,signature_text_id,submitted_by,tenant_id,ticket_id,visit_id,work_note_text_id)',
      'dispatch.consents INSERT(act,event_id,object,object_version,person_id,reason_text_id,role,staff_id,tenant_id,ticket_id)',
      'dispatch.consumed_choices INSERT(choice_id,event_id,tenant_id)',
      'dispatch.consumed_tokens INSERT(tenant_id,txn)',
      'dispatch.contact_codes INSERT(account_id,act_id,contact_id,event_id,slug,tenant_id)',
      'dispatch.contact_memberships INSERT(account_id,approval_limit_cents,changed_at,contact_id,event_id,id,may_approve,may_request,site_id,state,tenant_id,version)',
      'dispatch.contact_memberships UPDATE(approval_limit_cents,changed_at,event_id,may_approve,may_request,version)',
      'dispatch.contacts INSERT(active,changed_at,event_id,id,person_id,state,tenant_id,version)',
      'dispatch.contacts UPDATE(active,changed_at,event_id,state,version)',
      'dispatch.conversations INSERT',
      'dispatch.conversations UPDATE(state,ticket_id,version)',
      'dispatch.evidence INSERT',
      'dispatch.evidence UPDATE(content_key,finalized_at,kept_sha256,kept_size_bytes,state,version)',
      'dispatch.idempotency INSERT(answer,command,event_id,fingerprint,key,path,service,subject,tenant_id)',
      'dispatch.invoices INSERT',
      'dispatch.invoices UPDATE(issued_at,paid_at,payment_method,state,version)',
      'dispatch.links INSERT(contact_id,expires_at,hash,object_id,purpose,tenant_id)',
      'dispatch.links UPDATE(expires_at)',
      'dispatch.messages INSERT',
      'dispatch.messages UPDATE(provider_id,state)',
      'dispatch.nonce_floor UPDATE(floor)',
      'dispatch.nonces DELETE',
      'dispatch.nonces INSERT(created,keyid,nonce)',
      'dispatch.outbox INSERT(event_id,id,kind,order_key,payload,ref_id,tenant_id)',
      'dispatch.parts INSERT(event_id,part_number,quantity,tenant_id,ticket_id,unit_cents)',
      'dispatch.pauses DELETE',
      'dispatch.pauses INSERT(event_id,scope,scope_id,tenant_id)',
      'dispatch.pauses UPDATE(event_id,paused_at)',
      'dispatch.publications INSERT(effective_from,event_id,kind,name,number,tenant_id,version)',
      'dispatch.remedies INSERT(event_id,evidence_id,key,tenant_id,verification_id)',
      'dispatch.reports INSERT(channel,id,message_id,sender_hash,tenant_id)',
      'dispatch.reports UPDATE(attached_at,attached_ticket_id)',
      'dispatch.schedule_options INSERT(asked_contact_id,event_id,held_until,id,number,proposed_at,technician_id,tenant_id,ticket_id,visit_from,visit_to,window_from,window_to)',
      'dispatch.schedule_options UPDATE(confirmed_at,ended_at)',
      'dispatch.site_schedules INSERT(event_id,hours,id,lat_e6,lon_e6,tenant_id,version)',
      'dispatch.site_schedules UPDATE(event_id,hours,lat_e6,lon_e6,version)',
      'dispatch.sites INSERT(account_id,event_id,id,slug,state,tenant_id,territory,time_zone,version)',
      'dispatch.sites UPDATE(event_id,slug,territory,time_zone,version)',
      'dispatch.suggestions INSERT',
      'dispatch.suggestions UPDATE(decided_at,decided_by,state,version)',
      'dispatch.tasks INSERT(event_id,kind,tenant_id,ticket_id)',
      'dispatch.tasks UPDATE(done_at,done_by)',
      'dispatch.technician_schedules INSERT(absences,certifications,event_id,home_lat_e6,home_lon_e6,id,shifts,tenant_id,version)',
      'dispatch.technician_schedules UPDATE(absences,certifications,event_id,home_lat_e6,home_lon_e6,shifts,version)',
      'dispatch.technicians INSERT(active,event_id,id,person_id,skills,slug,state,tenant_id,territories,version)',
      'dispatch.technicians UPDATE(active,event_id,skills,state,territories,version)',
      'dispatch.tenants UPDATE(autonomy_version)',
      'dispatch.tests INSERT(event_id,passed,tenant_id,test,ticket_id,value)',
      'dispatch.tickets INSERT',
      'dispatch.tickets UPDATE(answers,base_nte_cents,description_text_id,duplicate_of,hold_owner,hold_reason,hold_until,incident_type,incident_version,missing,nte_cents,outcome,priority,resume_state,safety,scope_capped,state,updated_at,version)',
      'dispatch.timers INSERT(due_at,event_id,id,kind,target_id,tenant_id)',
      'dispatch.times INSERT(event_id,minutes,tenant_id,ticket_id)',
      'dispatch.turns INSERT',
      'dispatch.turns UPDATE(ended_at,ticket_id)',
      'dispatch.verifications INSERT(completion_id,event_id,note_text_id,result,tenant_id,verified_by)',
      'dispatch.visits INSERT',
      'dispatch.visits UPDATE(checked_in_at,claimed_lat_e6,claimed_lon_e6,claimed_time,ends_at,escalated_at,started_at,starts_at,state,version)',
      'dispatch.wanting INSERT',
    ],
  );
  const elsewhere = lines.filter((line) => !/^(dispatch|context)\./.test(line) && line.endsWith(' SELECT'));
  assert.deepEqual(elsewhere, [
    'audit.effects SELECT',
    'audit.events SELECT',
    'audit.log_entries SELECT',
    'audit.log_head SELECT',
    'audit.unsequenced SELECT',
    'trust.service_keys SELECT',
  ]);
});

test('nobody else: PUBLIC has no right on any table, schema or function of ours', async () => {
  verifies('T4.2');
  const { rows } = await admin.query(
    `select format('%s.%s', n.nspname, c.relname) as what from pg_class c join pg_namespace n on n.oid = c.relnamespace,
            aclexplode(c.relacl) x where n.nspname = any($1) and x.grantee = 0
     union all
     select n.nspname from pg_namespace n, aclexplode(n.nspacl) x where n.nspname = any($1) and x.grantee = 0
     union all
     select format('%s.%s()', n.nspname, p.proname) from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
            aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x where n.nspname = any($1) and x.grantee = 0`,
    [SCHEMAS],
  );
  assert.deepEqual(rows, []);
});

test('functions run with the rights of their caller, and belong to a role that cannot log in', async () => {
  verifies('T4.6');
  const { rows: definers } = await admin.query(
    `select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = any($1) and p.prosecdef`,
    [SCHEMAS],
  );
  assert.deepEqual(definers, []);
  const { rows: roles } = await admin.query(
    `select rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
       from pg_roles where rolname like 'deadlatch\\_%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb
         or rolreplication or rolcanlogin = (rolname = 'deadlatch_owner'))`,
  );
  assert.deepEqual(roles, []);
  const { rows: foreign } = await admin.query(
    `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and c.relkind in ('r', 'p') and c.relowner <> 'deadlatch_owner'::regrole`,
    [SCHEMAS],
  );
  assert.deepEqual(foreign, []);
  const { rows: members } = await admin.query(
    `select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname like 'deadlatch\\_%'`,
  );
  assert.deepEqual(members, []);
});

test('no service reads the schema of another', async () => {
  verifies('T5.2');
  const doors: Readonly<Record<string, string>> = {
    dispatch: 'dispatch.tickets',
    identity: 'identity.sessions',
    vault: 'vault.values',
  };
  for (const role of ['dispatch', 'identity', 'vault', 'worker', 'sequencer', 'demo'] as const) {
    const pool = testPool(db.urls[role], 1);
    for (const [owner, table] of Object.entries(doors)) {
      const expected = role === owner ? 'allowed' : NO_GRANT;
      assert.equal(
        await refusalOf(pool.query(`select 1 from ${table} limit 1`)),
        expected,
        `${role}: ${table}`,
      );
    }
    await pool.end();
  }
});

test('no app role makes tables', async () => {
  for (const role of ['dispatch', 'identity', 'vault', 'worker', 'sequencer', 'demo'] as const) {
    const pool = testPool(db.urls[role], 1);
    for (const schema of SCHEMAS) {
      const refusal = await refusalOf(pool.query(`create table ${schema}.probe (one integer)`));
      assert.equal(refusal, NO_GRANT, `${role}: ${schema}`);
    }
    await pool.end();
  }
});

test('no app role makes temporary tables or schemas', async () => {
  for (const role of ['dispatch', 'identity', 'vault', 'worker', 'sequencer', 'demo'] as const) {
    const pool = testPool(db.urls[role], 1);
    assert.equal(await refusalOf(pool.query('create temporary table probe (one integer)')), NO_GRANT, role);
    assert.equal(await refusalOf(pool.query('create schema probe')), NO_GRANT, role);
    await pool.end();
  }
});

test('every key of a table that grows begins with its tenant', async () => {
  // Nonces and the Merkle log are shared by all tenants on purpose; trust, transitions and migrations belong to none.
  const { rows } = await admin.query<{ name: string }>(
    `select format('%s.%s', n.nspname, c.relname) as name
       from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
      where n.nspname = any($1) and (i.indisunique or i.indisexclusion) and a.attname <> 'tenant_id' order by 1`,
    [SCHEMAS],
  );
  assert.deepEqual(
    [...new Set(rows.map((r) => r.name))],
    [
      'audit.log_entries',
      'audit.log_head',
      'dispatch.migrations',
      'dispatch.nonce_floor',
      'dispatch.nonces',
      'dispatch.tenants',
      'dispatch.transitions',
      'identity.nonce_floor',
      'identity.nonces',
      'trust.service_keys',
      'vault.nonce_floor',
      'vault.nonces',
    ],
  );
});
