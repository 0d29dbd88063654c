import { randomBytes, randomUUID } from 'node:crypto';
import {
  type CommandPath,
  createCommandPath,
  createPool,
  ensureDatabase,
  LOGIN_ROLE_NAMES,
  type LoginRole,
  migrate,
  OWNER_ROLE,
  type Pool,
  startEmbeddedPostgres,
  urlForRole,
} from '@deadlatch/postgres';
import pg from 'pg';
import { firstPublications } from '../../apps/cli/src/up/first-rows.ts';
import { newId, newTicket, newVisit, next, ticketStep } from '../../test/support/commits.ts';
import { type SeededTenant, TEST_CONTRACT } from '../../test/support/seed.ts';
import { inParallel } from './in-parallel.ts';

/** Every technician stands at one ticket, so as many commands can run at a time as there are technicians. */
const TICKETS = 1_000;
const ACCOUNTS = 20;
const SITES_PER_ACCOUNT = 5;
const CLIENTS = 16;

/** A ticket in state ON_SITE and the technician whose visit it is. */
export interface Job {
  readonly ticketId: string;
  readonly technicianId: string;
}

/** A contractor in the middle of a busy day, in a database of its own. */
export interface Place {
  readonly tenantId: string;
  readonly jobs: readonly Job[];
  /** Of the role `deadlatch_dispatch`, as the service has it. */
  readonly dispatchUrl: string;
  /** Of the role `deadlatch_sequencer`. */
  readonly sequencerUrl: string;
  readonly pool: Pool;
  readonly path: CommandPath;
  /** Runs a statement as owner of the tables. */
  asOwner(statement: string, values: readonly unknown[]): Promise<void>;
  close(): Promise<void>;
}

