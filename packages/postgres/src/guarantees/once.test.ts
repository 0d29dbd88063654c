import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import {
  commitOf,
  firstMessage,
  newId,
  newMessage,
  newTicket,
  next,
  nonce,
  ticketStep,
} from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { attack, NO_GRANT, refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { type CommandPath, type CommitDecisionInput, createCommandPath } from '../command-path.ts';
import { type CommitErrorKind, mapCommitError } from '../errors.ts';
import type { Pool } from '../pool.ts';
import { sql } from '../sql.ts';

let db: TestDatabase;
let pool: Pool;
let admin: Pool;
let path: CommandPath;
let t: SeededTenant;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pool = testPool(db.urls.dispatch, 10);
  admin = testPool(db.adminUrl, 2);
  path = createCommandPath(pool);
});
after(async () => {
  await pool.end();
  await admin.end();
  await db.drop();
});

/** `ok`, or the kind of refusal. */
async function outcome(work: Promise<unknown>): Promise<'ok' | CommitErrorKind> {
  return await work.then(
    () => 'ok' as const,
    (error: unknown) => mapCommitError(error).kind,
  );
}
const keyOf = (key: string, over = {}) => ({
  service: 'web',
  subject: `staff:${t.staff.dana}`,
  command: 'ticket.create',
  path: '/v1/ticket.create',
  key,
  fingerprint: 'f'.repeat(43),
  answer: { result: {} },
  ...over,
});
const countOf = async (text: string, values: unknown[]) =>
  Number((await admin.query(`select count(*)::int as n from ${text}`, values)).rows[0]?.n);

test('a nonce works once: on commits, refusals and replays alike', async () => {
  verifies('T4.3');
  const burned = nonce();
  const create = (n = burned) => ({ ...ticketStep(t, 'ticket.create', null, newTicket(t)), nonce: n });
  assert.equal(await outcome(path.commitDecision(create())), 'ok');
  assert.equal(await outcome(path.commitDecision(create())), 'nonce_replayed');
  assert.equal(await outcome(path.commitReplay({ tenant_id: t.tenantId, nonce: burned })), 'nonce_replayed');
  const { event } = commitOf(t, 'x');
  const refusal = { tenant_id: t.tenantId, nonce: burned, event: { ...event, decision: 'refused' as const } };
  assert.equal(await outcome(path.commitRefusal(refusal)), 'nonce_replayed');
  assert.equal(await outcome(path.commitRefusal({ ...refusal, nonce: nonce() })), 'ok');
  // The same nonce under another key is another signature.
  assert.equal(await outcome(path.commitDecision(create({ ...burned, keyid: 'k'.repeat(43) }))), 'ok');
});

test('a nonce of another tenant is just as burned: signatures know no tenants', async () => {
  verifies('T4.3');
  const other = await seedTenant(db.adminUrl, { slug: 'other' });
  const burned = nonce();
  assert.equal(await outcome(path.commitReplay({ tenant_id: t.tenantId, nonce: burned })), 'ok');
  assert.equal(
    await outcome(path.commitReplay({ tenant_id: other.tenantId, nonce: burned })),
    'nonce_replayed',
  );
});

test('a failed commit does not burn its nonce, and a commit without one is refused', async () => {
  const kept = nonce();
  const bad = { ...ticketStep(t, 'ticket.close', null, newTicket(t)), nonce: kept };
  assert.equal(await outcome(path.commitDecision(bad)), 'guarantee');
  assert.equal(await outcome(path.commitReplay({ tenant_id: t.tenantId, nonce: kept })), 'ok');
  const without = { ...commitOf(t, 'x'), nonce: null } as unknown as CommitDecisionInput;
  assert.equal(await refusalOf(path.commitDecision(without)), 'nonce_missing');
});

test('database time decides: expired, from the future and too long are refused, 5 s of skew are not', async () => {
  verifies('T4.3');
  const { rows } = await admin.query<{ now: number }>('select extract(epoch from now())::float8 as now');
  const now = Math.floor(rows[0]?.now ?? 0);
  const at = (created: number, life: number) =>
    outcome(
      path.commitReplay({
        tenant_id: t.tenantId,
        nonce: nonce({ created: now + created, expires: now + created + life }),
      }),
    );
  assert.equal(await at(0, 60), 'ok');
  assert.equal(await at(-58, 60), 'ok');
  assert.equal(await at(3, 30), 'ok');
  assert.equal(await at(0, 61), 'expired');
  assert.equal(await at(-70, 60), 'expired');
  assert.equal(await at(30, 30), 'expired');
  assert.equal(await at(0, 0), 'expired');
  assert.equal(await at(10, -20), 'expired');
});

