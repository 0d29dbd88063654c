import type { CurrentObject, DirectoryRow } from '@deadlatch/audit-log';
import type pg from 'pg';
import { readRows } from './read-rows.ts';

/** Versioned objects: the word that effects use, and the table. */
const OBJECTS = {
  ticket: 'tickets',
  visit: 'visits',
  approval: 'approvals',
  invoice: 'invoices',
  evidence: 'evidence',
  conversation: 'conversations',
  account: 'accounts',
  site: 'sites',
  asset: 'assets',
  contact: 'contacts',
  membership: 'contact_memberships',
  staff: 'staff',
  technician: 'technicians',
  act: 'acts',
  suggestion: 'suggestions',
} as const;

const EVERY_OBJECT = Object.entries(OBJECTS)
  .map(([object, table]) => `select '${object}' as object, id, version, state from dispatch.${table}`)
  .join(' union all ');

/** Columns as `AUTHORITY_COLUMNS` of the audit log lists them; ids, words and numbers only. */
const EVERY_ROW = `
  select 'accounts' as table, id::text, jsonb_build_object(
    'tenant_id', tenant_id, 'slug', slug, 'contract', contract) as values from dispatch.accounts
  union all select 'sites', id::text, jsonb_build_object(
    'tenant_id', tenant_id, 'account_id', account_id, 'slug', slug, 'time_zone', time_zone, 'territory', territory)
    from dispatch.sites
  union all select 'contacts', id::text, jsonb_build_object(
    'tenant_id', tenant_id, 'person_id', person_id, 'active', active, 'changed_at', dispatch.instant(changed_at))
    from dispatch.contacts
  union all select 'contact_memberships', id::text, jsonb_build_object(
    'tenant_id', tenant_id, 'contact_id', contact_id, 'account_id', account_id, 'site_id', site_id,
    'may_request', may_request, 'may_approve', may_approve, 'approval_limit_cents', approval_limit_cents,
    'changed_at', dispatch.instant(changed_at)) from dispatch.contact_memberships
  union all select 'staff', id::text, jsonb_build_object(
    'tenant_id', tenant_id, 'person_id', person_id, 'active', active) from dispatch.staff
  union all select 'staff_roles', staff_id || '/' || role, jsonb_build_object('tenant_id', tenant_id)
    from dispatch.staff_roles
  union all select 'technicians', id::text, jsonb_build_object(
    'tenant_id', tenant_id, 'person_id', person_id, 'slug', slug, 'active', active, 'skills', to_jsonb(skills),
    'territories', to_jsonb(territories)) from dispatch.technicians
  union all select 'technician_schedules', id::text, jsonb_build_object(
    'tenant_id', tenant_id, 'shifts', shifts, 'certifications', certifications, 'absences', absences,
    'home_lat_e6', home_lat_e6, 'home_lon_e6', home_lon_e6) from dispatch.technician_schedules
  union all select 'site_schedules', id::text, jsonb_build_object(
    'tenant_id', tenant_id, 'hours', hours, 'lat_e6', lat_e6, 'lon_e6', lon_e6) from dispatch.site_schedules
  union all select 'assets', id::text, jsonb_build_object(
    'tenant_id', tenant_id, 'account_id', account_id, 'site_id', site_id, 'kind', kind, 'slug', slug, 'model', model,
    'serial', serial, 'state', state) from dispatch.assets
  union all select 'publications', tenant_id || '/' || kind || '/' || name || '/' || number, jsonb_build_object(
    'tenant_id', tenant_id, 'version', version, 'effective_from', dispatch.instant(effective_from))
    from dispatch.publications
  union all select 'act_confirmations', act_id || '/' || person_id, jsonb_build_object(
    'tenant_id', tenant_id, 'staff_id', staff_id) from dispatch.act_confirmations
  union all select 'autonomy_settings', account_id::text, jsonb_build_object(
    'tenant_id', tenant_id, 'level', level) from dispatch.autonomy_settings
  union all select 'pauses', scope || '/' || scope_id, jsonb_build_object('tenant_id', tenant_id)
    from dispatch.pauses
  union all select 'service_keys', keyid, jsonb_build_object(
    'service', service, 'environment', environment, 'x', x, 'not_before', dispatch.instant(not_before),
    'not_after', dispatch.instant(not_after), 'is_revoked', revoked_at is not null) from trust.service_keys`;

/** Every versioned object of every tenant, as it stands in the transaction's snapshot. */
export function currentObjects(client: pg.Client): AsyncIterable<CurrentObject> {
  return readRows<CurrentObject>(client, EVERY_OBJECT);
}

/** Every row of authority of every tenant, as it stands in the transaction's snapshot. */
export function currentDirectory(client: pg.Client): AsyncIterable<DirectoryRow> {
  return readRows<DirectoryRow>(client, EVERY_ROW);
}
