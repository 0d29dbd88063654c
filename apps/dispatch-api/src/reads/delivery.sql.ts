import type { ApprovalRow, ConsentFacts, ConversationRow, MessageRow, TicketRow } from '@deadlatch/decision';
import { sql, type Tx } from '@deadlatch/postgres';

/** The one template whose link leads to a decision; every other leads to the ticket's status page. */
export const ASKS_FOR_APPROVAL = 'M11';

/** A message with what its claim is about, as both stand now. */
export interface MessageNow {
  readonly message: MessageRow;
  readonly ticket: TicketRow | null;
  /** The approval its claim names, if it names one. */
  readonly approval: ApprovalRow | null;
  /** Whether the offer its claim names was not taken back; null when it names none. */
  readonly option_stands: boolean | null;
  /** Who has the word in the conversation it belongs to; null outside of one. */
  readonly conversation_state: ConversationRow['state'] | null;
  /** Any pause that covers the tenant, the ticket, or its account; without a ticket, an account of the recipient. */
  readonly paused: boolean;
  /** When the link that belongs into the text ends; null when none was handed out. */
  readonly link_expires_at: string | null;
  /** Whether it has a link of its own, by which it can be answered with a tap. */
  readonly has_choice_link: boolean;
}

/** @returns null for an unknown or an inbound message */
export async function findOutbound(tx: Tx, tenantId: string, messageId: string): Promise<MessageNow | null> {
  const rows =
    await tx.query<MessageNow>(sql`select to_jsonb(m) as message, to_jsonb(t) as ticket, to_jsonb(a) as approval,
       c.state as conversation_state,
       (select o.ended_at is null from dispatch.schedule_options o
         where o.tenant_id = m.tenant_id and m.claim ->> 'kind' = 'option'
           and o.id = (m.claim ->> 'option_id')::uuid) as option_stands,
       exists (select 1 from dispatch.pauses p
         where p.tenant_id = m.tenant_id
           and (p.scope = 'tenant'
             or (p.scope = 'ticket' and p.scope_id = t.id)
             or (p.scope = 'account' and (p.scope_id = t.account_id or (t.id is null and p.scope_id in (
                  select k.account_id from dispatch.contact_memberships k
                   where k.tenant_id = m.tenant_id and k.contact_id = m.contact_id)))))) as paused,
       (select dispatch.instant(max(l.expires_at)) from dispatch.links l
         where l.tenant_id = m.tenant_id and l.contact_id = m.contact_id
           and case when m.template = ${ASKS_FOR_APPROVAL}::text then l.purpose = 'approval' and l.object_id = a.id
             else l.purpose = 'status' and l.object_id = m.ticket_id end) as link_expires_at,
       exists (select 1 from dispatch.links l
         where l.tenant_id = m.tenant_id and l.purpose = 'choice' and l.contact_id = m.contact_id
           and l.object_id = m.id and l.expires_at > now()) as has_choice_link
     from dispatch.messages m
     left join dispatch.conversations c on c.tenant_id = m.tenant_id and c.id = m.conversation_id
     left join dispatch.tickets t on t.tenant_id = m.tenant_id and t.id = m.ticket_id
     left join dispatch.approvals a on a.tenant_id = m.tenant_id
       and m.claim ->> 'kind' = 'approval_state' and a.id = (m.claim ->> 'approval_id')::uuid
     where m.tenant_id = ${tenantId} and m.id = ${messageId} and m.direction = 'OUT'`);
  return rows[0] ?? null;
}

export interface LinkTarget {
  readonly contact_id: string;
  readonly object_id: string;
}

/** What a live link of this purpose leads to. */
export async function findLink(
  tx: Tx,
  tenantId: string,
  purpose: 'status' | 'approval',
  hash: string,
): Promise<LinkTarget | null> {
  const rows = await tx.query<LinkTarget>(sql`select contact_id, object_id from dispatch.links
     where tenant_id = ${tenantId} and hash = ${hash} and purpose = ${purpose} and expires_at > now()`);
  return rows[0] ?? null;
}

export interface ApprovalNow {
  readonly approval: ApprovalRow;
  readonly ticket_reference: string;
  readonly correlation_id: string;
  readonly is_open: boolean;
}

/** An approval, with the correlation under which it was asked. */
export async function findApproval(tx: Tx, tenantId: string, id: string): Promise<ApprovalNow | null> {
  const rows =
    await tx.query<ApprovalNow>(sql`select to_jsonb(a) as approval, t.reference as ticket_reference, ev.correlation_id,
       a.state = 'PENDING' and a.expires_at > now() as is_open
     from dispatch.approvals a
     join dispatch.tickets t on t.tenant_id = a.tenant_id and t.id = a.ticket_id
     join audit.effects e on e.tenant_id = a.tenant_id and e.object_id = a.id and e.version = 1
     join audit.events ev on ev.tenant_id = e.tenant_id and ev.id = e.event_id
     where a.tenant_id = ${tenantId} and a.id = ${id}`);
  return rows[0] ?? null;
}

/** A ticket, who said yes to what on it, and the texts that one contact got about it, oldest first. */
interface StatusNow {
  readonly ticket: TicketRow;
  readonly site_label: string;
  readonly consents: readonly ConsentFacts[];
  readonly messages: readonly MessageRow[];
}

/** What the holder of a status link sees, as it stands now. */
export async function findStatus(tx: Tx, tenantId: string, link: LinkTarget): Promise<StatusNow | null> {
  const rows = await tx.query<StatusNow>(sql`select to_jsonb(t) as ticket, s.slug as site_label,
       dispatch.consent_facts(t.tenant_id, t.id) as consents,
       coalesce((select jsonb_agg(to_jsonb(m) order by m.created_at, m.id) from dispatch.messages m
         where m.tenant_id = t.tenant_id and m.ticket_id = t.id and m.contact_id = ${link.contact_id} and m.direction = 'OUT'
           and m.state in ('SENT', 'DELIVERED')), '[]'::jsonb) as messages
     from dispatch.tickets t join dispatch.sites s on s.tenant_id = t.tenant_id and s.id = t.site_id
     where t.tenant_id = ${tenantId} and t.id = ${link.object_id}`);
  return rows[0] ?? null;
}
