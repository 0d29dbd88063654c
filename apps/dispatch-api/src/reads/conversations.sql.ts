import type { ConversationRow } from '@deadlatch/decision';
import { sql, type Tx } from '@deadlatch/postgres';
import type { Sees } from './reader.ts';
import { PAGE } from './tickets.sql.ts';

export interface ConversationEntry {
  readonly id: string;
  readonly direction: 'IN' | 'OUT';
  readonly mask_state: 'RELEASED' | 'WITHHELD' | null;
  /** Masked words of an inbound message; null for outbound ones, which are templates. */
  readonly text: string | null;
  readonly template: string | null;
  readonly state: string;
  readonly at: string;
}

/** Null when it is unknown or not this reader's. */
export async function findConversation(
  tx: Tx,
  tenantId: string,
  sees: Sees,
  id: string,
): Promise<ConversationRow | null> {
  if (sees.kind === 'turn' ? sees.conversationId !== id : sees.kind !== 'tenant') return null;
  const rows = await tx.query<{ row: ConversationRow }>(
    sql`select to_jsonb(c) as row from dispatch.conversations c where c.tenant_id = ${tenantId} and c.id = ${id}`,
  );
  return rows[0]?.row ?? null;
}

/** Oldest first; the newest 200. What the model sees comes from `context` alone. */
export async function conversationEntries(
  tx: Tx,
  tenantId: string,
  id: string,
): Promise<ConversationEntry[]> {
  return tx.query<ConversationEntry>(sql`select * from (
       select m.id, m.direction, e.mask_state, e.masked_text as text, m.template, m.state,
         dispatch.instant(m.created_at) as at
       from dispatch.messages m
       left join context.entries e on e.tenant_id = m.tenant_id and e.message_id = m.id
       where m.tenant_id = ${tenantId} and m.conversation_id = ${id}
       order by m.created_at desc, m.id desc limit 200
     ) newest order by at, id`);
}

export async function listConversations(tx: Tx, tenantId: string): Promise<ConversationRow[]> {
  const rows = await tx.query<{
    row: ConversationRow;
  }>(sql`select to_jsonb(c) as row from dispatch.conversations c
     where c.tenant_id = ${tenantId} order by c.opened_at desc limit ${PAGE}`);
  return rows.map(({ row }) => row);
}

/** Words of strangers that nobody has attached yet, newest first. */
export function listReports(
  tx: Tx,
  tenantId: string,
): Promise<{ id: string; channel: string; created_at: string }[]> {
  return tx.query(sql`select id, channel, dispatch.instant(reported_at) as created_at from dispatch.reports
     where tenant_id = ${tenantId} and attached_at is null order by reported_at desc limit ${PAGE}`);
}

export function listTechnicians(
  tx: Tx,
  tenantId: string,
): Promise<{ id: string; label: string; skills: string[]; territories: string[] }[]> {
  return tx.query(sql`select id, slug as label, skills, territories from dispatch.technicians
     where tenant_id = ${tenantId} and active order by slug limit 500`);
}

/** Sites of the tenant; for a contact those for which they may ask for work. */
export function listSites(
  tx: Tx,
  tenantId: string,
  sees: Sees,
): Promise<{ id: string; label: string; time_zone: string }[]> {
  const contactId = sees.kind === 'contact' ? sees.id : null;
  return tx.query(sql`select s.id, s.slug as label, s.time_zone from dispatch.sites s
     where s.tenant_id = ${tenantId} and (${sees.kind === 'tenant'} or exists (
       select 1 from dispatch.contact_memberships m
       where m.tenant_id = s.tenant_id and m.contact_id = ${contactId}::uuid and m.may_request
         and m.account_id = s.account_id and (m.site_id is null or m.site_id = s.id)))
     order by s.slug limit 500`);
}

export function listPauses(
  tx: Tx,
  tenantId: string,
): Promise<{ scope: string; scope_id: string; paused_at: string }[]> {
  return tx.query(sql`select scope, scope_id, dispatch.instant(paused_at) as paused_at from dispatch.pauses
     where tenant_id = ${tenantId} order by paused_at limit 500`);
}
