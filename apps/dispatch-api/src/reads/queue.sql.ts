import type { Priority, TicketState } from '@deadlatch/catalogue';
import { type Sql, sql, type Tx } from '@deadlatch/postgres';
import type { QueuePlace } from './queue-place.ts';
import type { Sees } from './reader.ts';
import { PAGE, visibleTo } from './tickets.sql.ts';

export interface TicketSummary {
  readonly id: string;
  readonly reference: string;
  readonly state: string;
  readonly priority: string | null;
  readonly site_id: string;
  readonly site_label: string;
  readonly incident_type: string | null;
  readonly nte_cents: number;
  readonly version: number;
  readonly reported_at: string;
  readonly updated_at: string;
  readonly technician_id: string | null;
}

export interface QueueFilter {
  /** null: everything that is not over. */
  readonly state: TicketState | null;
  /** `NONE`: not triaged yet. */
  readonly priority: Priority | 'NONE' | null;
  readonly siteId: string | null;
  /** What the reader is on their way to, sent somebody on, or opened. */
  readonly mine: boolean;
  /** The last row of the page before. */
  readonly after: QueuePlace | null;
}

/**
 * Place in the order of urgency, lowest first. What nobody has triaged may be anything, so only what is known to be
 * an emergency stands before it.
 */
const RANK_OF: Readonly<Record<Priority | 'NONE', number>> = { EMERGENCY: 0, NONE: 1, URGENT: 2, ROUTINE: 3 };

/** The same as an expression, word for word that of the indexes (sql/dispatch/0027-queue-indexes.sql). */
const RANK = sql`(case t.priority when 'EMERGENCY' then 0 when 'URGENT' then 2 when 'ROUTINE' then 3 else 1 end)`;

const OPEN = sql`not in ('CLOSED', 'CANCELLED')`;
const LIVE = sql`not in ('DECLINED', 'CANCELLED', 'MISSED', 'CHECKED_OUT')`;

/** Whose queue it is. */
export interface QueueReader {
  readonly tenantId: string;
  /** The subject itself; null for none. */
  readonly id: string | null;
  readonly sees: Sees;
}

/**
 * Most urgent first, then the oldest report; one row more than a page when there is another. A page begins where the
 * one before ended and is read in the order of an index, whatever the filter: nothing is skipped over or counted.
 */
export function listQueue(
  tx: Tx,
  reader: QueueReader,
  filter: QueueFilter,
): Promise<readonly (TicketSummary & { readonly rank: number })[]> {
  const { tenantId, sees } = reader;
  // Site and visit are looked up for the rows of the page: joined, they could be read whole.
  return tx.query(sql`
    select page.id, page.reference, page.state, page.priority, page.site_id,
      (select s.slug from dispatch.sites s where s.tenant_id = ${tenantId} and s.id = page.site_id) as site_label,
      page.incident_type, page.nte_cents, page.version, dispatch.instant(page.reported_at) as reported_at,
      dispatch.instant(page.updated_at) as updated_at,
      (select v.technician_id from dispatch.visits v
        where v.tenant_id = ${tenantId} and v.ticket_id = page.id and v.state ${LIVE}) as technician_id,
      page.rank
    from (
      select t.*, ${RANK} as rank from dispatch.tickets t
      where t.tenant_id = ${tenantId} and ${visibleTo(sees)} and ${withinReach(reader, filter)}
        and ${matches(reader, filter)}
      order by ${RANK}, t.reported_at, t.id limit ${PAGE + 1}
    ) page
    order by page.rank, page.reported_at, page.id`);
}

function matches(reader: QueueReader, { state, priority, siteId, mine, after }: QueueFilter): Sql {
  const conditions = [
    state === null ? sql`t.state ${OPEN}` : sql`t.state = ${state}`,
    ...(priority === null ? [] : [sql`${RANK} = ${RANK_OF[priority]}::int`]),
    ...(siteId === null ? [] : [sql`t.site_id = ${siteId}::uuid`]),
    ...(mine ? [ownedBy(reader)] : []),
    ...(after === null
      ? []
      : [
          sql`(${RANK}, t.reported_at, t.id) > (${after.rank}::int, ${after.at}::timestamptz, ${after.id}::uuid)`,
        ]),
  ];
  return conditions.reduce((all, one) => sql`${all} and ${one}`);
}

/**
 * Follows from `visibleTo` and keeps nothing back: it names what a contact can see by its indexes, which that
 * condition, being an alternative, cannot.
 */
function withinReach({ tenantId, sees }: QueueReader, { state }: QueueFilter): Sql {
  if (sees.kind !== 'contact') return sql`true`;
  const inState = state === null ? OPEN : sql`= ${state}`;
  return sql`t.id in (
    select o.id from dispatch.tickets o
     where o.tenant_id = ${tenantId} and o.requester_id = ${sees.id}::uuid and o.state ${inState}
    union all
    select a.id from dispatch.contact_memberships m
      join dispatch.tickets a on a.tenant_id = m.tenant_id and a.account_id = m.account_id
     where m.tenant_id = ${tenantId} and m.contact_id = ${sees.id}::uuid and m.may_approve and a.state ${inState})`;
}

function ownedBy({ tenantId, id, sees }: QueueReader): Sql {
  switch (sees.kind) {
    case 'tenant':
      return sql`t.id in (select w.ticket_id from dispatch.visits w
        where w.tenant_id = ${tenantId} and w.offered_by = ${id}::text and w.state ${LIVE})`;
    case 'technician':
      return sql`t.id in (select w.ticket_id from dispatch.visits w
        where w.tenant_id = ${tenantId} and w.technician_id = ${sees.id}::uuid and w.state ${LIVE})`;
    case 'contact':
      return sql`t.requester_id = ${sees.id}::uuid`;
    case 'turn':
      return sql`t.id = ${sees.ticketId}::uuid`;
  }
}
