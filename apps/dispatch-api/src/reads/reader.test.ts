import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { READS, type ServiceName, type SubjectKind } from '@deadlatch/catalogue';
import type { Caller } from '@deadlatch/decision';
import { DispatchError } from '@deadlatch/kernel';
import { createCommandPath, type Pool, withTenant } from '@deadlatch/postgres';
import { verifies } from '../../../../test/requirements.ts';
import {
  effectOf,
  firstMessage,
  newTicket,
  newVisit,
  next,
  ticketStep,
} from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { listQueue } from './queue.sql.ts';
import { requireReadCeiling, requireReader, type Sees } from './reader.ts';
import { findTicket } from './tickets.sql.ts';

let database: TestDatabase;
let pool: Pool;
let t: SeededTenant;
let turnId: string;
let conversationId: string;
let ticketId: string;
let otherId: string;

before(async () => {
  database = await createTestDatabase();
  pool = testPool(database.urls.dispatch);
  t = await seedTenant(database.adminUrl);
  const path = createCommandPath(pool);
  const first = firstMessage(t);
  await path.commitDecision(first.commit);
  turnId = first.turn.id;
  conversationId = first.conversation.id;
  const ticket = newTicket(t, { conversation_id: conversationId });
  const other = newTicket(t, { site_id: t.otherSiteId, requester_id: t.contacts.sam });
  ticketId = ticket.id;
  otherId = other.id;
  await path.commitDecision(
    ticketStep(t, 'ticket.create', null, ticket, {
      changes: { turn_ticket: { turn_id: turnId, ticket_id: ticketId } },
    }),
  );
  await path.commitDecision(ticketStep(t, 'ticket.create', null, other));
  const triaged = next(ticket, { state: 'TRIAGED' });
  await path.commitDecision(ticketStep(t, 'ticket.triage', ticket, triaged));
  const visit = newVisit(t, ticketId);
  await path.commitDecision(
    ticketStep(t, 'visit.dispatch_emergency', triaged, next(triaged, { state: 'DISPATCHED' }), {
      effects: [effectOf('visit', null, visit)],
      changes: { visit },
    }),
  );
});
after(async () => {
  await pool.end();
  await database.drop();
});

function caller(kind: SubjectKind, id: string | null, over: Partial<Caller> = {}): Caller {
  return {
    tenantId: t.tenantId,
    service: 'web',
    subject: { kind, id },
    assurance: 'L1',
    agent: null,
    scope: 'person',
    context: { correlationId: randomUUID(), conversationId: null, ticketId: null, actionDigest: null },
    ...over,
  };
}

const asAgent = (over: Partial<Caller> = {}) =>
  caller('contact', t.contacts.maria, {
    service: 'tool-bridge',
    scope: 'turn',
    agent: { role: 'agent.intake', turnId },
    ...over,
  });

const reader = (name: string, who: Caller) =>
  withTenant(pool, who.tenantId, (tx) => requireReader(tx, name, who));
const refuses = (expected: string) => (error: unknown) =>
  error instanceof DispatchError && error.code === expected;

/** Which of the two tickets are seen, by list and one by one: always the same. */
async function sees(view: Sees): Promise<string[]> {
  return withTenant(pool, t.tenantId, async (tx) => {
    const all = { state: null, priority: null, siteId: null, mine: false, after: null };
    const found = await listQueue(tx, { tenantId: t.tenantId, id: null, sees: view }, all);
    const list = found.map(({ id }) => id);
    for (const id of [ticketId, otherId]) {
      assert.equal(
        (await findTicket(tx, t.tenantId, view, id)) !== null,
        list.includes(id),
        'list and read agree',
      );
    }
    return list.sort();
  });
}

