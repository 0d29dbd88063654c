-- The queue: most urgent first, then the oldest report, from where the last page ended. Every filter it has begins an
-- index that already stands in that order, so a page costs the same however many tickets there are. What nobody has
-- triaged may be anything and stands before what is known to be urgent only.
-- The expression is that of apps/dispatch-api/src/reads/queue.sql.ts, word for word; a function would not be leakproof,
-- and under row-level security no index would serve it.
create index tickets_queue on dispatch.tickets (tenant_id,
    (case priority when 'EMERGENCY' then 0 when 'URGENT' then 2 when 'ROUTINE' then 3 else 1 end), reported_at, id)
  where state not in ('CLOSED', 'CANCELLED');
create index tickets_queue_of_state on dispatch.tickets (tenant_id, state,
    (case priority when 'EMERGENCY' then 0 when 'URGENT' then 2 when 'ROUTINE' then 3 else 1 end), reported_at, id);
create index tickets_queue_of_site on dispatch.tickets (tenant_id, site_id,
    (case priority when 'EMERGENCY' then 0 when 'URGENT' then 2 when 'ROUTINE' then 3 else 1 end), reported_at, id)
  where state not in ('CLOSED', 'CANCELLED');
create index tickets_queue_of_site_and_state on dispatch.tickets (tenant_id, site_id, state,
    (case priority when 'EMERGENCY' then 0 when 'URGENT' then 2 when 'ROUTINE' then 3 else 1 end), reported_at, id);
-- What a contact may see: what they opened, and what is of an account that they approve for.
create index tickets_by_requester on dispatch.tickets (tenant_id, requester_id, state);
create index tickets_by_account on dispatch.tickets (tenant_id, account_id, state);
-- What the reader sent somebody on.
create index visits_live_by_sender on dispatch.visits (tenant_id, offered_by)
  where state not in ('DECLINED', 'CANCELLED', 'MISSED', 'CHECKED_OUT');
-- Both are the beginning of an index above.
drop index dispatch.tickets_by_state;
drop index dispatch.tickets_by_site;