test('mistake 31 and mistake 33: an idempotency key works once, for as long as the record lives', async () => {
  guardsAgainst(31, 33);
  verifies('R.2', 'C.1');
  const key = newId();
  const create = (over = {}) => ({
    ...ticketStep(t, 'ticket.create', null, newTicket(t)),
    idempotency: keyOf(key, over),
  });
  assert.equal(await outcome(path.commitDecision(create())), 'ok');
  assert.equal(await outcome(path.commitDecision(create())), 'idempotency_taken');
  // There is no lease to expire and no right to forget.
  assert.equal(await refusalOf(pool.query('delete from dispatch.idempotency')), NO_GRANT);
  assert.equal(await refusalOf(pool.query("update dispatch.idempotency set fingerprint = 'x'")), NO_GRANT);
  const facts = await path.readFacts({
    tenant_id: t.tenantId,
    command: 'ticket.create',
    target: 'none',
    target_id: null,
    needs: [],
    subject: null,
    service: 'web',
    turn_id: null,
    conversation_id: null,
    idempotency: keyOf(key),
    refs: {},
  });
  assert.equal(facts.stored?.fingerprint, 'f'.repeat(43));
  assert.deepEqual(facts.stored?.answer, { result: {} });
});

test('mistake 1: the key belongs to tenant, service, subject, command and concrete path', async () => {
  guardsAgainst(1);
  verifies('R.2');
  const key = newId();
  const commit = (over: object) =>
    outcome(
      path.commitDecision({
        ...ticketStep(t, 'ticket.create', null, newTicket(t)),
        idempotency: keyOf(key, over),
      }),
    );
  assert.equal(await commit({}), 'ok');
  for (const over of [
    { service: 'cli' },
    { subject: `staff:${t.staff.sue}` },
    { command: 'ticket.hold' },
    { path: `/v1/tickets/${newId()}/ticket.hold` },
  ]) {
    assert.equal(await commit(over), 'ok', JSON.stringify(over));
    assert.equal(await commit(over), 'idempotency_taken', JSON.stringify(over));
  }
});

test('two identical commands at once make one effect, and the other learns that the key is taken', async () => {
  verifies('R.2', 'T4.3');
  const key = newId();
  const tickets = Array.from({ length: 8 }, () => newTicket(t));
  const outcomes = await Promise.all(
    tickets.map((ticket) =>
      outcome(
        path.commitDecision({ ...ticketStep(t, 'ticket.create', null, ticket), idempotency: keyOf(key) }),
      ),
    ),
  );
  assert.equal(outcomes.filter((o) => o === 'ok').length, 1);
  assert.equal(outcomes.filter((o) => o === 'idempotency_taken').length, 7);
  assert.equal(await countOf('dispatch.tickets where id = any($1)', [tickets.map((x) => x.id)]), 1);
});

test('mistake 10: eight intakes of one conversation at once make one open ticket', async () => {
  guardsAgainst(10);
  verifies('R.2');
  const { conversation, commit } = firstMessage(t);
  await path.commitDecision(commit);
  const intake = () => newTicket(t, { conversation_id: conversation.id });
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, () =>
      outcome(path.commitDecision(ticketStep(t, 'ticket.create', null, intake()))),
    ),
  );
  assert.equal(outcomes.filter((o) => o === 'ok').length, 1);
  assert.equal(outcomes.filter((o) => o === 'conversation_has_ticket').length, 7);
  // Once it is over, the conversation may have another.
  const { rows } = await admin.query('select id from dispatch.tickets where conversation_id = $1', [
    conversation.id,
  ]);
  const open = { ...intake(), id: rows[0]?.id as string };
  await path.commitDecision(ticketStep(t, 'ticket.cancel', open, next(open, { state: 'CANCELLED' })));
  assert.equal(await outcome(path.commitDecision(ticketStep(t, 'ticket.create', null, intake()))), 'ok');
});

