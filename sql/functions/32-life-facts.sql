-- Facts of what belongs together, takes two people or was suggested; see packages/decision/src/facts.ts.

create or replace function dispatch.suggestion_json(r dispatch.suggestions) returns jsonb language plpgsql stable as $$
begin
  return to_jsonb(r) || jsonb_build_object(
    'suggested_at', dispatch.instant(r.suggested_at), 'expires_at', dispatch.instant(r.expires_at),
    'decided_at', dispatch.instant(r.decided_at));
end $$;

create or replace function dispatch.report_facts(tenant uuid, report uuid) returns jsonb language plpgsql stable as $$
begin
  return (
    select jsonb_build_object('tenant_id', r.tenant_id, 'id', r.id, 'message_id', r.message_id, 'text_id', m.text_id,
             'attached_ticket_id', r.attached_ticket_id, 'reported_at', dispatch.instant(r.reported_at))
      from dispatch.reports r
      join dispatch.messages m on m.tenant_id = r.tenant_id and m.id = r.message_id
     where r.tenant_id = tenant and r.id = report);
end $$;

-- The named ticket of the same site, or the two oldest that are open: with two, none is the only one.
create or replace function dispatch.duplicate_facts(tenant uuid, ticket dispatch.tickets, named uuid) returns jsonb
language plpgsql stable as $$
begin
  return coalesce((
    select jsonb_agg(dispatch.ticket_json(x.t)::jsonb order by (x.t).created_at, (x.t).id)
      from (select t from dispatch.tickets t
             where t.tenant_id = tenant and t.site_id = ticket.site_id and t.id <> ticket.id
               and t.state not in ('CLOSED', 'CANCELLED')
               and case when named is not null then t.id = named
                        else ticket.incident_type is null or t.incident_type = ticket.incident_type end
             order by t.created_at, t.id limit 2) x), '[]'::jsonb);
end $$;

create or replace function dispatch.consent_facts(tenant uuid, ticket uuid) returns jsonb language plpgsql stable as $$
begin
  return coalesce((
    select jsonb_agg(jsonb_build_object('act', c.act, 'object', c.object, 'object_version', c.object_version,
                                        'role', c.role, 'staff_id', c.staff_id, 'person_id', c.person_id)
                     order by c.given_at, c.event_id)
      from dispatch.consents c where c.tenant_id = tenant and c.ticket_id = ticket), '[]'::jsonb);
end $$;

-- The one visit that is not over. Once work was handed in and its technician has left, the visit it was handed in from:
-- what is verified is that trip.
create or replace function dispatch.visit_in_question(tenant uuid, ticket uuid) returns uuid language plpgsql stable as $$
begin
  return coalesce(
    (select v.id from dispatch.visits v
      where v.tenant_id = tenant and v.ticket_id = ticket
        and v.state not in ('DECLINED', 'CANCELLED', 'MISSED', 'CHECKED_OUT')),
    (select c.visit_id from dispatch.completions c
       join dispatch.tickets t on t.tenant_id = tenant and t.id = ticket and t.state = 'COMPLETED_PENDING_VERIFICATION'
      where c.tenant_id = tenant and c.ticket_id = ticket
      order by c.submitted_at desc, c.id desc limit 1));
end $$;
