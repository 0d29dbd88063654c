import { type Sql, sql, type Tx } from '@deadlatch/postgres';
import type { Sees } from './reader.ts';

/** A site as this reader sees it. */
export interface SiteView {
  readonly id: string;
  readonly label: string;
  readonly time_zone: string;
  /** Staff and technicians. */
  readonly territory?: string;
  /** Staff. */
  readonly account_id?: string;
  readonly account_label?: string;
  readonly contacts?: readonly SiteContact[];
}

/** Somebody on file for the site, or for every site of its account. Names and numbers are in the vault. */
export interface SiteContact {
  readonly contact_id: string;
  readonly active: boolean;
  readonly every_site: boolean;
  readonly may_request: boolean;
  readonly may_approve: boolean;
  readonly approval_limit_cents: number;
}

/** The condition on `dispatch.sites s` that keeps a reader to the sites they may see. */
function visibleTo(sees: Sees): Sql {
  switch (sees.kind) {
    case 'tenant':
      return sql`true`;
    case 'technician':
      return sql`exists (select 1 from dispatch.visits own
        join dispatch.tickets t on t.tenant_id = own.tenant_id and t.id = own.ticket_id
        where own.tenant_id = s.tenant_id and own.technician_id = ${sees.id}::uuid and t.site_id = s.id)`;
    case 'contact':
      return sql`exists (select 1 from dispatch.contact_memberships m
        where m.tenant_id = s.tenant_id and m.contact_id = ${sees.id}::uuid and m.account_id = s.account_id
          and (m.site_id is null or m.site_id = s.id)
          and (m.may_request or (${sees.approves}::boolean and m.may_approve)))`;
    case 'turn':
      return sql`false`;
  }
}

/** Null for a site that is unknown, foreign or not this reader's: one answer for all three. */
export async function findSite(tx: Tx, tenantId: string, sees: Sees, id: string): Promise<SiteView | null> {
  const site = await tx.one<Required<Omit<SiteView, 'contacts'>>>(sql`
    select s.id, s.slug as label, s.time_zone, s.territory, s.account_id, a.slug as account_label
    from dispatch.sites s join dispatch.accounts a on a.tenant_id = s.tenant_id and a.id = s.account_id
    where s.tenant_id = ${tenantId} and s.id = ${id} and ${visibleTo(sees)}`);
  if (site === null) return null;
  const { territory, account_id, account_label, ...all } = site;
  if (sees.kind === 'contact') return all;
  if (sees.kind !== 'tenant') return { ...all, territory };
  return { ...site, contacts: await listContacts(tx, tenantId, id, account_id) };
}

function listContacts(tx: Tx, tenantId: string, siteId: string, accountId: string): Promise<SiteContact[]> {
  return tx.query(sql`
    select m.contact_id, c.active, m.site_id is null as every_site, m.may_request, m.may_approve,
      m.approval_limit_cents
    from dispatch.contact_memberships m
    join dispatch.contacts c on c.tenant_id = m.tenant_id and c.id = m.contact_id
    where m.tenant_id = ${tenantId} and m.account_id = ${accountId} and (m.site_id is null or m.site_id = ${siteId})
    order by m.may_approve desc, m.contact_id limit 500`);
}