test('mistake 16: what leaves is a row of the commit, delivered by somebody else, to a contact on file', async () => {
  guardsAgainst(16);
  verifies('F.1');
  const first = firstMessage(t);
  const text = (contact_id: string) => {
    const message = newMessage(t, { direction: 'OUT', state: 'QUEUED', template: 'M01', contact_id });
    const outbox = {
      id: newId(),
      kind: 'message.deliver',
      ref_id: message.id,
      order_key: contact_id,
      payload: {},
    };
    return { message, outbox, over: { changes: { messages: [message] }, outbox: [outbox] } };
  };
  const waiting = (id: string) =>
    countOf('dispatch.outbox where id = $1 and delivered_at is null and attempts = 0', [id]);
  const sent = text(first.message.contact_id ?? '');
  assert.equal(await outcome(path.commitDecision(commitOf(t, 'ticket.create', sent.over))), 'ok');
  assert.equal(await waiting(sent.outbox.id), 1);
  assert.equal(
    await refusalOf(
      pool.query('update dispatch.outbox set delivered_at = now() where id = $1', [sent.outbox.id]),
    ),
    NO_GRANT,
  );
  // The commit that fails sends nothing, whatever it had queued already.
  const burned = nonce();
  assert.equal(await outcome(path.commitReplay({ tenant_id: t.tenantId, nonce: burned })), 'ok');
  const lost = text(t.contacts.maria);
  const late = { ...commitOf(t, 'ticket.create', lost.over), nonce: burned };
  assert.equal(await outcome(path.commitDecision(late)), 'nonce_replayed');
  const stale = ticketStep(t, 'ticket.triage', newTicket(t), newTicket(t, { version: 2, state: 'TRIAGED' }));
  const doomed = { ...stale, changes: { ...stale.changes, ...lost.over.changes }, outbox: lost.over.outbox };
  assert.notEqual(await outcome(path.commitDecision(doomed)), 'ok');
  // Nobody is no recipient: neither an unknown contact nor a word in place of one.
  for (const nobody of [newId(), 'unknown', '']) {
    const { outbox, over } = text(nobody);
    assert.equal(await outcome(path.commitDecision(commitOf(t, 'ticket.create', over))), 'guarantee', nobody);
    assert.equal(await waiting(outbox.id), 0);
  }
  assert.equal(await countOf('dispatch.outbox where id = $1', [lost.outbox.id]), 0);
});

test("a carrier's message counts once per channel", async () => {
  verifies('R.2');
  const received = (channel: 'sms' | 'email') =>
    outcome(
      path.commitDecision(
        commitOf(t, 'message.receive', {
          changes: { inbound_message: newMessage(t, { provider_id: 'SM-once', channel }) },
        }),
      ),
    );
  assert.equal(await received('sms'), 'ok');
  assert.equal(await received('sms'), 'duplicate_inbound');
  assert.equal(await received('email'), 'ok');
});

test('a token that carries a digest is consumed once', async () => {
  verifies('T3.4');
  const txn = newId();
  const commit = () => path.commitDecision({ ...commitOf(t, 'x'), consume_token: txn });
  assert.equal(await outcome(commit()), 'ok');
  assert.equal(await outcome(commit()), 'token_consumed');
  assert.equal(
    await attack(pool, t.tenantId, sql`delete from dispatch.consumed_tokens where txn = ${txn}`),
    NO_GRANT,
  );
});

test('a new turn ends the one before, and a turn names its ticket once', async () => {
  verifies('T1.9');
  const first = firstMessage(t, {});
  // The contact's conversation exists already in this file: use another contact's.
  const conversation = { ...first.conversation, contact_id: t.contacts.sam };
  await path.commitDecision({ ...first.commit, changes: { ...first.commit.changes, conversation } });
  const ticket = newTicket(t, { conversation_id: conversation.id, requester_id: t.contacts.sam });
  const named = { turn_id: first.turn.id, ticket_id: ticket.id };
  await path.commitDecision(
    ticketStep(t, 'ticket.create', null, ticket, { changes: { turn_ticket: named } }),
  );
  assert.equal(
    await outcome(path.commitDecision(commitOf(t, 'x', { changes: { turn_ticket: named } }))),
    'version_conflict',
  );
  const message = { ...first.message, id: newId(), provider_id: newId() };
  const turn = { ...first.turn, id: newId(), message_id: message.id };
  await path.commitDecision(commitOf(t, 'message.receive', { changes: { inbound_message: message, turn } }));
  assert.equal(
    await countOf('dispatch.turns where conversation_id = $1 and ended_at is null', [conversation.id]),
    1,
  );
});

// Last: afterwards this second's signatures are refused.
test('nothing from before the floor is accepted; nonces are forgotten only below it, and it only rises', async () => {
  verifies('T4.3');
  assert.equal(await outcome(path.commitReplay({ tenant_id: t.tenantId, nonce: nonce() })), 'ok');
  assert.equal(await refusalOf(pool.query('delete from dispatch.nonces')), 'nonce_above_floor');
  assert.equal(await refusalOf(pool.query("update dispatch.nonces set nonce = 'x'")), NO_GRANT);
  assert.equal(
    await refusalOf(pool.query("update dispatch.nonce_floor set floor = now() + interval '1 day'")),
    'nonce_floor_rises',
  );
  await pool.query('update dispatch.nonce_floor set floor = now()');
  assert.equal(
    await refusalOf(pool.query("update dispatch.nonce_floor set floor = '-infinity'")),
    'nonce_floor_rises',
  );
  const created = Math.floor(Date.now() / 1000) - 5;
  const early = nonce({ created, expires: created + 30 });
  assert.equal(await outcome(path.commitReplay({ tenant_id: t.tenantId, nonce: early })), 'expired');
  await path.pruneNonces();
});
