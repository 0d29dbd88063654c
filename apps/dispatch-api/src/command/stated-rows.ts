import { type DirectoryRow, directoryEntry, publicationId } from '@deadlatch/audit-log';
import type { Changes } from '@deadlatch/decision';
import type { JsonValue } from '@deadlatch/kernel';

/**
 * What the event of a command states of rows of authority: one entry for each that it writes. They follow from the
 * changes, so no rule can forget one, and `audit verify` finds a row that no event states.
 * @source F.1, T3.11
 */
export function statedRows(tenantId: string, changes: Changes): string[] {
  return rowsOf(tenantId, changes).map(directoryEntry);
}

function rowsOf(tenant_id: string, changes: Changes): DirectoryRow[] {
  const { account, autonomy, site, asset, contact, technician, act_confirmation: yes } = changes;
  const rows: DirectoryRow[] = [];
  if (account !== undefined) {
    const { id, slug, contract } = account;
    rows.push({ table: 'accounts', id, values: { tenant_id, slug, contract: plain(contract) } });
  }
  if (autonomy !== undefined) {
    const { account_id: id, level } = autonomy;
    rows.push({ table: 'autonomy_settings', id, values: { tenant_id, level } });
  }
  if (site !== undefined) {
    const { id, account_id, slug, time_zone, territory } = site;
    rows.push({ table: 'sites', id, values: { tenant_id, account_id, slug, time_zone, territory } });
  }
  if (asset !== undefined) {
    const { id, account_id, site_id, kind, slug, model, serial, state } = asset;
    const values = { tenant_id, account_id, site_id, kind, slug, model, serial, state };
    rows.push({ table: 'assets', id, values });
  }
  const people = [...(contact === undefined ? [] : [contact]), ...(changes.contacts ?? [])];
  for (const { id, person_id, state, changed_at } of people) {
    rows.push({
      table: 'contacts',
      id,
      values: { tenant_id, person_id, active: state === 'ACTIVE', changed_at },
    });
  }
  for (const { id, contact_id, account_id, site_id, changed_at, ...may } of changes.memberships ?? []) {
    const { may_request, may_approve, approval_limit_cents } = may;
    const place = { tenant_id, contact_id, account_id, site_id };
    const values = { ...place, may_request, may_approve, approval_limit_cents, changed_at };
    rows.push({ table: 'contact_memberships', id, values });
  }
  if (technician !== undefined) {
    const { id, person_id, slug, state, skills, territories } = technician;
    const can = { skills: [...skills], territories: [...territories] };
    rows.push({
      table: 'technicians',
      id,
      values: { tenant_id, person_id, slug, active: state === 'ACTIVE', ...can },
    });
  }
  rows.push(...schedulesOf(tenant_id, changes));
  if (changes.publication !== undefined) {
    const { kind, name, number, version, effective_from } = changes.publication;
    const id = publicationId({ tenantId: tenant_id, kind, name, number });
    rows.push({ table: 'publications', id, values: { tenant_id, version, effective_from } });
  }
  if (yes !== undefined) {
    const { act_id, person_id, staff_id } = yes;
    rows.push({ table: 'act_confirmations', id: `${act_id}/${person_id}`, values: { tenant_id, staff_id } });
  }
  return rows;
}

function schedulesOf(tenant_id: string, changes: Changes): DirectoryRow[] {
  const { technician_schedule: plan, site_schedule: opening } = changes;
  const rows: DirectoryRow[] = [];
  if (plan !== undefined) {
    const { id, home_lat_e6, home_lon_e6 } = plan;
    const values = {
      tenant_id,
      shifts: plain(plan.shifts),
      certifications: plain(plan.certifications),
      absences: plain(plan.absences),
      home_lat_e6,
      home_lon_e6,
    };
    rows.push({ table: 'technician_schedules', id, values });
  }
  if (opening !== undefined) {
    const { id, hours, lat_e6, lon_e6 } = opening;
    rows.push({ table: 'site_schedules', id, values: { tenant_id, hours: plain(hours), lat_e6, lon_e6 } });
  }
  return rows;
}

function plain(value: object): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
