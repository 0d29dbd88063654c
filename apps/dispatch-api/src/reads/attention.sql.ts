import type { SuggestionRow } from '@deadlatch/decision';
import { type Sql, sql, type Tx } from '@deadlatch/postgres';
import { PAGE } from './tickets.sql.ts';

/** Something that waits for a person, and since when. */
export interface Attention {
  readonly kind: string;
  readonly ticket_id: string | null;
  readonly reference: string | null;
  readonly conversation_id: string | null;
  readonly since: string;
  /** What an agent wanted and may not do by itself; null for everything else. */
  readonly suggestion: SuggestionShown | null;
}

/** What a dispatcher accepts, as it is in the row: a command with references and choices, no word of anybody. */
export type SuggestionShown = Pick<
  SuggestionRow,
  'id' | 'command' | 'agent_role' | 'input' | 'safety' | 'digest' | 'expires_at'
>;

/**
 * What a dispatcher has to look at, oldest first.
 *
 * Derived from the rows themselves: a customer's message that nothing has answered (the agent paused, down, refused
 * or out of its depth) shows up whatever went wrong behind it, and both kinds go away when the row they are about
 * has moved on, so nobody has to tick them off.
 */
export function listAttention(tx: Tx, tenantId: string): Promise<Attention[]> {
  return tx.query<Attention>(sql`
    select * from (
      select 'suggestion' as kind, s.ticket_id, t.reference, s.conversation_id,
        dispatch.instant(s.suggested_at) as since,
        jsonb_build_object('id', s.id, 'command', s.command, 'agent_role', s.agent_role, 'input', s.input,
          'safety', s.safety, 'digest', s.digest, 'expires_at', dispatch.instant(s.expires_at)) as suggestion
      from dispatch.suggestions s
      left join dispatch.tickets t on t.tenant_id = s.tenant_id and t.id = s.ticket_id
      where s.tenant_id = ${tenantId} and s.state = 'OPEN' and s.expires_at > now()
        -- What the ticket has moved on from could not be accepted any more.
        and (s.ticket_id is null or t.version = s.ticket_version)
      union all
      select 'unanswered_message' as kind, c.ticket_id, t.reference, c.id as conversation_id,
        dispatch.instant(last.created_at) as since, null as suggestion
      from dispatch.conversations c
      cross join lateral (
        select m.direction, m.template, m.created_at from dispatch.messages m
        where m.tenant_id = c.tenant_id and m.conversation_id = c.id
        order by m.created_at desc, m.id desc limit 1) last
      left join dispatch.tickets t on t.tenant_id = c.tenant_id and t.id = c.ticket_id
      where c.tenant_id = ${tenantId}
        and ((last.direction = 'IN' and last.created_at < now() - interval '1 minute')
          -- The agent's promise of a person is kept by showing it to one.
          or last.template = 'phrase:a_person_will_look')
      union all
      select k.kind, k.ticket_id, t.reference, t.conversation_id, dispatch.instant(k.opened_at) as since,
        null as suggestion
      from dispatch.tasks k
      join dispatch.tickets t on t.tenant_id = k.tenant_id and t.id = k.ticket_id
      where k.tenant_id = ${tenantId} and k.done_at is null and t.state not in ('CLOSED', 'CANCELLED')
        and (k.kind <> 'safety_triage' or t.state in ('TRIAGED', 'READY_TO_SCHEDULE'))
        and (k.kind not in ('times_unanswered', 'other_times_wanted', 'visit_missed')
          or t.state = 'READY_TO_SCHEDULE')
        and (k.kind <> 'choice_waits' or t.state in ('SCHEDULE_PROPOSED', 'SCHEDULED', 'DISPATCHED'))
        -- Of the offer that is open now, and of no other since.
        and (k.kind <> 'offer_unanswered' or exists (select 1 from dispatch.visits v
          where v.tenant_id = k.tenant_id and v.ticket_id = k.ticket_id and v.state = 'OFFERED'
            and v.escalated_at is not null))
        and (k.kind <> 'visit_declined' or t.state in ('SCHEDULED', 'READY_TO_SCHEDULE'))
        and (k.kind <> 'technician_to_tell'
          or t.state in ('READY_TO_SCHEDULE', 'SCHEDULE_PROPOSED', 'SCHEDULED', 'DISPATCHED'))
        and (k.kind <> 'consent_needed' or t.state in ('IN_PROGRESS', 'COMPLETED_PENDING_VERIFICATION', 'INVOICED'))
        and (k.kind <> 'cancel_requested'
          or t.state not in ('ON_SITE', 'IN_PROGRESS', 'COMPLETED_PENDING_VERIFICATION', 'VERIFIED', 'INVOICED'))
        and (k.kind <> 'invoice_disputed' or exists (select 1 from dispatch.invoices i
          where i.tenant_id = k.tenant_id and i.ticket_id = k.ticket_id and i.state = 'DISPUTED'))
      union all
      ${overdueTickets(tenantId)}
    ) waiting order by since limit ${PAGE}`);
}

/**
 * A hold that is over, and questions that nobody has answered in the time that the priority gives. No timer wakes
 * anybody and nothing goes on by itself: what is read here is the case now.
 */
function overdueTickets(tenantId: string): Sql {
  return sql`
      select case t.state when 'ON_HOLD' then 'hold_over' else 'info_unanswered' end as kind, t.id as ticket_id,
        t.reference, t.conversation_id, dispatch.instant(w.over_at) as since, null as suggestion
      from dispatch.tickets t
      cross join lateral (
        select case when t.state = 'ON_HOLD' then t.hold_until
          when t.priority = 'EMERGENCY' then t.updated_at + interval '10 minutes'
          when t.priority = 'ROUTINE' then t.updated_at + interval '4 hours'
          -- Also what nobody has triaged: it may be anything.
          else t.updated_at + interval '1 hour' end as over_at) w
      where t.tenant_id = ${tenantId} and t.state in ('ON_HOLD', 'NEEDS_INFO') and w.over_at <= now()`;
}