describe('who reads', () => {
  test('holds the role now, in the database, and of the subject’s own kind', async () => {
    verifies('A.3a', 'C.2');
    assert.deepEqual((await reader('ticket.list', caller('staff', t.staff.dana))).sees, { kind: 'tenant' });
    for (const who of [
      caller('staff', t.staff.adam),
      caller('staff', t.contacts.maria),
      caller('contact', t.staff.dana),
      caller('technician', t.staff.dana),
      caller('contact', randomUUID()),
      caller('link', t.contacts.maria),
    ]) {
      await assert.rejects(reader('ticket.list', who), refuses('not_granted'));
    }
    await assert.rejects(reader('conversation.list', caller('staff', t.staff.fay)), refuses('not_granted'));
    await assert.rejects(reader('nothing', caller('staff', t.staff.dana)), refuses('unknown_command'));
  });

  test('comes through a service that may ask this, for this kind of subject, in its one scope', () => {
    verifies('T4.2', 'T4.5');
    requireReadCeiling('ticket.get', caller('staff', t.staff.dana));
    requireReadCeiling('ticket.get', asAgent());
    const wrong: readonly Caller[] = [
      ...(
        ['gateway', 'identity', 'worker', 'vault', 'agent', 'simulator', 'dispatch-api'] as ServiceName[]
      ).map((service) => caller('staff', t.staff.dana, { service })),
      caller('system', randomUUID()),
      caller('staff', t.staff.dana, { assurance: 'L2' }),
      caller('staff', t.staff.dana, { scope: 'step-up' }),
      asAgent({ service: 'web' }),
      asAgent({ scope: 'person', agent: null }),
      asAgent({ assurance: 'L2' }),
    ];
    for (const who of wrong) {
      assert.throws(() => requireReadCeiling('ticket.get', who), refuses('above_ceiling'));
    }
    for (const { name } of READS) {
      assert.throws(
        () => requireReadCeiling(name, caller('staff', t.staff.dana, { service: 'vault' })),
        refuses('above_ceiling'),
      );
    }
  });
});

describe('what is seen', () => {
  test('staff: the tenant; technician: their visits; contact: their own, or their account’s when they approve', async () => {
    verifies('A.3b', 'T5.6');
    const both = [ticketId, otherId].sort();
    const view = async (who: Caller) => sees((await reader('ticket.list', who)).sees);
    assert.deepEqual(await view(caller('staff', t.staff.otto)), both);
    assert.deepEqual(await view(caller('technician', t.technicians.tom)), [ticketId]);
    assert.deepEqual(await view(caller('technician', t.technicians.tess)), []);
    assert.deepEqual(await view(caller('contact', t.contacts.maria)), [ticketId]);
    assert.deepEqual(await view(caller('contact', t.contacts.sam)), [otherId]);
    assert.deepEqual(await view(caller('contact', t.contacts.alan)), both);
    assert.deepEqual(await view(caller('contact', t.contacts.stranger)), []);
  });

  test('an agent: the ticket and conversation of its turn, while it lives', async () => {
    verifies('T1.9', 'A.3b');
    const { sees: view } = await reader('ticket.get', asAgent());
    assert.deepEqual(view, { kind: 'turn', conversationId, ticketId });
    assert.deepEqual(await sees(view), [ticketId]);
    assert.deepEqual(await sees({ kind: 'turn', conversationId, ticketId: null }), []);
    const wrong: readonly Partial<Caller>[] = [
      { agent: { role: 'agent.intake', turnId: randomUUID() } },
      { agent: { role: 'agent.liaison', turnId } },
      { subject: { kind: 'contact', id: t.contacts.sam } },
    ];
    for (const over of wrong)
      await assert.rejects(reader('ticket.get', asAgent(over)), refuses('turn_ended'));
    await assert.rejects(reader('ticket.list', asAgent()), refuses('above_ceiling'));
  });

  test('another tenant sees nothing, even by id', async () => {
    verifies('T4.6');
    const other = await seedTenant(database.adminUrl, { slug: 'other' });
    const found = await withTenant(pool, other.tenantId, (tx) =>
      findTicket(tx, t.tenantId, { kind: 'tenant' }, ticketId),
    );
    assert.equal(found, null);
    assert.notEqual(
      await withTenant(pool, t.tenantId, (tx) => findTicket(tx, t.tenantId, { kind: 'tenant' }, ticketId)),
      null,
    );
  });
});
