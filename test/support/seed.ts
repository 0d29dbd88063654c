import { randomBytes } from 'node:crypto';
import { createIdMaker, type JsonValue } from '@deadlatch/kernel';
import { OWNER_ROLE } from '@deadlatch/postgres';
import type { ServiceKeyPair } from '@deadlatch/signing';
import pg from 'pg';
import { directoryOfFirstRows, type FirstRows, firstPublications } from '../../apps/cli/src/up/first-rows.ts';
import { signedDeed, testOperator } from './operator.ts';

/** The people and places of the demo, by slug. */
export interface SeededTenant {
  readonly tenantId: string;
  readonly accountId: string;
  readonly siteId: string;
  /** A second site of the same account. */
  readonly otherSiteId: string;
  /** An account of the same tenant, with a site, that shares nobody with the first. */
  readonly otherAccountId: string;
  readonly otherAccountSiteId: string;
  readonly contacts: Readonly<Record<'maria' | 'sam' | 'alan' | 'olga' | 'stranger', string>>;
  readonly staff: Readonly<Record<'dana' | 'sue' | 'quinn' | 'fay' | 'adam' | 'otto', string>>;
  readonly technicians: Readonly<Record<'tom' | 'tess', string>>;
}

export interface SeedOptions {
  readonly slug?: string;
  readonly autonomyLevel?: 0 | 1 | 2 | 3;
  /** When the contacts were last changed; default a year ago, so no cooling-off. */
  readonly contactsChangedAt?: string;
  readonly contract?: Partial<typeof TEST_CONTRACT>;
  /** Whose events are verified has an operator's key of its own, in an environment. */
  readonly operatorKey?: ServiceKeyPair;
  readonly environment?: string;
}

export const TEST_CONTRACT = {
  nte_cents: { ROUTINE: 35_000, URGENT: 50_000, EMERGENCY: 75_000 },
  labor_cents_per_hour: 9_000,
  trip_cents: 7_500,
  quote_first: false,
  close_when_issued: false,
  desk_hours: null,
} as const;

/** Tests run at any hour. */
const ALWAYS: JsonValue = {
  time_zone: 'America/New_York',
  weekly: [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, from_minute: 0, to_minute: 1_440 })),
  exceptions: [],
};

const id = createIdMaker(Date.now, (n) => randomBytes(n));

/** Puts a tenant with an account, sites, people and technicians on file, through the administrator's function. */
export async function seedTenant(adminUrl: string, options: SeedOptions = {}): Promise<SeededTenant> {
  const seeded: SeededTenant = {
    tenantId: id(),
    accountId: id(),
    siteId: id(),
    otherSiteId: id(),
    otherAccountId: id(),
    otherAccountSiteId: id(),
    contacts: { maria: id(), sam: id(), alan: id(), olga: id(), stranger: id() },
    staff: { dana: id(), sue: id(), quinn: id(), fay: id(), adam: id(), otto: id() },
    technicians: { tom: id(), tess: id() },
  };
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'seed' });
  await client.connect();
  try {
    await client.query(`set role ${OWNER_ROLE}`);
    const first = firstRows(seeded, options);
    const { environment = 'test', operatorKey } = options;
    const event = signedDeed(testOperator(environment, seeded.tenantId, operatorKey), {
      command: 'operator.bootstrap',
      details: {},
      directory: directoryOfFirstRows(first),
    });
    await client.query('select dispatch.bootstrap($1::jsonb)', [JSON.stringify({ ...first, event })]);
  } finally {
    await client.end();
  }
  return seeded;
}

function firstRows(s: SeededTenant, options: SeedOptions): FirstRows {
  const contract = { ...TEST_CONTRACT, ...options.contract };
  const yearAgo = new Date(Date.now() - 365 * 24 * 3600 * 1000).toISOString();
  const changed_at = options.contactsChangedAt ?? yearAgo;
  const requester = (account_id: string, site_id: string) => ({
    id: id(),
    account_id,
    site_id,
    may_request: true,
    may_approve: false,
    approval_limit_cents: 0,
    changed_at,
  });
  const approver = (approval_limit_cents: number) => ({
    id: id(),
    account_id: s.accountId,
    site_id: null,
    may_request: false,
    may_approve: true,
    approval_limit_cents,
    changed_at,
  });
  const contact = (contactId: string, membership: FirstRows['contacts'][number]['memberships'][number]) => ({
    id: contactId,
    person_id: id(),
    changed_at,
    memberships: [membership],
  });
  const account = (accountId: string, slug: string) => ({
    id: accountId,
    slug,
    contract,
    autonomy_level: options.autonomyLevel ?? 2,
  });
  const site = (siteId: string, account_id: string, slug: string) => ({
    id: siteId,
    account_id,
    slug,
    time_zone: 'America/New_York',
    territory: 'north',
    schedule: { hours: ALWAYS, lat_e6: 40_713_000, lon_e6: -74_006_000 },
  });
  const person = (staffId: string, ...roles: string[]) => ({ id: staffId, person_id: id(), roles });
  const technician = (technicianId: string, slug: string) => ({
    id: technicianId,
    person_id: id(),
    slug,
    skills: ['locksmith'],
    territories: ['north'],
    schedule: {
      shifts: ALWAYS,
      certifications: [],
      absences: [],
      home_lat_e6: 40_730_000,
      home_lon_e6: -73_990_000,
    },
  });
  return {
    tenant: { id: s.tenantId, slug: options.slug ?? 'demo' },
    accounts: [account(s.accountId, 'acme-stores'), account(s.otherAccountId, 'other-stores')],
    sites: [
      site(s.siteId, s.accountId, 'store-114'),
      site(s.otherSiteId, s.accountId, 'store-115'),
      site(s.otherAccountSiteId, s.otherAccountId, 'store-900'),
    ],
    contacts: [
      contact(s.contacts.maria, requester(s.accountId, s.siteId)),
      contact(s.contacts.sam, requester(s.accountId, s.siteId)),
      contact(s.contacts.alan, approver(500_000)),
      contact(s.contacts.olga, approver(2_000_000)),
      contact(s.contacts.stranger, requester(s.otherAccountId, s.otherAccountSiteId)),
    ],
    staff: [
      person(s.staff.dana, 'dispatcher'),
      person(s.staff.sue, 'supervisor'),
      person(s.staff.quinn, 'qa'),
      person(s.staff.fay, 'finance'),
      person(s.staff.adam, 'admin'),
      person(s.staff.otto, 'auditor'),
    ],
    technicians: [technician(s.technicians.tom, 'tom'), technician(s.technicians.tess, 'tess')],
    publications: firstPublications(),
  };
}
