import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Priority, TicketState } from '@deadlatch/catalogue';
import { OWNER_ROLE, type Pool, type Sql, type Tx, withTenant } from '@deadlatch/postgres';
import fc from 'fast-check';
import pg from 'pg';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { makeManyTickets } from '../../../../test/support/many-tickets.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { listQueue, type QueueFilter } from './queue.sql.ts';
import type { QueuePlace } from './queue-place.ts';
import type { Sees } from './reader.ts';
import { PAGE } from './tickets.sql.ts';

const TICKETS = 1_500;
const NO_FILTER: QueueFilter = { state: null, priority: null, siteId: null, mine: false, after: null };

interface Row {
  readonly id: string;
  readonly state: TicketState;
  readonly priority: Priority | null;
  readonly site_id: string;
  readonly account_id: string;
  readonly reported_at: string;
  readonly technician_id: string | null;
  readonly offered_by: string | null;
}

let db: TestDatabase;
let pool: Pool;
let t: SeededTenant;
let stranger: SeededTenant;
let rows: readonly Row[];

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  stranger = await seedTenant(db.adminUrl, { slug: 'somebody-else' });
  pool = testPool(db.urls.dispatch);
  const owner = new pg.Client({ connectionString: db.adminUrl });
  await owner.connect();
  await owner.query(`set role ${OWNER_ROLE}`);
  await makeManyTickets(owner, { tenantId: t.tenantId, staffId: t.staff.dana, count: TICKETS });
  await makeManyTickets(owner, {
    tenantId: stranger.tenantId,
    staffId: stranger.staff.dana,
    count: 20,
    from: TICKETS,
  });
  await owner.query('set role none');
  await owner.query('analyze');
  rows = (
    await owner.query<Row>(
      `select t.id, t.state, t.priority, t.site_id, t.account_id, dispatch.instant(t.reported_at) as reported_at,
         v.technician_id, v.offered_by
       from dispatch.tickets t left join dispatch.visits v on v.ticket_id = t.id where t.tenant_id = $1`,
      [t.tenantId],
    )
  ).rows;
  await owner.end();
});
after(async () => {
  await pool.end();
  await db.drop();
});

const staff = (): Sees => ({ kind: 'tenant' });
const readerOf = (sees: Sees, id: string | null = null) => ({ tenantId: t.tenantId, id, sees });

/** Every page from the first to the last. */
async function pages(sees: Sees, filter: QueueFilter, id: string | null = null): Promise<string[]> {
  const found: string[] = [];
  for (let after: QueuePlace | null | undefined = null; after !== undefined; ) {
    const page = await pageOf(sees, { ...filter, after }, id);
    found.push(...page.slice(0, PAGE).map((row) => row.id));
    const last = page.length > PAGE ? page[PAGE - 1] : undefined;
    after = last && { rank: last.rank, at: last.reported_at, id: last.id };
  }
  return found;
}

function pageOf(sees: Sees, filter: QueueFilter, id: string | null): ReturnType<typeof listQueue> {
  return withTenant(pool, t.tenantId, (tx) => listQueue(tx, readerOf(sees, id), filter));
}

/** The same by looking at every row. */
function expected(filter: QueueFilter, isSeen: (row: Row) => boolean): string[] {
  const order = ['EMERGENCY', 'NONE', 'URGENT', 'ROUTINE'];
  const rank = (row: Row) => order.indexOf(row.priority ?? 'NONE');
  const isOver = (row: Row) => row.state === 'CLOSED' || row.state === 'CANCELLED';
  return rows
    .filter(isSeen)
    .filter((row) => (filter.state === null ? !isOver(row) : row.state === filter.state))
    .filter((row) => filter.priority === null || (row.priority ?? 'NONE') === filter.priority)
    .filter((row) => filter.siteId === null || row.site_id === filter.siteId)
    .sort((a, b) => rank(a) - rank(b) || a.reported_at.localeCompare(b.reported_at) || (a.id < b.id ? -1 : 1))
    .map((row) => row.id);
}

const FILTERS = fc.record({
  state: fc.constantFrom(null, 'NEW', 'TRIAGED', 'DISPATCHED', 'CANCELLED', 'CLOSED'),
  priority: fc.constantFrom(null, 'EMERGENCY', 'URGENT', 'ROUTINE', 'NONE'),
  site: fc.constantFrom(null, 'siteId', 'otherAccountSiteId'),
}) satisfies fc.Arbitrary<unknown>;

