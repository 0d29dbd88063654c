import { randomUUID } from 'node:crypto';
import type { ServiceKeyPair } from '@deadlatch/signing';
import pg from 'pg';
import { recordServiceKeys } from '../keys/key-table.ts';
import { operatorEvent } from '../operator-event.ts';
import { directoryOfFirstRows, type FirstRows, firstPublications } from './first-rows.ts';
import type { Installation } from './installation.ts';
import type { Trust } from './keys.ts';
import {
  DEMO_CONTACTS,
  DEMO_CONTRACT,
  DEMO_HOURS,
  DEMO_SHIFTS,
  DEMO_SITE,
  DEMO_STAFF,
  DEMO_TECHNICIANS,
} from './people.ts';

/** Demo people are on file for a year, so no cooling-off is in the way. */
const ON_FILE_SINCE_MS = 365 * 24 * 60 * 60 * 1000;
const CERTIFIED_FOR_MS = 2 * 365 * 24 * 60 * 60 * 1000;

/**
 * Puts the tenant and its people on file, which are left alone when they are there already, and brings the table of
 * service keys to what the trust bundle says. Each statement is one of the operator's functions, which writes its own
 * audit event.
 * @param adminUrl the administrator's connection, held by the operator alone
 * @param operatorKey signs each of the events
 */
export async function bootstrap(
  adminUrl: string,
  installation: Installation,
  trust: Trust,
  operatorKey: ServiceKeyPair,
  now: number,
): Promise<void> {
  const { tenantId } = installation;
  const signer = { environment: trust.environment, tenantId, key: operatorKey };
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query('set role deadlatch_owner');
    await client.query("select set_config('deadlatch.tenant', $1, false)", [installation.tenantId]);
    const known = await client.query('select 1 from dispatch.tenants where id = $1', [installation.tenantId]);
    if (known.rowCount === 0) {
      const first = firstRows(installation, now);
      const event = operatorEvent(signer, {
        command: 'operator.bootstrap',
        details: { profile: installation.profile },
        directory: directoryOfFirstRows(first),
        now,
      });
      await client.query('select dispatch.bootstrap($1)', [JSON.stringify({ ...first, event })]);
    }
    await recordServiceKeys({ client, signer }, trust, now);
  } finally {
    await client.end();
  }
}

function firstRows(installation: Installation, now: number): FirstRows {
  const { accountId, siteId, people } = installation;
  const isDemo = installation.profile === 'demo';
  const since = new Date(now - ON_FILE_SINCE_MS).toISOString();
  const certifiedUntil = new Date(now + CERTIFIED_FOR_MS).toISOString();
  const idOf = (slug: string) => people[slug] ?? '';
  return {
    tenant: { id: installation.tenantId, slug: isDemo ? 'demo' : 'local' },
    accounts: isDemo
      ? [{ id: accountId, slug: 'northside-stores', contract: DEMO_CONTRACT, autonomy_level: 2 }]
      : [],
    sites: isDemo
      ? [
          {
            id: siteId,
            account_id: accountId,
            slug: 'store-114',
            time_zone: DEMO_SITE.timeZone,
            territory: DEMO_SITE.territory,
            schedule: { hours: DEMO_HOURS, ...DEMO_SITE.position },
          },
        ]
      : [],
    contacts: (isDemo ? DEMO_CONTACTS : []).map((contact) => ({
      id: idOf(contact.slug),
      person_id: randomUUID(),
      changed_at: since,
      memberships: [
        {
          id: randomUUID(),
          account_id: accountId,
          site_id: siteId,
          may_request: contact.mayRequest,
          may_approve: contact.approvalLimitCents > 0,
          approval_limit_cents: contact.approvalLimitCents,
          changed_at: since,
        },
      ],
    })),
    staff: (isDemo ? DEMO_STAFF : []).map(({ slug, roles }) => ({
      id: idOf(slug),
      person_id: randomUUID(),
      roles,
    })),
    technicians: (isDemo ? DEMO_TECHNICIANS : []).map(({ slug, skills, certifications, home }) => ({
      id: idOf(slug),
      person_id: randomUUID(),
      slug,
      skills,
      territories: [DEMO_SITE.territory],
      schedule: {
        shifts: DEMO_SHIFTS,
        certifications: certifications.map((name) => ({
          name,
          valid_from: since,
          valid_until: certifiedUntil,
        })),
        absences: [],
        home_lat_e6: home.lat_e6,
        home_lon_e6: home.lon_e6,
      },
    })),
    publications: firstPublications(),
  };
}
