-- What the calendar knows, as packages/decision/src/schedule-facts.ts has it, and what is written to it.

create or replace function dispatch.place_json(lat_e6 integer, lon_e6 integer, territory text) returns jsonb
language sql immutable as $$
  select jsonb_build_object('lat_e6', lat_e6, 'lon_e6', lon_e6, 'territory', territory)
$$;

-- Bookings of other tickets that end after yesterday and begin within the horizon of `eligible.ts`. What the ticket
-- itself holds is not in its own way; holds that are over take nothing.
create or replace function dispatch.commitments(tenant uuid, technician uuid, ticket uuid) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object(
           'starts_at', dispatch.instant(b.starts_at), 'ends_at', dispatch.instant(b.ends_at),
           'place', dispatch.place_json(p.lat_e6, p.lon_e6, s.territory)) order by b.starts_at), '[]'::jsonb)
    from dispatch.bookings b
    left join dispatch.visits v on v.tenant_id = tenant and v.id = b.visit_id
    left join dispatch.schedule_options o on o.tenant_id = tenant and o.id = b.option_id
    join dispatch.tickets t on t.tenant_id = tenant and t.id = coalesce(v.ticket_id, o.ticket_id)
    join dispatch.sites s on s.tenant_id = tenant and s.id = t.site_id
    left join dispatch.site_schedules p on p.tenant_id = tenant and p.id = s.id
   where b.tenant_id = tenant and b.technician_id = technician
     and b.starts_at < now() + interval '15 days' and b.ends_at > now() - interval '1 day'
     and (b.held_until is null or b.held_until > now())
     and t.id is distinct from ticket
$$;

create or replace function dispatch.technician_plan(t dispatch.technicians, ticket uuid) returns jsonb
language sql stable as $$
  select jsonb_build_object(
           'id', t.id, 'person_id', t.person_id, 'active', t.active, 'skills', to_jsonb(t.skills),
           'territories', to_jsonb(t.territories), 'shifts', p.shifts,
           'certifications', coalesce(p.certifications, '[]'::jsonb), 'absences', coalesce(p.absences, '[]'::jsonb),
           'home', case when p.id is not null
             then dispatch.place_json(p.home_lat_e6, p.home_lon_e6, t.territories[1]) end,
           'commitments', dispatch.commitments(t.tenant_id, t.id, ticket))
    from (select 1) one
    left join dispatch.technician_schedules p on p.tenant_id = t.tenant_id and p.id = t.id
$$;

create or replace function dispatch.technician_facts(tenant uuid, technician uuid, ticket uuid) returns jsonb
language sql stable as $$
  select dispatch.technician_plan(t, ticket) from dispatch.technicians t
   where t.tenant_id = tenant and t.id = technician
$$;

-- Everybody who works at all.
create or replace function dispatch.roster_facts(tenant uuid, ticket uuid) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(dispatch.technician_plan(t, ticket) order by t.id), '[]'::jsonb)
    from (select x.* from dispatch.technicians x where x.tenant_id = tenant and x.active order by x.id limit 500) t
$$;

create or replace function dispatch.options_json(tenant uuid, ticket uuid) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object(
           'id', o.id, 'ticket_id', o.ticket_id, 'number', o.number,
           'window_from', dispatch.instant(o.window_from), 'window_to', dispatch.instant(o.window_to),
           'technician_id', o.technician_id, 'visit_from', dispatch.instant(o.visit_from),
           'visit_to', dispatch.instant(o.visit_to), 'asked_contact_id', o.asked_contact_id,
           'proposed_at', dispatch.instant(o.proposed_at), 'held_until', dispatch.instant(o.held_until),
           'confirmed_at', dispatch.instant(o.confirmed_at)) order by o.number), '[]'::jsonb)
    from dispatch.schedule_options o
   where o.tenant_id = tenant and o.ticket_id = ticket and o.ended_at is null
$$;

create or replace function dispatch.schedule_facts(tenant uuid, ticket uuid, site uuid) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'site', (
      select jsonb_build_object('hours', p.hours, 'place', dispatch.place_json(p.lat_e6, p.lon_e6, s.territory))
        from dispatch.sites s left join dispatch.site_schedules p on p.tenant_id = tenant and p.id = s.id
       where s.tenant_id = tenant and s.id = site),
    'options', dispatch.options_json(tenant, ticket),
    'choices', coalesce((
      select jsonb_agg(jsonb_build_object(
               'id', c.id, 'ticket_id', c.ticket_id, 'kind', c.kind, 'option_id', c.option_id,
               'contact_id', c.contact_id, 'message_id', c.message_id, 'link_hash', c.link_hash, 'channel', c.channel,
               'made_at', dispatch.instant(c.made_at), 'consumed_at', dispatch.instant(u.consumed_at))
             order by c.made_at desc, c.id desc)
        from (select x.* from dispatch.choices x where x.tenant_id = tenant and x.ticket_id = ticket
               order by x.made_at desc, x.id desc limit 10) c
        left join dispatch.consumed_choices u on u.tenant_id = tenant and u.choice_id = c.id), '[]'::jsonb))
$$;

-- Of the ticket that a contact's conversation is about.
create or replace function dispatch.inbound_schedule(tenant uuid, contact uuid, channel text) returns jsonb
language sql stable as $$
  select jsonb_build_object('ticket_id', t.id, 'ticket_state', t.state, 'requester_id', t.requester_id,
           'options', dispatch.options_json(tenant, t.id))
    from dispatch.conversations v
    join dispatch.tickets t
      on t.tenant_id = tenant and t.conversation_id = v.id and t.state not in ('CLOSED', 'CANCELLED')
   where v.tenant_id = tenant and v.contact_id = contact and v.state <> 'CLOSED'
     and (inbound_schedule.channel is null or v.channel = inbound_schedule.channel)
   order by v.opened_at desc, v.id desc limit 1