/** Starts the embedded PostgreSQL with its ordinary settings in `directory` and fills it through commits. */
export async function preparePlace(directory: string, port: number): Promise<Place> {
  const server = await startEmbeddedPostgres({ directory, port });
  const passwords = Object.fromEntries(
    LOGIN_ROLE_NAMES.map((role) => [role, randomBytes(18).toString('base64url')]),
  ) as Record<LoginRole, string>;
  try {
    const adminUrl = await ensureDatabase(server.adminUrl, 'deadlatch');
    await migrate({ adminUrl, passwords });
    const dispatchUrl = urlForRole(adminUrl, 'dispatch', passwords.dispatch);
    const owner = new pg.Client({ connectionString: adminUrl, application_name: 'bench' });
    await owner.connect();
    await owner.query(`set role ${OWNER_ROLE}`);
    const tenants = await bootstrap(owner);
    const pool = createPool({
      url: dispatchUrl,
      applicationName: 'bench',
      maxConnections: CLIENTS,
      statementTimeoutMs: 30_000,
    });
    const path = createCommandPath(pool);
    const jobs = await inParallel(CLIENTS, TICKETS, async (at) => {
      const tenant = tenants[at];
      if (tenant === undefined) throw new RangeError('no such technician');
      return { technicianId: tenant.technicians.tom, ticketId: await bringOnSite(path, tenant) };
    });
    await owner.query('set role none');
    await owner.query('analyze');
    await owner.query(`set role ${OWNER_ROLE}`);
    return {
      tenantId: tenants[0]?.tenantId ?? '',
      jobs,
      dispatchUrl,
      sequencerUrl: urlForRole(adminUrl, 'sequencer', passwords.sequencer),
      pool,
      path,
      asOwner: async (statement, values) => {
        await owner.query(statement, [...values]);
      },
      close: async () => {
        await pool.end();
        await owner.end();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** One tenant, as seen from each of its technicians: their account, site and requester. */
async function bootstrap(owner: pg.Client): Promise<readonly SeededTenant[]> {
  const tenantId = newId();
  const dana = newId();
  const since = new Date().toISOString();
  const accounts = Array.from({ length: ACCOUNTS }, () => ({ id: newId(), contact: newId() }));
  const sites = accounts.flatMap((account) =>
    Array.from({ length: SITES_PER_ACCOUNT }, () => ({ id: newId(), account })),
  );
  const technicians = Array.from({ length: TICKETS }, () => newId());
  await owner.query('select dispatch.bootstrap($1::jsonb)', [
    JSON.stringify({
      tenant: { id: tenantId, slug: 'bench' },
      event: { id: newId(), correlation_id: newId(), body: '{"command":"operator.bootstrap"}' },
      accounts: accounts.map(({ id }) => ({ id, slug: id, contract: TEST_CONTRACT, autonomy_level: 2 })),
      sites: sites.map(({ id, account }) => ({
        id,
        account_id: account.id,
        slug: id,
        time_zone: 'America/New_York',
        territory: 'north',
      })),
      contacts: accounts.map(({ id, contact }) => ({
        id: contact,
        person_id: randomUUID(),
        changed_at: since,
        memberships: [
          {
            id: randomUUID(),
            account_id: id,
            site_id: null,
            may_request: true,
            may_approve: false,
            approval_limit_cents: 0,
            changed_at: since,
          },
        ],
      })),
      staff: [{ id: dana, person_id: randomUUID(), roles: ['dispatcher'] }],
      technicians: technicians.map((id) => ({
        id,
        person_id: randomUUID(),
        slug: id,
        skills: ['locksmith'],
        territories: ['north'],
      })),
      publications: firstPublications(),
    }),
  ]);
  return technicians.map((tom, at) => {
    const site = sites[at % sites.length];
    if (site === undefined) throw new RangeError('no sites');
    const { account } = site;
    return {
      tenantId,
      accountId: account.id,
      siteId: site.id,
      otherSiteId: site.id,
      otherAccountId: account.id,
      otherAccountSiteId: site.id,
      contacts: {
        maria: account.contact,
        sam: account.contact,
        alan: account.contact,
        olga: account.contact,
        stranger: account.contact,
      },
      staff: { dana, sue: dana, quinn: dana, fay: dana, adam: dana, otto: dana },
      technicians: { tom, tess: tom },
    };
  });
}

/** Opened, triaged, dispatched with a firm booking, accepted, checked in: five commits, each with its event. */
async function bringOnSite(path: CommandPath, t: SeededTenant): Promise<string> {
  const created = newTicket(t);
  const triaged = next(created, {
    state: 'TRIAGED',
    priority: 'EMERGENCY',
    incident_type: 'DOOR_CANNOT_SECURE',
    incident_version: 1,
    base_nte_cents: 75_000,
    nte_cents: 75_000,
  });
  const offered = newVisit(t, created.id);
  const booking = {
    visit_id: offered.id,
    technician_id: offered.technician_id,
    starts_at: offered.starts_at,
    ends_at: offered.ends_at,
  };
  const dispatched = next(triaged, { state: 'DISPATCHED' });
  const accepted = next(offered, { state: 'ACCEPTED' });
  const taken = next(dispatched);
  const arrived = next(accepted, { state: 'ON_SITE', checked_in_at: new Date().toISOString() });
  const onSite = next(taken, { state: 'ON_SITE' });
  const visitEffect = (before: typeof offered | null, after: typeof offered) => ({
    object: 'visit' as const,
    id: after.id,
    version: after.version,
    before_state: before?.state ?? '-',
    after_state: after.state,
  });
  await path.commitDecision(ticketStep(t, 'ticket.create', null, created));
  await path.commitDecision(ticketStep(t, 'ticket.triage', created, triaged));
  await path.commitDecision(
    ticketStep(t, 'visit.dispatch_emergency', triaged, dispatched, {
      effects: [visitEffect(null, offered)],
      changes: { visit: offered, booking },
    }),
  );
  await path.commitDecision(
    ticketStep(t, 'visit.accept', dispatched, taken, {
      effects: [visitEffect(offered, accepted)],
      changes: { visit: accepted },
    }),
  );
  await path.commitDecision(
    ticketStep(t, 'tech.check_in', taken, onSite, {
      effects: [visitEffect(accepted, arrived)],
      changes: { visit: arrived },
    }),
  );
  return created.id;
}
