import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { operatorEvent } from '../operator-event.ts';
import type { Installation } from './installation.ts';
import type { Trust } from './keys.ts';
import { DEMO_CONTACTS, DEMO_CONTRACT, DEMO_SITE, DEMO_STAFF, DEMO_TECHNICIANS } from './people.ts';

/** Demo people are on file for a year, so no cooling-off is in the way. */
const ON_FILE_SINCE_MS = 365 * 24 * 60 * 60 * 1000;

/**
 * Puts the tenant, its people and the service keys on file. Each statement is one of the operator's functions,
 * which writes its own audit event; what is there already is left alone.
 * @param adminUrl the administrator's connection, held by the operator alone
 */
export async function bootstrap(
  adminUrl: string,
  installation: Installation,
  trust: Trust,
  now: number,
): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query('set role deadlatch_owner');
    await client.query("select set_config('deadlatch.tenant', $1, false)", [installation.tenantId]);
    const known = await client.query('select 1 from dispatch.tenants where id = $1', [installation.tenantId]);
    if (known.rowCount === 0) {
      await client.query('select dispatch.bootstrap($1)', [JSON.stringify(firstRows(installation, now))]);
    }
    for (const key of trust.services) await pinKey(client, installation, trust.environment, key, now);
  } finally {
    await client.end();
  }
}

async function pinKey(
  client: pg.Client,
  installation: Installation,
  environment: string,
  key: Trust['services'][number],
  now: number,
): Promise<void> {
  const known = await client.query('select 1 from trust.service_keys where keyid = $1', [key.keyid]);
  if (known.rowCount !== 0) return;
  const details = { keyid: key.keyid, service: key.service, not_before: key.from, not_after: key.until };
  await client.query('select trust.put_service_key($1)', [
    JSON.stringify({
      tenant_id: installation.tenantId,
      event: operatorEvent(installation, 'operator.put_service_key', details, now),
      keyid: key.keyid,
      service: key.service,
      environment,
      x: key.x,
      not_before: key.from,
      not_after: key.until,
    }),
  ]);
}

function firstRows(installation: Installation, now: number) {
  const { accountId, siteId, people } = installation;
  const isDemo = installation.profile === 'demo';
  const since = new Date(now - ON_FILE_SINCE_MS).toISOString();
  const idOf = (slug: string) => people[slug] ?? '';
  return {
    tenant: { id: installation.tenantId, slug: isDemo ? 'demo' : 'local' },
    event: operatorEvent(installation, 'operator.bootstrap', { profile: installation.profile }, now),
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
          },
        ]
      : [],
    contacts: (isDemo ? DEMO_CONTACTS : []).map((contact) => ({
      id: idOf(contact.slug),
      person_id: randomUUID(),
      changed_at: since,
      memberships: [
        {
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
    technicians: (isDemo ? DEMO_TECHNICIANS : []).map(({ slug, skills }) => ({
      id: idOf(slug),
      person_id: randomUUID(),
      slug,
      skills,
      territories: [DEMO_SITE.territory],
    })),
  };
}
