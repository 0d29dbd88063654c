import { randomBytes, randomUUID } from 'node:crypto';
import type { Caller } from '@deadlatch/decision';
import {
  createPool,
  ensureDatabase,
  LOGIN_ROLE_NAMES,
  type LoginRole,
  migrate,
  OWNER_ROLE,
  type Pool,
  startEmbeddedPostgres,
  urlForRole,
  withTenant,
} from '@deadlatch/postgres';
import pg from 'pg';
import { firstPublications } from '../../apps/cli/src/up/first-rows.ts';
import { listQueue, type QueueFilter } from '../../apps/dispatch-api/src/reads/queue.sql.ts';
import { requireReader } from '../../apps/dispatch-api/src/reads/reader.ts';
import { findTicket, ticketEvents } from '../../apps/dispatch-api/src/reads/tickets.sql.ts';
import { newId } from '../../test/support/commits.ts';
import { makeManyTickets } from '../../test/support/many-tickets.ts';
import { TEST_CONTRACT } from '../../test/support/seed.ts';
import { quantile, type Results } from './report.ts';

/** Few sites, so that a page of one is full at the smallest number too. */
const ACCOUNTS = 2;
const SITES_PER_ACCOUNT = 2;
const TECHNICIANS = 200;
const ROUNDS = 10;
/** Of each read, in each round, at each size. */
const READS_PER_ROUND = 200;

/** A contractor with so many tickets, in a database of its own. */
interface Archive {
  readonly size: number;
  readonly tenantId: string;
  readonly staffId: string;
  readonly siteIds: readonly string[];
  readonly pool: Pool;
  readonly fillS: number;
  readonly megabytes: number;
  readonly tickets: readonly Place[];
  close(): Promise<void>;
}

interface Place {
  readonly id: string;
  readonly rank: number;
  readonly at: string;
}

/**
 * A page of the queue and the timeline of a ticket, as `dispatch-api` reads them under its role, at several numbers of
 * tickets. Each number has a database of its own and they take turns, so that a busy machine slows all of them alike.
 * @returns milliseconds, and how often those of the smallest number the others are
 */
export async function measureManyTickets(options: {
  readonly directory: string;
  readonly port: number;
  readonly sizes: readonly number[];
  /** What is to be ended, also when the run is broken off. */
  readonly closing: (() => Promise<void>)[];
}): Promise<Results> {
  const { directory, port, sizes, closing } = options;
  const server = await startEmbeddedPostgres({ directory, port });
  closing.unshift(() => server.stop());
  const archives: Archive[] = [];
  // The roles are the server's, so every database has the same.
  const passwords = Object.fromEntries(
    LOGIN_ROLE_NAMES.map((role) => [role, randomBytes(18).toString('base64url')]),
  ) as Record<LoginRole, string>;
  for (const size of sizes) {
    const archive = await fill(server.adminUrl, passwords, size);
    closing.unshift(() => archive.close());
    archives.push(archive);
    console.log(
      `${size.toLocaleString('en-US')} tickets: ${archive.megabytes} MB, filled in ${archive.fillS} s`,
    );
  }
  return await takeTurns(archives);
}

async function takeTurns(archives: readonly Archive[]): Promise<Results> {
  const seen = archives.map((archive) => ({ archive, queue: [] as number[], timeline: [] as number[] }));
  // The first round fills the caches and does not count.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { archive, queue, timeline } of seen) {
      const pages = await timed(READS_PER_ROUND, (at) => readQueue(archive, round + at));
      const timelines = await timed(READS_PER_ROUND, () => readTimeline(archive));
      if (round === 0) continue;
      queue.push(...pages);
      timeline.push(...timelines);
    }
  }
  const [smallest] = seen;
  return Object.fromEntries(
    seen.flatMap(({ archive, queue, timeline }) => {
      const p99 = { queue: quantile(queue, 0.99), timeline: quantile(timeline, 0.99) };
      const growth = (name: 'queue' | 'timeline') =>
        smallest === undefined || smallest.archive === archive
          ? []
          : [[`${name}_growth_${archive.size}`, p99[name] / quantile(smallest[name], 0.99)] as const];
      return [
        [`queue_p50_ms_${archive.size}`, quantile(queue, 0.5)],
        [`queue_p99_ms_${archive.size}`, p99.queue],
        [`timeline_p50_ms_${archive.size}`, quantile(timeline, 0.5)],
        [`timeline_p99_ms_${archive.size}`, p99.timeline],
        ...growth('queue'),
        ...growth('timeline'),
        [`database_mb_${archive.size}`, archive.megabytes],
      ] as const;
    }),
  );
}

async function timed(count: number, read: (at: number) => Promise<void>): Promise<number[]> {
  const took: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const began = performance.now();
    await read(at);
    took.push(performance.now() - began);
  }
  return took;
}

/** The filters in turn, from the first page and from the middle. */
async function readQueue(archive: Archive, turn: number): Promise<void> {
  const base: QueueFilter = { state: null, priority: null, siteId: null, mine: false, after: null };
  const { rank, at, id } = anyOf(archive.tickets);
  const place = { rank, at, id };
  const filters: readonly QueueFilter[] = [
    base,
    { ...base, after: place },
    { ...base, priority: 'URGENT' },
    { ...base, state: 'TRIAGED', after: place },
    { ...base, state: 'CANCELLED', after: place },
    { ...base, siteId: anyOf(archive.siteIds) },
    { ...base, siteId: anyOf(archive.siteIds), state: 'CANCELLED' },
  ];
  await withTenant(archive.pool, archive.tenantId, async (tx) => {
    const { caller, sees } = await requireReader(tx, 'ticket.list', dispatcherOf(archive));
    const reader = { tenantId: caller.tenantId, id: caller.subject.id, sees };
    await listQueue(tx, reader, filters[turn % filters.length] ?? base);
  });
}

