import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OWNER_ROLE, type Pool, withTenant } from '@deadlatch/postgres';
import fc from 'fast-check';
import pg from 'pg';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { makeManyTickets } from '../../../../test/support/many-tickets.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { type AuditFilter, searchEvents } from './audit-search.sql.ts';

/** Enough that no page looks at all of their events. */
const TICKETS = 3_000;
const NOTHING: AuditFilter = {
  ...{ ticketId: null, correlationId: null, actor: null, command: null, decision: null },
  ...{ since: null, until: null, after: null },
};

interface Row {
  readonly id: string;
  readonly ticket_id: string | null;
  readonly correlation_id: string;
  readonly command: string;
  readonly actor: string;
  readonly at: string;
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
  await owner.query('set role none');
  await owner.query('analyze');
  rows = (
    await owner.query<Row>(
      `select id, ticket_id, correlation_id, command, actor, dispatch.instant(at) as at
       from audit.events where tenant_id = $1 order by id desc`,
      [t.tenantId],
    )
  ).rows;
  await owner.end();
});
after(async () => {
  await pool.end();
  await db.drop();
});

/** Ids on every page, newest first, and how many pages that were. */
async function search(filter: Partial<AuditFilter>): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = [];
  let pages = 0;
  for (let after: string | null | undefined; after !== null; pages += 1) {
    const page = await withTenant(pool, t.tenantId, (tx) =>
      searchEvents(tx, t.tenantId, { ...NOTHING, ...filter, after: after ?? null }),
    );
    assert.ok(page.bodies.length <= 50);
    ids.push(...page.bodies.map((body) => (JSON.parse(body) as { id: string }).id));
    after = page.next;
  }
  return { ids, pages };
}

const idsOf = (isFound: (row: Row) => boolean) => rows.filter(isFound).map(({ id }) => id);

describe('a search of the trail', () => {
  test('finds every event that was asked for, once, newest first', async () => {
    assert.ok(rows.length > 5_000);
    const some = rows.filter((_, at) => at % 500 === 0);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...some),
        fc.subarray(['ticket', 'correlation', 'command', 'actor'] as const),
        async (row, asked) => {
          if (row.ticket_id === null) return;
          const by = new Set<string>(asked);
          // Without one of these the answer has thousands of pages' worth; one of them is enough to compare.
          if (!by.has('ticket') && !by.has('correlation')) by.add('ticket');
          const filter: Partial<AuditFilter> = {
            ...(by.has('ticket') && { ticketId: row.ticket_id }),
            ...(by.has('correlation') && { correlationId: row.correlation_id }),
            ...(by.has('command') && { command: row.command }),
            ...(by.has('actor') && { actor: row.actor }),
          };
          const expected = idsOf(
            (other) =>
              (!by.has('ticket') || other.ticket_id === row.ticket_id) &&
              (!by.has('correlation') || other.correlation_id === row.correlation_id) &&
              (!by.has('command') || other.command === row.command) &&
              (!by.has('actor') || other.actor === row.actor),
          );
          assert.ok(expected.includes(row.id));
          assert.deepEqual((await search(filter)).ids, expected);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('goes on where the last page ended, also when a page found little in all that it looked at', async () => {
    const sent = await search({ command: 'visit.dispatch_emergency' });
    assert.deepEqual(
      sent.ids,
      idsOf((row) => row.command === 'visit.dispatch_emergency'),
    );
    assert.ok(sent.ids.length > 50);
    const nothing = await search({ command: 'ticket.close' });
    assert.deepEqual(nothing.ids, []);
    assert.equal(nothing.pages, 2, 'one page does not look at everything');
    assert.deepEqual((await search({ decision: 'refused' })).ids, []);
  });

  test('is of one tenant, and of the time that was asked for', async () => {
    verifies('T4.6');
    const foreign = await withTenant(pool, stranger.tenantId, (tx) =>
      searchEvents(tx, t.tenantId, { ...NOTHING, command: 'ticket.create' }),
    );
    assert.deepEqual(foreign, { bodies: [], next: null });
    const soon = new Date(Date.now() + 60_000).toISOString();
    assert.deepEqual(await search({ since: soon }), { ids: [], pages: 1 });
    const bootstrap = { command: 'operator.bootstrap' };
    const past = new Date(Date.now() - 60 * 60_000).toISOString();
    assert.equal((await search({ ...bootstrap, since: past, until: soon })).ids.length, 1);
    assert.equal((await search({ ...bootstrap, until: past })).ids.length, 0);
  });
});
