import type { OptionRow, TappedLinkFacts, TicketRow, VisitRow } from '@deadlatch/decision';
import { sql, type Tx } from '@deadlatch/postgres';

/** What the page behind a link of purpose `choice` is made from. */
export interface TappedNow {
  /** Database time, RFC 3339. */
  readonly now: string;
  readonly link: TappedLinkFacts;
  readonly ticket: TicketRow;
  readonly time_zone: string;
  readonly options: readonly OptionRow[];
  readonly visit: VisitRow | null;
  /** What was chosen by it; `option` is null for other times. */
  readonly chosen: { readonly option: OptionRow | null } | null;
}

/** @returns null for a link that is none, is over, or is of another purpose */
export async function findTapped(tx: Tx, tenantId: string, hash: string): Promise<TappedNow | null> {
  const rows = await tx.query<TappedNow>(sql`
    select dispatch.instant(now()) as now, x.link, dispatch.ticket_json(t) as ticket, s.time_zone,
      dispatch.options_json(t.tenant_id, t.id) as options,
      (select dispatch.visit_json(v) from dispatch.visits v
        where v.tenant_id = t.tenant_id and v.id = dispatch.visit_in_question(t.tenant_id, t.id)) as visit,
      (select jsonb_build_object('option', case when o.id is not null then jsonb_build_object(
                'window_from', dispatch.instant(o.window_from), 'window_to', dispatch.instant(o.window_to)) end)
         from dispatch.choices c
         left join dispatch.schedule_options o on o.tenant_id = c.tenant_id and o.id = c.option_id
        where c.tenant_id = t.tenant_id and c.link_hash = ${hash}) as chosen
    from (select dispatch.tapped_link_facts(${tenantId}, ${hash}) as link) x
    join dispatch.tickets t on t.tenant_id = ${tenantId} and t.id = (x.link -> 'message' ->> 'ticket_id')::uuid
    join dispatch.sites s on s.tenant_id = t.tenant_id and s.id = t.site_id
    where x.link is not null`);
  return rows[0] ?? null;
}