async function readTimeline(archive: Archive): Promise<void> {
  const { id } = anyOf(archive.tickets);
  await withTenant(archive.pool, archive.tenantId, async (tx) => {
    const { sees } = await requireReader(tx, 'ticket.timeline', dispatcherOf(archive));
    const found = await findTicket(tx, archive.tenantId, sees, id);
    const events = found === null ? [] : await ticketEvents(tx, archive.tenantId, found.ticket.id);
    if (events.length === 0) throw new Error('a ticket without events');
  });
}

function dispatcherOf({ tenantId, staffId }: Archive): Caller {
  return {
    tenantId,
    service: 'web',
    subject: { kind: 'staff', id: staffId },
    assurance: 'L1',
    agent: null,
    scope: 'person',
    context: { correlationId: randomUUID(), conversationId: null, ticketId: null, actionDigest: null },
  };
}

function anyOf<Item>(items: readonly Item[]): Item {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new RangeError('nothing to choose from');
  return item;
}

async function fill(
  serverUrl: string,
  passwords: Readonly<Record<LoginRole, string>>,
  size: number,
): Promise<Archive> {
  const adminUrl = await ensureDatabase(serverUrl, `tickets_${size}`);
  await migrate({ adminUrl, passwords });
  const owner = new pg.Client({ connectionString: adminUrl, application_name: 'bench' });
  // When the run is broken off the server goes first; the statement that waits then fails by itself.
  owner.on('error', () => undefined);
  await owner.connect();
  try {
    await owner.query(`set role ${OWNER_ROLE}`);
    const { tenantId, staffId, siteIds } = await bootstrap(owner);
    const began = performance.now();
    // Guards and foreign keys look at every row; for millions of them it is checked once, when all are there.
    await owner.query('set role none; set session_replication_role = replica');
    await owner.query(`set role ${OWNER_ROLE}`);
    await makeManyTickets(owner, { tenantId, staffId, count: size });
    await owner.query('set role none; set session_replication_role = origin');
    const fillS = Math.round((performance.now() - began) / 1000);
    await owner.query('vacuum analyze');
    await assertBacked(owner);
    const { rows: sizes } = await owner.query<{ mb: number }>(
      'select (pg_database_size(current_database()) / 1000000)::int as mb',
    );
    const { rows: tickets } = await owner.query<Place>(
      `select id, dispatch.instant(reported_at) as at, case priority
           when 'EMERGENCY' then 0 when 'URGENT' then 2 when 'ROUTINE' then 3 else 1 end as rank
         from dispatch.tickets where tenant_id = $1 order by random() limit 5000`,
      [tenantId],
    );
    const pool = createPool({
      url: urlForRole(adminUrl, 'dispatch', passwords.dispatch),
      applicationName: 'bench',
      maxConnections: 1,
      statementTimeoutMs: 30_000,
    });
    const megabytes = sizes[0]?.mb ?? Number.NaN;
    return { size, tenantId, staffId, siteIds, pool, fillS, megabytes, tickets, close: () => pool.end() };
  } finally {
    await owner.end();
  }
}

/** Every version of a ticket and a visit has its effect, and that its event. */
async function assertBacked(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ id: string }>(
    `select o.id from (select id, version, state from dispatch.tickets
                       union all select id, version, state from dispatch.visits) o
       left join audit.effects e on e.object_id = o.id and e.version = o.version and e.after_state = o.state
       left join audit.events ev on ev.id = e.event_id
      where ev.id is null limit 1`,
  );
  if (rows.length > 0) throw new Error('a row was made without its event');
}

async function bootstrap(owner: pg.Client) {
  const tenantId = newId();
  const staffId = newId();
  const accounts = Array.from({ length: ACCOUNTS }, () => newId());
  const sites = accounts.flatMap((account) =>
    Array.from({ length: SITES_PER_ACCOUNT }, () => ({ id: newId(), account })),
  );
  await owner.query('select dispatch.bootstrap($1::jsonb)', [
    JSON.stringify({
      tenant: { id: tenantId, slug: 'bench' },
      event: { id: newId(), correlation_id: newId(), body: '{"command":"operator.bootstrap"}' },
      accounts: accounts.map((id) => ({ id, slug: id, contract: TEST_CONTRACT, autonomy_level: 2 })),
      sites: sites.map(({ id, account }) => ({
        id,
        account_id: account,
        slug: id,
        time_zone: 'America/New_York',
        territory: 'north',
      })),
      contacts: [],
      staff: [{ id: staffId, person_id: randomUUID(), roles: ['dispatcher'] }],
      technicians: Array.from({ length: TECHNICIANS }, () => {
        const id = newId();
        return { id, person_id: randomUUID(), slug: id, skills: ['locksmith'], territories: ['north'] };
      }),
      publications: firstPublications(),
    }),
  ]);
  return { tenantId, staffId, siteIds: sites.map(({ id }) => id) };
}