describe('the queue', () => {
  test('is every ticket that the filter asks for, once, most urgent and then oldest first', async () => {
    assert.equal(rows.length, TICKETS);
    await fc.assert(
      fc.asyncProperty(FILTERS, async ({ state, priority, site }) => {
        const filter = {
          ...NO_FILTER,
          state: state as TicketState | null,
          priority: priority as QueueFilter['priority'],
          siteId: site === null ? null : t[site as 'siteId'],
        };
        assert.deepEqual(
          await pages(staff(), filter),
          expected(filter, () => true),
        );
      }),
      { numRuns: 15 },
    );
  });

  test('is of one tenant, and of what its reader may see', async () => {
    verifies('A.3b', 'T4.6');
    guardsAgainst(26);
    const { tom } = t.technicians;
    const cancelled = { ...NO_FILTER, state: 'CANCELLED' } as const;
    for (const filter of [NO_FILTER, cancelled]) {
      const approver: Sees = { kind: 'contact', id: t.contacts.alan, approves: true };
      const ofAccount = expected(filter, (row) => row.account_id === t.accountId);
      assert.ok(ofAccount.length > PAGE && ofAccount.length < expected(filter, () => true).length);
      assert.deepEqual(await pages(approver, filter), ofAccount);
      assert.deepEqual(await pages({ kind: 'contact', id: t.contacts.maria, approves: false }, filter), []);
      assert.deepEqual(
        await pages({ kind: 'technician', id: tom }, filter),
        expected(filter, (row) => row.technician_id === tom),
      );
      assert.deepEqual(await pages({ kind: 'turn', conversationId: tom, ticketId: null }, filter), []);
    }
    const foreign = await withTenant(pool, stranger.tenantId, (tx) =>
      listQueue(tx, { tenantId: stranger.tenantId, id: null, sees: staff() }, NO_FILTER),
    );
    assert.equal(foreign.length, 4);
    assert.ok(foreign.every((row) => !rows.some((own) => own.id === row.id)));
  });

  test('mine: whom I sent, or where I am sent', async () => {
    const { tom } = t.technicians;
    const mine = { ...NO_FILTER, mine: true };
    const sent = expected(NO_FILTER, (row) => row.offered_by === t.staff.dana);
    assert.ok(sent.length > 0);
    assert.deepEqual(await pages(staff(), mine, t.staff.dana), sent);
    assert.deepEqual(await pages(staff(), mine, t.staff.sue), []);
    assert.deepEqual(
      await pages({ kind: 'technician', id: tom }, mine, tom),
      expected(NO_FILTER, (row) => row.technician_id === tom),
    );
  });
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Plan[];
}

/** The plan of the statement that a page is read with, under the service's role and row-level security. */
async function planOf(filter: QueueFilter): Promise<readonly Plan[]> {
  const explain = (statement: Sql): Sql => ({
    ...statement,
    toQuery: () => {
      const { text, values } = statement.toQuery();
      return { text: `explain (format json) ${text}`, values };
    },
  });
  const found = await withTenant(pool, t.tenantId, async (tx) => {
    const explaining: Tx = { ...tx, query: (statement) => tx.query(explain(statement)) };
    return (await listQueue(explaining, readerOf(staff()), filter)) as unknown as readonly {
      'QUERY PLAN': readonly { Plan: Plan }[];
    }[];
  });
  const nodes: Plan[] = [];
  const walk = (node: Plan): void => {
    nodes.push(node);
    for (const child of node.Plans ?? []) walk(child);
  };
  const root = found[0]?.['QUERY PLAN'][0]?.Plan;
  assert.ok(root);
  walk(root);
  return nodes;
}

test('a page is read from one index, in its order, from where the last one ended', async () => {
  const places: readonly (QueuePlace | null)[] = [
    null,
    { rank: 2, at: '2024-01-01T00:00:00.000Z', id: '018bcfe5-6800-7000-8000-000000000000' },
  ];
  for (const after of places) {
    for (const [index, filter] of [
      ['tickets_queue', {}],
      ['tickets_queue', { priority: 'URGENT' }],
      ['tickets_queue_of_state', { state: 'CANCELLED' }],
      ['tickets_queue_of_state', { state: 'CANCELLED', priority: 'URGENT' }],
      ['tickets_queue_of_site', { siteId: t.siteId }],
      ['tickets_queue_of_site_and_state', { siteId: t.siteId, state: 'CANCELLED' }],
    ] as const) {
      const nodes = await planOf({ ...NO_FILTER, ...filter, after });
      const tickets = nodes.filter((node) => node['Relation Name'] === 'tickets');
      const label = `${index} ${JSON.stringify(filter)} ${JSON.stringify(nodes)}`;
      assert.deepEqual(
        tickets.map((node) => [node['Node Type'], node['Index Name']]),
        [['Index Scan', index]],
        label,
      );
      const condition = tickets[0]?.['Index Cond'] ?? '';
      if (after !== null) assert.match(condition, /ROW\(/, label);
      // Nothing beside the tickets is read whole.
      assert.ok(!nodes.some((node) => /Join|Nested Loop/.test(node['Node Type'])), label);
      // What is sorted are the rows of one page, above the limit, and nothing below it.
      const limit = nodes.findIndex((node) => node['Node Type'] === 'Limit');
      assert.ok(limit >= 0 && nodes.slice(limit).every((node) => !/Sort/.test(node['Node Type'])), label);
    }
  }
});
