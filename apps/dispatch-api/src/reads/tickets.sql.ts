import type {
  ApprovalRow,
  ConsentFacts,
  EvidenceRow,
  InvoiceRow,
  TicketRow,
  VisitRow,
} from '@deadlatch/decision';
import { type Sql, sql, type Tx } from '@deadlatch/postgres';
import type { Sees } from './reader.ts';

/** The most rows one page of any list holds. */
export const PAGE = 50;

/**
 * The condition on `dispatch.tickets t` that keeps a reader to what it may see.
 * One place, so that a list and a single read can never disagree (mistake 26 of comparable systems).
 */
export function visibleTo(sees: Sees): Sql {
  switch (sees.kind) {
    case 'tenant':
      return sql`true`;
    case 'technician':
      return sql`exists (select 1 from dispatch.visits own where own.tenant_id = t.tenant_id
        and own.ticket_id = t.id and own.technician_id = ${sees.id}::uuid)`;
    case 'contact':
      return sql`(t.requester_id = ${sees.id}::uuid or (${sees.approves}::boolean and exists (
        select 1 from dispatch.contact_memberships m
        where m.tenant_id = t.tenant_id and m.contact_id = ${sees.id}::uuid and m.may_approve
          and m.account_id = t.account_id and (m.site_id is null or m.site_id = t.site_id))))`;
    case 'turn':
      return sql`t.id = ${sees.ticketId}::uuid`;
  }
}

export interface TicketRows {
  readonly ticket: TicketRow;
  readonly visit: VisitRow | null;
  readonly invoice: InvoiceRow | null;
  readonly site_label: string;
  /** Who said yes to what on it. */
  readonly consents: readonly ConsentFacts[];
  /** Tickets that belong to this one; for staff, whoever else owns them. */
  readonly linked: readonly LinkedTicket[];
}

export interface LinkedTicket {
  readonly id: string;
  readonly reference: string;
  readonly state: string;
  /** What the other one is to this one. */
  readonly relation: 'DUPLICATE' | 'SURVIVOR' | 'RECALL' | 'ORIGINAL';
}

/** Null for a ticket that is unknown, foreign or not this reader's: one answer for all three. */
export async function findTicket(
  tx: Tx,
  tenantId: string,
  sees: Sees,
  id: string,
): Promise<TicketRows | null> {
  return tx.one<TicketRows>(sql`
    select to_jsonb(t) as ticket, s.slug as site_label,
      (select to_jsonb(v) from dispatch.visits v where v.tenant_id = t.tenant_id and v.ticket_id = t.id
        order by v.starts_at desc limit 1) as visit,
      (select to_jsonb(i) from dispatch.invoices i where i.tenant_id = t.tenant_id and i.ticket_id = t.id
        and i.state <> 'VOID' limit 1) as invoice,
      dispatch.consent_facts(t.tenant_id, t.id) as consents,
      coalesce((select jsonb_agg(jsonb_build_object('id', x.id, 'reference', x.reference, 'state', x.state, 'relation',
          case when x.duplicate_of = t.id then 'DUPLICATE' when x.recall_of = t.id then 'RECALL'
               when x.id = t.duplicate_of then 'SURVIVOR' else 'ORIGINAL' end) order by x.created_at, x.id)
        from dispatch.tickets x where x.tenant_id = t.tenant_id
          and (x.duplicate_of = t.id or x.recall_of = t.id or x.id = t.duplicate_of or x.id = t.recall_of)
      ), '[]'::jsonb) as linked
    from dispatch.tickets t join dispatch.sites s on s.tenant_id = t.tenant_id and s.id = t.site_id
    where t.tenant_id = ${tenantId} and ${visibleTo(sees)} and t.id = ${id}`);
}

/** Oldest first; with what came in with duplicates of the ticket. */
export async function listEvidence(tx: Tx, tenantId: string, ticketId: string): Promise<EvidenceRow[]> {
  const rows = await tx.query<{ row: EvidenceRow }>(sql`
    select to_jsonb(e) as row from dispatch.evidence e
    where e.tenant_id = ${tenantId} and (e.ticket_id = ${ticketId} or e.ticket_id in (
      select d.id from dispatch.tickets d where d.tenant_id = ${tenantId} and d.duplicate_of = ${ticketId}))
    order by e.created_at, e.id limit 500`);
  return rows.map(({ row }) => row);
}

/** Evidence that was finalized, of a ticket this reader sees; null for any other. */
export function findEvidence(
  tx: Tx,
  tenantId: string,
  sees: Sees,
  id: string,
): Promise<{ readonly content_type: string; readonly content_key: string } | null> {
  return tx.one(sql`
    select e.content_type, e.content_key
    from dispatch.evidence e
    join dispatch.tickets t on t.tenant_id = e.tenant_id and t.id = e.ticket_id
    where e.tenant_id = ${tenantId} and e.id = ${id} and e.state = 'FINALIZED' and ${visibleTo(sees)}`);
}

/** Oldest first. */
export async function listApprovals(tx: Tx, tenantId: string, ticketId: string): Promise<ApprovalRow[]> {
  const rows = await tx.query<{ row: ApprovalRow }>(sql`
    select to_jsonb(a) as row from dispatch.approvals a
    where a.tenant_id = ${tenantId} and a.ticket_id = ${ticketId} order by a.requested_at, a.id limit 500`);
  return rows.map(({ row }) => row);
}

/** Event bodies of one ticket, oldest first. */
export async function ticketEvents(tx: Tx, tenantId: string, ticketId: string): Promise<string[]> {
  const rows = await tx.query<{ body: string }>(sql`
    select convert_from(body, 'UTF8') as body from audit.events
    where tenant_id = ${tenantId} and ticket_id = ${ticketId} order by at, id limit 1000`);
  return rows.map(({ body }) => body);
}
