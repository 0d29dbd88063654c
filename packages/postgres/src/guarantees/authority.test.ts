import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TurnRow } from '@deadlatch/decision';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import { authorityVersion } from '../../../../test/support/canonical-commits.ts';
import {
  commitOf,
  firstMessage,
  instantIn,
  newId,
  newMessage,
  newTicket,
  newTurn,
  ticketStep,
} from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { attack, plantedEffect, refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { type CommandPath, createCommandPath } from '../command-path.ts';
import type { Pool } from '../pool.ts';
import { type Sql, sql } from '../sql.ts';
import { withTenant } from '../with-tenant.ts';

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

const create = (version: number) =>
  refusalOf(
    path.commitDecision(
      ticketStep(t, 'ticket.create', null, newTicket(t), {
        authority: { account_id: t.accountId, version },
      }),
    ),
  );

/** How many sessions of this database wait for a lock. */
async function waiting(): Promise<number> {
  const { rows } = await admin.query(
    "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows[0].n;
}

async function autonomyVersion(): Promise<number> {
  const { rows } = await admin.query('select autonomy_version as v from dispatch.tenants where id = $1', [
    t.tenantId,
  ]);
  return rows[0].v;
}

test('who may do what changed between read and commit: the commit is refused', async () => {
  verifies('A.3b', 'T3.1');
  const read = await authorityVersion(path, t);
  assert.equal(await create(read), 'allowed');
  await changeMembership(t.contacts.sam, sql`may_request = not may_request`);
  assert.equal(await authorityVersion(path, t), read + 1);
  assert.equal(await create(read), 'authority_changed');
  assert.equal(await create(read + 1), 'allowed');
});

/** A change of a contact's membership, with its event. */
async function changeMembership(contactId: string, set: Sql): Promise<void> {
  const { rows } = await admin.query(
    'select id, version from dispatch.contact_memberships where tenant_id = $1 and contact_id = $2',
    [t.tenantId, contactId],
  );
  const { id, version } = rows[0];
  await run(
    ...plantedEffect(t.tenantId, 'membership', id, 'act.confirm', 'ACTIVE', 'ACTIVE', version + 1),
    sql`update dispatch.contact_memberships set version = version + 1, ${set} where id = ${id}`,
  );
}

async function run(...statements: readonly Sql[]): Promise<void> {
  await withTenant(admin, t.tenantId, async (tx) => {
    for (const statement of statements) await tx.run(statement);
  });
}

test('every change of who may do what moves the version, of the accounts it concerns and of no others', async () => {
  verifies('A.3b', 'T3.1');
  const versions = async () => {
    const { rows } = await admin.query('select id, authority_version as v from dispatch.accounts');
    return [t.accountId, t.otherAccountId].map((id) => Number(rows.find((r) => r.id === id)?.v));
  };
  const { sam } = t.contacts;
  const { otto } = t.staff;
  const { tom } = t.technicians;
  const byAct = (id: string, version: number, from: string, to: string) =>
    plantedEffect(t.tenantId, 'contact', id, 'act.confirm', to, from, version);
  const changes: readonly (readonly [string, readonly Sql[], number, number])[] = [
    [
      'a contact changes',
      [
        ...byAct(sam, 2, 'ACTIVE', 'ACTIVE'),
        sql`update dispatch.contacts set version = 2, changed_at = now() where id = ${sam}`,
      ],
      1,
      0,
    ],
    [
      'nothing of a contact changes but its event',
      [
        ...byAct(sam, 3, 'ACTIVE', 'ACTIVE'),
        sql`update dispatch.contacts set version = 3, event_id = event_id where id = ${sam}`,
      ],
      0,
      0,
    ],
    [
      'a contact is taken off',
      [
        ...byAct(sam, 4, 'ACTIVE', 'INACTIVE'),
        sql`update dispatch.contacts set version = 4, state = 'INACTIVE', active = false where id = ${sam}`,
      ],
      1,
      0,
    ],
    [
      'a technician learns something',
      [
        ...plantedEffect(t.tenantId, 'technician', tom, 'technician.change', 'ACTIVE', 'ACTIVE', 2),
        sql`update dispatch.technicians set version = 2, skills = '{doors}' where id = ${tom}`,
      ],
      1,
      1,
    ],
    [
      'a technician leaves',
      [
        ...plantedEffect(t.tenantId, 'technician', tom, 'technician.deactivate', 'INACTIVE', 'ACTIVE', 3),
        sql`update dispatch.technicians set version = 3, state = 'INACTIVE', active = false where id = ${tom}`,
      ],
      1,
      1,
    ],
    [
      'a contract changes',
      [
        ...plantedEffect(t.tenantId, 'account', t.accountId, 'account.change', 'ACTIVE', 'ACTIVE', 2),
        sql`update dispatch.accounts set version = 2, slug = 'renamed', authority_version = authority_version + 1
             where id = ${t.accountId}`,
      ],
      1,
      0,
    ],
    // No command gives or takes a role yet; whoever could past the functions moves the version all the same.
    [
      'a role is taken',
      [
        sql`alter table dispatch.staff_roles disable trigger a_part`,
        sql`delete from dispatch.staff_roles where staff_id = ${otto}`,
        sql`alter table dispatch.staff_roles enable trigger a_part`,
      ],
      1,
      1,
    ],
  ];
  for (const [what, statements, here, elsewhere] of changes) {
    const [before = 0, other = 0] = await versions();
    await run(...statements);
    assert.deepEqual(await versions(), [before + here, other + elsewhere], what);
    assert.equal(await create(before), here === 0 ? 'allowed' : 'authority_changed');
    assert.equal(await create(before + here), 'allowed');
  }
});

test('a change of authority waits for the commits that were made on it, and the next commit sees it', async () => {
  verifies('A.3b');
  const read = await authorityVersion(path, t);
  const locked = await pool.connect();
  await locked.query('begin');
  await locked.query("select set_config('deadlatch.tenant', $1, true)", [t.tenantId]);
  await locked.query('select 1 from dispatch.accounts where id = $1 for share', [t.accountId]);
  let changed = false;
  const change = changeMembership(t.contacts.alan, sql`approval_limit_cents = approval_limit_cents - 1`).then(
    () => {
      changed = true;
    },
  );
  while ((await waiting()) === 0);
  // Another commit on the same version shares the lock: it does not wait for the first.
  assert.equal(await create(read), 'allowed');
  assert.equal(changed, false);
  await locked.query('commit');
  locked.release();
  await change;
  assert.equal(await create(read), 'authority_changed');
});

test('a pause between read and commit stops the agent and nobody else', async () => {
  const asAgent = (autonomy_version: number) =>
    refusalOf(path.commitDecision(ticketStep(t, 'ticket.create', null, newTicket(t), { autonomy_version })));
  const read = await autonomyVersion();
  assert.equal(await asAgent(read), 'allowed');
  const pause = { scope: 'tenant', scope_id: t.tenantId } as const;
  await path.commitDecision(commitOf(t, 'autonomy.pause', { changes: { pause } }));
  assert.equal(await asAgent(read), 'autonomy_changed');
  assert.equal(await create(await authorityVersion(path, t)), 'allowed');
  // A brake pulled twice is pulled; letting go of one that is not pulled is a conflict.
  await path.commitDecision(commitOf(t, 'autonomy.pause', { changes: { pause } }));
  await path.commitDecision(commitOf(t, 'autonomy.resume', { changes: { unpause: pause } }));
  const again = commitOf(t, 'autonomy.resume', { changes: { unpause: pause } });
  assert.equal(await refusalOf(path.commitDecision(again)), 'version_conflict');
});

test('a pause and an agent at the same moment: the agent is before it or refused', async () => {
  verifies('R.2');
  const read = await autonomyVersion();
  const pause = { scope: 'account', scope_id: t.accountId } as const;
  const [agents] = await Promise.all([
    Promise.all(
      Array.from({ length: 6 }, () =>
        refusalOf(
          path.commitDecision(ticketStep(t, 'ticket.create', null, newTicket(t), { autonomy_version: read })),
        ),
      ),
    ),
    path.commitDecision(commitOf(t, 'autonomy.pause', { changes: { pause } })),
  ]);
  assert.ok(
    agents.every((a) => a === 'allowed' || a === 'autonomy_changed'),
    agents.join(),
  );
  const late = ticketStep(t, 'ticket.create', null, newTicket(t), { autonomy_version: read });
  assert.equal(await refusalOf(path.commitDecision(late)), 'autonomy_changed');
});

/** The first message of a contact who has no conversation yet, with its turn. */
async function turnOf(contact_id: string, patch: Partial<TurnRow> = {}) {
  const { commit, conversation, turn } = firstMessage(t, { contact_id });
  const changes = {
    ...commit.changes,
    conversation: { ...conversation, contact_id },
    turn: { ...turn, subject_id: contact_id, ...patch },
  };
  await path.commitDecision({ ...commit, changes });
  return turn;
}

/** A newer message in the conversation of a turn. */
function newer(conversationId: string) {
  const message = newMessage(t, { conversation_id: conversationId });
  const turn = newTurn(t, conversationId, message.id);
  const commit = commitOf(t, 'message.receive', { changes: { inbound_message: message, turn } });
  return { turn, commit };
}

const inTurn = (turn_id: string) =>
  refusalOf(path.commitDecision(ticketStep(t, 'ticket.create', null, newTicket(t), { turn_id })));

test('an agent commits in its live turn, and not after a newer message ended it or its time was up', async () => {
  verifies('T1.9', 'A.3b');
  const turn = await turnOf(t.contacts.maria);
  assert.equal(await inTurn(turn.id), 'allowed');
  assert.equal(await inTurn(newId()), 'turn_ended');
  const next = newer(turn.conversation_id);
  await path.commitDecision(next.commit);
  assert.equal(await inTurn(turn.id), 'turn_ended');
  assert.equal(await inTurn(next.turn.id), 'allowed');
  const late = await turnOf(t.contacts.sam, { opened_at: instantIn(-600_000), expires_at: instantIn(-1) });
  assert.equal(await inTurn(late.id), 'turn_ended');
});

test('a newer message waits for the commit of the turn it ends; whatever comes after it is refused', async () => {
  verifies('R.2');
  const turn = await turnOf(t.contacts.olga);
  const locked = await pool.connect();
  await locked.query('begin');
  await locked.query("select set_config('deadlatch.tenant', $1, true)", [t.tenantId]);
  await locked.query('select dispatch.hold_turn($1, $2)', [t.tenantId, turn.id]);
  let hasArrived = false;
  const arrival = path.commitDecision(newer(turn.conversation_id).commit).then(() => {
    hasArrived = true;
  });
  while ((await waiting()) === 0);
  assert.equal(hasArrived, false);
  await locked.query('commit');
  locked.release();
  await arrival;
  assert.equal(await inTurn(turn.id), 'turn_ended');
});

test('mistake 10: commits of one turn that make its ticket at the same moment wait for each other', async () => {
  guardsAgainst(10);
  verifies('R.2');
  const turn = await turnOf(t.contacts.alan);
  const made = await Promise.all(
    Array.from({ length: 8 }, () => {
      const ticket = newTicket(t, { conversation_id: turn.conversation_id });
      const commit = ticketStep(t, 'ticket.create', null, ticket, {
        turn_id: turn.id,
        changes: { turn_ticket: { turn_id: turn.id, ticket_id: ticket.id } },
      });
      return refusalOf(path.commitDecision(commit));
    }),
  );
  assert.equal(made.filter((m) => m === 'allowed').length, 1);
  assert.equal(made.filter((m) => m === 'tickets_one_open_per_conversation').length, 7, made.join());
});

test('a tenant that is not on file has no facts', async () => {
  verifies('C.0');
  const facts = path.readFacts({
    tenant_id: newId(),
    command: 'ticket.create',
    target: 'none',
    target_id: null,
    needs: [],
    subject: null,
    service: 'web',
    turn_id: null,
    conversation_id: null,
    idempotency: null,
    refs: {},
  });
  assert.equal(await refusalOf(facts), 'unknown_tenant');
});

test('counters step by one: no jump ahead, no way back', async () => {
  for (const step of [2, -1, 0]) {
    assert.equal(
      await attack(
        pool,
        t.tenantId,
        sql`update dispatch.accounts set authority_version = authority_version + ${step} where id = ${t.accountId}`,
      ),
      'counter_step',
    );
  }
});
