import { type Sql, sql, type Tx } from '@deadlatch/postgres';

/** Rows of one page; they are short. */
export const DIRECTORY_PAGE = 500;

export const DIRECTORY_KINDS = ['accounts', 'sites', 'assets', 'technicians', 'contacts'] as const;
export type DirectoryKind = (typeof DIRECTORY_KINDS)[number];

/**
 * What is in force, by id. Codes and figures of places and equipment; of people the technicians' codes, and where a
 * contact may do what. A contact is a row for each place; one who was taken off stays, because their code does.
 */
const ROWS: Readonly<Record<DirectoryKind, Sql>> = {
  accounts: sql`select a.tenant_id, a.id, a.slug from dispatch.accounts a where a.state = 'ACTIVE'`,
  sites: sql`select s.tenant_id, s.id, s.account_id, s.slug, s.time_zone, s.territory
    from dispatch.sites s where s.state = 'ACTIVE'`,
  assets: sql`select k.tenant_id, k.id, k.account_id, k.site_id, k.kind, k.slug, k.model, k.serial
    from dispatch.assets k where k.state = 'ACTIVE'`,
  technicians: sql`select w.tenant_id, w.id, w.slug, w.skills, w.territories
    from dispatch.technicians w where w.state = 'ACTIVE'`,
  contacts: sql`select m.tenant_id, m.id, m.contact_id, m.account_id, m.site_id, m.may_request,
    m.approval_limit_cents, c.state, k.slug
    from dispatch.contact_memberships m
    join dispatch.contacts c on c.tenant_id = m.tenant_id and c.id = m.contact_id
    left join dispatch.contact_codes k
      on k.tenant_id = m.tenant_id and k.contact_id = m.contact_id and k.account_id = m.account_id`,
};

/**
 * One page of a kind, by id. @param after the id that the page before ended with
 * @returns the rows, and where to go on; null at the end
 */
export async function listDirectory(
  tx: Tx,
  tenantId: string,
  kind: DirectoryKind,
  after: string | null,
): Promise<{ readonly rows: readonly object[]; readonly next: string | null }> {
  const found = await tx.query<{ id: string; row: object }>(sql`
    select page.id, to_jsonb(page) - 'tenant_id' as row from (${ROWS[kind]}) page
    where page.tenant_id = ${tenantId} and (${after}::uuid is null or page.id > ${after}::uuid)
    order by page.id limit ${DIRECTORY_PAGE + 1}`);
  const page = found.slice(0, DIRECTORY_PAGE);
  return {
    rows: page.map(({ row }) => row),
    next: found.length > DIRECTORY_PAGE ? (page.at(-1)?.id ?? null) : null,
  };
}
