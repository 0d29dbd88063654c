import { createHash } from 'node:crypto';
import type { JsonValue } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';

/**
 * What of a row says who may do what. Counters and the name of the event that wrote the row are left out: the first
 * follow from the others, the second is what the digest is compared with.
 */
export const AUTHORITY_COLUMNS = {
  accounts: ['tenant_id', 'slug', 'contract'],
  sites: ['tenant_id', 'account_id', 'slug', 'time_zone', 'territory'],
  contacts: ['tenant_id', 'person_id', 'active', 'changed_at'],
  contact_memberships: [
    'tenant_id',
    'contact_id',
    'account_id',
    'site_id',
    'may_request',
    'may_approve',
    'approval_limit_cents',
    'changed_at',
  ],
  staff: ['tenant_id', 'person_id', 'active'],
  /** Its id is `<staff id>/<role>`. */
  staff_roles: ['tenant_id'],
  technicians: ['tenant_id', 'person_id', 'slug', 'active', 'skills', 'territories'],
  /** Their ids are those of the technician and of the site. */
  technician_schedules: ['tenant_id', 'shifts', 'certifications', 'absences', 'home_lat_e6', 'home_lon_e6'],
  site_schedules: ['tenant_id', 'hours', 'lat_e6', 'lon_e6'],
  assets: ['tenant_id', 'account_id', 'site_id', 'kind', 'slug', 'model', 'serial', 'state'],
  /** Its id is `<tenant>/<kind>/<name>/<number>`. */
  publications: ['tenant_id', 'version', 'effective_from'],
  /** Its id is `<act id>/<person id>`. */
  act_confirmations: ['tenant_id', 'staff_id'],
  /** Its id is that of the account. */
  autonomy_settings: ['tenant_id', 'level'],
  /** Its id is `<scope>/<scope id>`. */
  pauses: ['tenant_id'],
  /** Its id is the thumbprint. When a key was revoked does not matter to anybody, that it was does. */
  service_keys: ['service', 'environment', 'x', 'not_before', 'not_after', 'is_revoked'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type AuthorityTable = keyof typeof AUTHORITY_COLUMNS;

/** A row of authority: its columns by name, instants as RFC 3339 with milliseconds. */
export type DirectoryRow = {
  readonly [T in AuthorityTable]: {
    readonly table: T;
    readonly id: string;
    readonly values: Readonly<Record<(typeof AUTHORITY_COLUMNS)[T][number], JsonValue>>;
  };
}[AuthorityTable];

/** Stands in place of the digest where an event took the row away. */
const GONE = '-';
const ENTRY = /^([a-z_]+):([^:\s]{1,120}):(-|[A-Za-z0-9_-]{43})$/;

/**
 * What an event states of a row: table, id and a digest of its authority columns.
 * A digest over random ids can be told by whoever may see the rows, and enumerated by nobody else.
 */
export function directoryEntry(row: DirectoryRow): string {
  return `${row.table}:${row.id}:${directoryDigest(row)}`;
}

/** What an event states of a row that it removes. */
export function goneEntry(table: AuthorityTable, id: string): string {
  return `${table}:${id}:${GONE}`;
}

/** SHA-256 of the canonical JSON of the authority columns, base64url. @source RFC 8785 */
export function directoryDigest({ table, values }: DirectoryRow): string {
  const given: Readonly<Record<string, JsonValue>> = values;
  // Exactly the listed columns: one more, or one less, would be another statement.
  const listed = Object.fromEntries(AUTHORITY_COLUMNS[table].map((name) => [name, given[name]]));
  return createHash('sha256').update(canonicalJson(listed)).digest('base64url');
}

/** What an entry says, or undefined when it says nothing that can be read. */
export function parseDirectoryEntry(
  entry: string,
): { readonly row: string; readonly digest: string | null } | undefined {
  const [, table = '', id = '', digest = ''] = ENTRY.exec(entry) ?? [];
  if (!Object.hasOwn(AUTHORITY_COLUMNS, table)) return undefined;
  return { row: `${table}:${id}`, digest: digest === GONE ? null : digest };
}
