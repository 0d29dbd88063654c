-- Announced and not finished: what a ticket may have only so much of. What is older than a day is swept and counts no more.
create or replace function dispatch.open_uploads(tenant uuid, ticket uuid) returns bigint
language sql stable as $$
  select count(*) from dispatch.evidence e
   where e.tenant_id = tenant and e.ticket_id = ticket and e.state = 'PRESIGNED'
     and e.created_at > now() - interval '1 day'
$$;
