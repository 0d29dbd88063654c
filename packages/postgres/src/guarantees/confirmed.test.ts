import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MAX_IMPORTED_CONTACTS } from '@deadlatch/catalogue';
import type { ActRow, Changes, ContactRow, MembershipRow } from '@deadlatch/decision';
import { verifies } from '../../../../test/requirements.ts';
import { importCommits } from '../../../../test/support/authority-commits.ts';
import { commitOf, effectOf, instantIn, newId, next } from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { attack, NO_GRANT, refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { type CommandPath, createCommandPath } from '../command-path.ts';
import type { Pool } from '../pool.ts';
import { type Sql, sql } from '../sql.ts';

/** What the database says by itself of rows of authority, acts, confirmations and limits, whatever the authority's code would write. */
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

const directory = async (contactId: string) => {
  const facts = await path.readFacts({
    tenant_id: t.tenantId,
    command: 'contact.set_limit',
    target: 'contact',
    target_id: contactId,
    needs: ['directory'],
    subject: { kind: 'staff', id: t.staff.adam },
    service: 'web',
    turn_id: null,
    conversation_id: null,
    idempotency: null,
    refs: { account_id: t.otherAccountId },
  });
  assert.ok(facts.directory);
  return facts.directory;
};

const asked = (over: Partial<ActRow>): ActRow => ({
  tenant_id: t.tenantId,
  id: newId(),
  version: 1,
  state: 'PENDING',
  command: 'contact.set_limit',
  target_id: t.contacts.stranger,
  input: { account_id: t.otherAccountId, site_id: t.otherAccountSiteId, approval_limit_cents: 5_000 },
  action: '{}',
  action_digest: 'd'.repeat(43),
  asked_by: t.staff.adam,
  proof_assurance: 'L2',
  deciders: 2,
  asked_at: instantIn(),
  expires_at: instantIn(3_600_000),
  decided_at: null,
  ...over,
});

const ask = (act: ActRow) =>
  path.commitDecision(
    commitOf(t, act.command, { changes: { act, act_links: [] }, effects: [effectOf('act', null, act)] }),
  );

/** A yes of this member of staff, as this person, which brings the act into this state, with what it does. */
function yes(
  act: ActRow,
  staff: string,
  person: string,
  state: 'PENDING' | 'CONSUMED',
  done: {
    readonly contact?: ContactRow;
    readonly membership?: MembershipRow;
    readonly before?: MembershipRow;
  } = {},
) {
  const after = next(act, { state, decided_at: state === 'PENDING' ? null : instantIn() });
  const { contact, membership } = done;
  const commit = commitOf(t, 'act.confirm', {
    changes: {
      act: after,
      act_confirmation: { act_id: act.id, person_id: person, staff_id: staff },
      ...(contact && { contact }),
      ...(membership && { memberships: [membership] }),
    },
    effects: [
      effectOf('act', act, after),
      ...(contact ? [effectOf('contact', contact, contact)] : []),
      ...(membership ? [effectOf('membership', membership, membership)] : []),
    ],
  });
  const event = { ...commit.event, actor: `staff:${staff}` };
  return { after, refusal: refusalOf(path.commitDecision({ ...commit, event })) };
}

test('a limit above 0 is written only with an act that asked for exactly it and has both yeses', async () => {
  verifies('T3.5', 'T3.11', 'T4.7');
  const { contact, memberships, confirmers, has_had_approver } = await directory(t.contacts.stranger);
  assert.equal(has_had_approver, false);
  const personOf = (staff: string) => confirmers.find((c) => c.staff_id === staff)?.person_id ?? '';
  const before = memberships[0] as MembershipRow;
  const raised = next(before, { may_approve: true, approval_limit_cents: 5_000, changed_at: instantIn() });
  const changed = next(contact as ContactRow, { changed_at: instantIn() });
  const { adam, sue } = t.staff;
  const act = asked({});
  await ask(act);

  // Without an act at all, with one that nobody confirmed, with one of two, with a yes in another's name.
  const bare = commitOf(t, 'act.confirm', {
    changes: { contact: changed, memberships: [raised] },
    effects: [effectOf('contact', changed, changed), effectOf('membership', raised, raised)],
  });
  assert.equal(await refusalOf(path.commitDecision(bare)), 'limit_not_confirmed');
  const alone = yes(act, adam, personOf(adam), 'CONSUMED', { contact: changed, membership: raised });
  assert.equal(await alone.refusal, 'act_not_confirmed');
  assert.equal(await yes(act, adam, personOf(sue), 'PENDING').refusal, 'confirmation_of_another');
  assert.equal(await yes(act, adam, newId(), 'PENDING').refusal, 'confirmation_of_another');

  const first = yes(act, adam, personOf(adam), 'PENDING');
  assert.equal(await first.refusal, 'allowed');
  const twice = yes(first.after, adam, personOf(adam), 'CONSUMED', { contact: changed, membership: raised });
  assert.equal(await twice.refusal, 'act_confirmations_pkey');
  // Confirmed, but the row says something else than was asked.
  for (const other of [{ approval_limit_cents: 5_001 }, { approval_limit_cents: 4_999 }]) {
    const more = yes(first.after, sue, personOf(sue), 'CONSUMED', {
      contact: changed,
      membership: { ...raised, ...other },
    });
    assert.equal(await more.refusal, 'limit_not_confirmed', JSON.stringify(other));
  }
  const both = yes(first.after, sue, personOf(sue), 'CONSUMED', { contact: changed, membership: raised });
  assert.equal(await both.refusal, 'allowed');

  // From now on somebody could approve: two admins make no other, not even after the first is nobody any more.
  const now = await directory(t.contacts.stranger);
  assert.equal(now.has_had_approver, true);
  assert.equal(now.memberships[0]?.approval_limit_cents, 5_000);
  const lower = { approval_limit_cents: 0 };
  const down = asked({ input: { ...act.input, ...lower }, deciders: 1 });
  await ask(down);
  const none = next(raised, { ...lower, may_approve: false });
  const lowered = yes(down, adam, personOf(adam), 'CONSUMED', { contact: next(changed), membership: none });
  assert.equal(await lowered.refusal, 'allowed');
  assert.equal((await directory(t.contacts.stranger)).has_had_approver, true);
  const again = asked({});
  await ask(again);
  const half = yes(again, adam, personOf(adam), 'PENDING');
  assert.equal(await half.refusal, 'allowed');
  const second = yes(half.after, sue, personOf(sue), 'CONSUMED', {
    contact: next(next(changed)),
    membership: next(none, { may_approve: true, approval_limit_cents: 5_000 }),
  });
  assert.equal(await second.refusal, 'limit_not_confirmed');
});

test('contacts of one act come on file together or not at all, each with the code that was asked for', async () => {
  verifies('T4.7', 'T3.11', 'F.1');
  const count = async () => {
    const { rows } = await admin.query<{ contacts: number; rights: number; codes: number }>(
      `select (select count(*)::int from dispatch.contacts) as contacts,
              (select count(*)::int from dispatch.contact_memberships) as rights,
              (select count(*)::int from dispatch.contact_codes) as codes`,
    );
    return rows[0];
  };
  const before = await count();
  assert.ok(before);
  const slugs = Array.from({ length: MAX_IMPORTED_CONTACTS }, (_, n) => `manager-${n}`);
  const asked = async (change?: (changes: Changes) => Changes, codes = slugs) => {
    const commits = await importCommits(path, t, codes, change);
    await path.commitDecision(commits.ask);
    return refusalOf(path.commitDecision(commits.confirm));
  };
  /** The last row alone is wrong. */
  const last = <Row>(rows: readonly Row[] = [], change: (row: Row) => Row): readonly Row[] =>
    rows.map((row, n) => (n === rows.length - 1 ? change(row) : row));
  const spoiled: readonly (readonly [refusal: string, change: (changes: Changes) => Changes])[] = [
    [
      'limit_not_confirmed',
      (c) => ({ ...c, memberships: last(c.memberships, (m) => ({ ...m, approval_limit_cents: 1 })) }),
    ],
    [
      'change_without_event',
      (c) => ({ ...c, contact_codes: last(c.contact_codes, (k) => ({ ...k, slug: 'owner' })) }),
    ],
    [
      'change_without_event',
      (c) => ({
        ...c,
        contact_codes: last(c.contact_codes, (k) => ({ ...k, account_id: t.otherAccountId })),
      }),
    ],
    [
      'change_without_event',
      (c) => ({ ...c, contact_codes: last(c.contact_codes, (k) => ({ ...k, contact_id: t.contacts.sam })) }),
    ],
    [
      'contact_codes_slug_key',
      (c) => ({ ...c, contact_codes: last(c.contact_codes, (k) => ({ ...k, slug: 'manager-0' })) }),
    ],
    ['version_step', (c) => ({ ...c, contacts: last(c.contacts, (one) => ({ ...one, version: 2 })) })],
  ];
  for (const [refusal, change] of spoiled) {
    assert.equal(await asked(change), refusal, change.toString());
    assert.deepEqual(await count(), before, change.toString());
  }
  assert.equal(await asked(), 'allowed');
  assert.deepEqual(await count(), {
    contacts: before.contacts + slugs.length,
    rights: before.rights + slugs.length,
    codes: before.codes + slugs.length,
  });
  // One code that is given already is enough, and the code is not given away afterwards.
  assert.equal(await asked(undefined, ['manager-new', 'manager-7']), 'contact_codes_slug_key');
  assert.equal((await count())?.codes, before.codes + slugs.length);
  for (const statement of [
    sql`update dispatch.contact_codes set slug = 'owner'`,
    sql`delete from dispatch.contact_codes`,
    sql`truncate dispatch.contact_codes`,
  ]) {
    assert.equal(await attack(pool, t.tenantId, statement), NO_GRANT);
    assert.equal(await attack(admin, t.tenantId, statement), 'append_only');
  }
});

test('an act stays what was asked, and is over when it is over', async () => {
  verifies('T3.4', 'T4.7');
  const act = asked({ deciders: 1, command: 'contact.reset', input: {} });
  await ask(act);
  const { confirmers } = await directory(t.contacts.sam);
  const person = confirmers.find((c) => c.staff_id === t.staff.adam)?.person_id ?? '';
  const edits = ['input', 'action', 'deciders', 'expires_at', 'asked_by', 'command'];
  for (const column of edits) {
    const statement = sql([
      `update dispatch.acts set ${column} = ${column}`,
    ] as unknown as TemplateStringsArray);
    assert.equal(await attack(pool, t.tenantId, statement), '42501', column);
  }
  const late = asked({ deciders: 1, asked_at: instantIn(-7_200_000), expires_at: instantIn(-1) });
  await ask(late);
  assert.equal(await yes(late, t.staff.adam, person, 'CONSUMED').refusal, 'act_not_confirmed');
  const done = yes(act, t.staff.adam, person, 'CONSUMED');
  assert.equal(await done.refusal, 'allowed');
  assert.equal(await yes(done.after, t.staff.sue, person, 'CONSUMED').refusal, 'effects_transition_fkey');
});

/** A statement of this test's own making, without values. */
const raw = (text: string): Sql => sql([text] as unknown as TemplateStringsArray);

test('the app role cannot put anybody on file, give a role, raise a limit or move a contract', async () => {
  verifies('T4.5', 'T3.11');
  const planted = newId();
  const said = 'change_without_event';
  const attacks: readonly (readonly [Sql, string])[] = [
    [
      sql`insert into dispatch.contacts (tenant_id, id, version, state, active, person_id, changed_at, event_id)
          values (${t.tenantId}, ${planted}, 1, 'ACTIVE', true, ${planted}, now(), ${planted})`,
      said,
    ],
    [sql`update dispatch.contact_memberships set approval_limit_cents = 100000000`, said],
    [sql`update dispatch.contact_memberships set version = 2, approval_limit_cents = 100000000`, said],
    [sql`update dispatch.accounts set contract = '{}', authority_version = authority_version + 1`, said],
    [sql`update dispatch.autonomy_settings set level = 3`, said],
    [sql`update dispatch.technicians set skills = '{everything}'`, said],
    [sql`update dispatch.sites set territory = 'everywhere'`, said],
    [sql`delete from dispatch.contact_memberships`, NO_GRANT],
    [
      sql`insert into dispatch.staff_roles (tenant_id, staff_id, role, event_id) values (${t.tenantId}, ${t.staff.dana}, 'admin', ${planted})`,
      NO_GRANT,
    ],
    [sql`delete from dispatch.staff_roles`, NO_GRANT],
    [sql`update dispatch.staff set active = false`, NO_GRANT],
    [
      sql`insert into trust.service_keys (keyid, service, environment, x, not_before, not_after, event_tenant_id, event_id)
        values ('k', 'web', 'demo', 'x', now(), now(), ${t.tenantId}, ${planted})`,
      NO_GRANT,
    ],
    [sql`update dispatch.transitions set mode = 'plain'`, NO_GRANT],
    [sql`select dispatch.bootstrap('{}'::jsonb)`, NO_GRANT],
    [sql`select trust.put_service_key('{}'::jsonb)`, NO_GRANT],
    [sql`select trust.revoke_service_key('{}'::jsonb)`, NO_GRANT],
  ];
  for (const [statement, expected] of attacks) {
    assert.equal(await attack(pool, t.tenantId, statement), expected, statement.toQuery().text);
  }
});

test('a row of authority has its event, even from whoever may write everything', async () => {
  verifies('F.1', 'T4.7');
  const orphan = (table: string, columns: string, values: string) =>
    attack(
      admin,
      t.tenantId,
      raw(
        `insert into ${table} (tenant_id, event_id, ${columns}) values ('${t.tenantId}', '${newId()}', ${values})`,
      ),
    );
  for (const [table, columns, values] of [
    ['contacts', 'id, person_id', `'${newId()}', '${newId()}'`],
    ['staff_roles', 'staff_id, role', `'${t.staff.dana}', 'admin'`],
    ['technicians', 'id, person_id, slug', `'${newId()}', '${newId()}', 'x'`],
    ['accounts', 'id, slug, contract', `'${newId()}', 'x', '{}'`],
  ] as const) {
    assert.equal(await orphan(`dispatch.${table}`, columns, values), 'change_without_event', table);
  }
  for (const gone of ['contacts', 'staff', 'accounts', 'technicians', 'contact_memberships']) {
    assert.equal(await attack(admin, t.tenantId, raw(`delete from dispatch.${gone}`)), 'append_only', gone);
  }
});
