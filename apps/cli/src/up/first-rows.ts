import { type DirectoryRow, directoryEntry, publicationId } from '@deadlatch/audit-log';
import { type ContentVersion, FROM_THE_BEGINNING, newestVersions } from '@deadlatch/catalogue';
import type { JsonValue } from '@deadlatch/kernel';

/** What `dispatch.bootstrap` puts on file, event aside. Instants are RFC 3339 with milliseconds. */
export interface FirstRows {
  readonly tenant: { readonly id: string; readonly slug: string };
  readonly accounts: readonly {
    readonly id: string;
    readonly slug: string;
    readonly contract: JsonValue;
    readonly autonomy_level: number;
  }[];
  readonly sites: readonly {
    readonly id: string;
    readonly account_id: string;
    readonly slug: string;
    readonly time_zone: string;
    readonly territory: string;
    /** Without one nothing is scheduled there but emergencies. */
    readonly schedule?: SiteSchedule;
  }[];
  readonly contacts: readonly {
    readonly id: string;
    readonly person_id: string;
    readonly changed_at: string;
    readonly memberships: readonly FirstMembership[];
  }[];
  readonly staff: readonly {
    readonly id: string;
    readonly person_id: string;
    readonly roles: readonly string[];
  }[];
  readonly technicians: readonly {
    readonly id: string;
    readonly person_id: string;
    readonly slug: string;
    readonly skills: readonly string[];
    readonly territories: readonly string[];
    /** Without one they are never on duty. */
    readonly schedule?: TechnicianSchedule;
  }[];
  /** Of each incident type and template one: nothing is triaged, and nothing said, by what is not published. */
  readonly publications: readonly (ContentVersion & { readonly effective_from: string })[];
}

/** What a tenant begins with: the newest version of everything that this release brings. */
export function firstPublications(): FirstRows['publications'] {
  return newestVersions().map((one) => ({ ...one, effective_from: FROM_THE_BEGINNING }));
}

/** Working hours as packages/scheduling has them; positions in degrees times 10^6. */
export interface SiteSchedule {
  readonly hours: JsonValue;
  readonly lat_e6: number | null;
  readonly lon_e6: number | null;
}

export interface TechnicianSchedule {
  readonly shifts: JsonValue;
  readonly certifications: readonly {
    readonly name: string;
    readonly valid_from: string;
    readonly valid_until: string;
  }[];
  readonly absences: readonly { readonly starts_at: string; readonly ends_at: string }[];
  readonly home_lat_e6: number | null;
  readonly home_lon_e6: number | null;
}

interface FirstMembership {
  readonly id: string;
  readonly account_id: string;
  readonly site_id: string | null;
  readonly may_request: boolean;
  readonly may_approve: boolean;
  readonly approval_limit_cents: number;
  readonly changed_at: string;
}

/** What the event of a bootstrap states: an entry for each row of authority that `dispatch.bootstrap` writes. */
export function directoryOfFirstRows(first: FirstRows): string[] {
  const tenant_id = first.tenant.id;
  const active = true;
  const rows: DirectoryRow[] = [
    ...first.accounts.flatMap(({ id, slug, contract, autonomy_level: level }): DirectoryRow[] => [
      { table: 'accounts', id, values: { tenant_id, slug, contract } },
      { table: 'autonomy_settings', id, values: { tenant_id, level } },
    ]),
    ...first.sites.map(({ id, schedule: _, ...values }) => ({
      table: 'sites' as const,
      id,
      values: { tenant_id, ...values },
    })),
    ...first.sites.flatMap(({ id, schedule }): DirectoryRow[] =>
      schedule === undefined ? [] : [{ table: 'site_schedules', id, values: { tenant_id, ...schedule } }],
    ),
    ...first.contacts.flatMap(({ id, person_id, changed_at, memberships }): DirectoryRow[] => [
      { table: 'contacts', id, values: { tenant_id, person_id, active, changed_at } },
      ...memberships.map(({ id: membershipId, ...values }) => ({
        table: 'contact_memberships' as const,
        id: membershipId,
        values: { tenant_id, contact_id: id, ...values },
      })),
    ]),
    ...first.staff.flatMap(({ id, person_id, roles }): DirectoryRow[] => [
      { table: 'staff', id, values: { tenant_id, person_id, active } },
      ...roles.map((role) => ({
        table: 'staff_roles' as const,
        id: `${id}/${role}`,
        values: { tenant_id },
      })),
    ]),
    ...first.technicians.map(({ id, person_id, slug, skills, territories }) => ({
      table: 'technicians' as const,
      id,
      values: {
        tenant_id,
        person_id,
        slug,
        active,
        skills: [...skills],
        territories: [...territories],
      },
    })),
    ...first.technicians.flatMap(({ id, schedule }): DirectoryRow[] =>
      schedule === undefined
        ? []
        : [
            {
              table: 'technician_schedules',
              id,
              values: {
                tenant_id,
                ...schedule,
                certifications: schedule.certifications.map((one) => ({ ...one })),
                absences: schedule.absences.map((one) => ({ ...one })),
              },
            },
          ],
    ),
    ...first.publications.map(({ kind, name, version, effective_from }) => ({
      table: 'publications' as const,
      id: publicationId({ tenantId: tenant_id, kind, name, number: 1 }),
      values: { tenant_id, version, effective_from },
    })),
  ];
  return rows.map(directoryEntry);
}

/** A service key as `trust.put_service_key` writes it and `trust.revoke_service_key` leaves it. */
export interface ServiceKeyValues {
  readonly keyid: string;
  readonly service: string;
  readonly environment: string;
  readonly x: string;
  readonly not_before: string;
  readonly not_after: string;
}

/** What the event of putting a service key on file, or of revoking it, states. */
export function serviceKeyEntry({ keyid, ...values }: ServiceKeyValues, is_revoked: boolean): string {
  return directoryEntry({ table: 'service_keys', id: keyid, values: { ...values, is_revoked } });
}