$$;

-- One booking for a visit, an agreed time or an offer; holds of the same technician that are over go first, since
-- now() cannot be in a constraint.
create or replace function dispatch.take_time(
  tenant uuid, technician uuid, visit uuid, option uuid, starts_at timestamptz, ends_at timestamptz,
  held_until timestamptz) returns void language plpgsql as $$
begin
  delete from dispatch.bookings k
   where k.tenant_id = tenant and k.technician_id = technician and k.held_until <= now();
  insert into dispatch.bookings (tenant_id, technician_id, visit_id, option_id, starts_at, ends_at, held_until)
  values (tenant, technician, visit, option, take_time.starts_at, take_time.ends_at, take_time.held_until);
end $$;

-- What of a ticket was offered and is neither `kept` nor taken back: taken back, with the time that is held for it.
create or replace function dispatch.end_options(tenant uuid, ticket uuid, kept uuid) returns void
language plpgsql as $$
begin
  delete from dispatch.bookings k using dispatch.schedule_options o
   where o.tenant_id = tenant and o.ticket_id = ticket and o.ended_at is null and o.id is distinct from kept
     and k.tenant_id = tenant and k.option_id = o.id;
  update dispatch.schedule_options o set ended_at = now()
   where o.tenant_id = tenant and o.ticket_id = ticket and o.ended_at is null and o.id is distinct from kept;
end $$;

create or replace function dispatch.apply_options(tenant uuid, event_id uuid, c jsonb) returns void
language plpgsql as $$
declare
  o dispatch.schedule_options;
  n integer;
begin
  if c ? 'end_options_of' then
    perform dispatch.end_options(tenant, (c ->> 'end_options_of')::uuid, null);
  end if;
  if c ? 'options' then
    -- In one order, so that two proposals for the same people wait for each other and do not deadlock.
    for o in select x.* from jsonb_populate_recordset(null::dispatch.schedule_options, c -> 'options') x
              order by x.technician_id, x.visit_from loop
      insert into dispatch.schedule_options
        (tenant_id, id, ticket_id, number, window_from, window_to, technician_id, visit_from, visit_to,
         asked_contact_id, proposed_at, held_until, event_id)
      values
        (tenant, o.id, o.ticket_id, o.number, o.window_from, o.window_to, o.technician_id, o.visit_from, o.visit_to,
         o.asked_contact_id, o.proposed_at, o.held_until, event_id);
      perform dispatch.take_time(tenant, o.technician_id, null, o.id, o.visit_from, o.visit_to, o.held_until);
    end loop;
  end if;
  if c ? 'confirm_option' then
    update dispatch.schedule_options x set confirmed_at = now()
     where x.tenant_id = tenant and x.id = (c ->> 'confirm_option')::uuid and x.ended_at is null
       and x.confirmed_at is null
    returning x.* into o;
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'option');
    perform dispatch.end_options(tenant, o.ticket_id, o.id);
    -- The hold must live until this very commit; what it held is held again in the same one, without an end.
    delete from dispatch.bookings k where k.tenant_id = tenant and k.option_id = o.id and k.held_until > now();
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'hold');
    perform dispatch.take_time(tenant, o.technician_id, null, o.id, o.visit_from, o.visit_to, null);
  end if;
end $$;

create or replace function dispatch.apply_choice(tenant uuid, event_id uuid, c jsonb) returns void
language plpgsql as $$
declare
  r dispatch.choices := jsonb_populate_record(null::dispatch.choices, c -> 'choice');
begin
  if c ? 'choice' then
    insert into dispatch.choices
      (tenant_id, id, ticket_id, kind, option_id, contact_id, message_id, link_hash, channel, made_at, event_id)
    values
      (tenant, r.id, r.ticket_id, r.kind, r.option_id, r.contact_id, r.message_id, r.link_hash, r.channel, r.made_at,
       event_id);
  end if;
  if c ? 'consume_choice' then
    insert into dispatch.consumed_choices (tenant_id, choice_id, event_id)
    values (tenant, (c ->> 'consume_choice')::uuid, event_id);
  end if;
end $$;

-- Plans of a bootstrap: what an entry of `technicians` and `sites` says of time and place. A site or technician
-- without one has none, and is not scheduled.
create or replace function dispatch.put_schedules(tenant uuid, ev uuid, p jsonb) returns void language plpgsql as $$
begin
  insert into dispatch.technician_schedules
    (tenant_id, id, shifts, certifications, absences, home_lat_e6, home_lon_e6, event_id)
  select tenant, x.id, x.schedule -> 'shifts', x.schedule -> 'certifications', x.schedule -> 'absences',
         (x.schedule ->> 'home_lat_e6')::integer, (x.schedule ->> 'home_lon_e6')::integer, ev
    from jsonb_to_recordset(p -> 'technicians') as x (id uuid, schedule jsonb)
   where x.schedule is not null;
  insert into dispatch.site_schedules (tenant_id, id, hours, lat_e6, lon_e6, event_id)
  select tenant, x.id, x.schedule -> 'hours', (x.schedule ->> 'lat_e6')::integer, (x.schedule ->> 'lon_e6')::integer, ev
    from jsonb_to_recordset(p -> 'sites') as x (id uuid, schedule jsonb)
   where x.schedule is not null;
end $$;
