-- Everything beside the versioned rows.

create or replace function dispatch.apply_booking(tenant uuid, c jsonb) returns void language plpgsql as $$
declare
  b jsonb := c -> 'booking';
  n integer;
begin
  if c ? 'release_booking_of' then
    delete from dispatch.bookings k
     where k.tenant_id = tenant and k.visit_id = (c ->> 'release_booking_of')::uuid;
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'booking');
  end if;
  if c ? 'booking' then
    -- The agreed time becomes the visit: its hold goes in the statement before the visit takes its place.
    delete from dispatch.bookings k where k.tenant_id = tenant and k.option_id = (b ->> 'option_id')::uuid;
    perform dispatch.take_time(tenant, (b ->> 'technician_id')::uuid, (b ->> 'visit_id')::uuid, null,
      (b ->> 'starts_at')::timestamptz, (b ->> 'ends_at')::timestamptz, null);
  end if;
end $$;

create or replace function dispatch.apply_record(tenant uuid, event_id uuid, ticket uuid, c jsonb) returns void
language plpgsql as $$
begin
  if c ? 'part' then
    insert into dispatch.parts (tenant_id, event_id, ticket_id, part_number, quantity, unit_cents)
    values (tenant, event_id, ticket, c -> 'part' ->> 'part_number', (c -> 'part' ->> 'quantity')::integer,
            (c -> 'part' ->> 'unit_cents')::bigint);
  end if;
  if c ? 'minutes' then
    insert into dispatch.times (tenant_id, event_id, ticket_id, minutes)
    values (tenant, event_id, ticket, (c ->> 'minutes')::integer);
  end if;
  if c ? 'test' then
    insert into dispatch.tests (tenant_id, event_id, ticket_id, test, passed, value)
    values (tenant, event_id, ticket, c -> 'test' ->> 'test', (c -> 'test' ->> 'passed')::boolean,
            (c -> 'test' ->> 'value')::double precision);
  end if;
end $$;

create or replace function dispatch.apply_closeout(tenant uuid, event_id uuid, ticket uuid, c jsonb) returns void
language plpgsql as $$
declare
  k jsonb;
  n integer;
begin
  if c ? 'completion' then
    k := c -> 'completion';
    insert into dispatch.completions
      (tenant_id, id, event_id, ticket_id, visit_id, submitted_by, outcome, work_note_text_id, signature_kind,
       signature_text_id)
    values
      (tenant, (k ->> 'id')::uuid, event_id, ticket, (k ->> 'visit_id')::uuid, k ->> 'submitted_by', k ->> 'outcome',
       (k ->> 'work_note_text_id')::uuid, k ->> 'signature_kind', (k ->> 'signature_text_id')::uuid);
  end if;
  if c ? 'verification' then
    k := c -> 'verification';
    insert into dispatch.verifications (tenant_id, event_id, completion_id, result, verified_by, note_text_id)
    values (tenant, event_id, (k ->> 'completion_id')::uuid, k ->> 'result', k ->> 'verified_by',
            (k ->> 'note_text_id')::uuid);
    insert into dispatch.wanting (tenant_id, verification_id, completion_id, key)
    select tenant, event_id, (k ->> 'completion_id')::uuid, w
      from jsonb_array_elements_text(k -> 'wanting') w;
  end if;
  if c ? 'remedies' then
    for k in select x from jsonb_array_elements(c -> 'remedies') x loop
      insert into dispatch.remedies (tenant_id, verification_id, key, event_id, evidence_id)
      select tenant, w.verification_id, w.key, event_id, (k ->> 'evidence_id')::uuid
        from dispatch.wanting w
       where w.tenant_id = tenant and w.key = k ->> 'key'
         and w.completion_id in (select d.id from dispatch.completions d where d.tenant_id = tenant and d.ticket_id = ticket)
         and not exists (select 1 from dispatch.remedies r
                          where r.tenant_id = tenant and r.verification_id = w.verification_id and r.key = w.key);
      get diagnostics n = row_count;
      -- A key that two verifications asked for is remedied for both.
      perform dispatch.hit_one(least(n, 1), 'remedy');
    end loop;
  end if;
end $$;

create or replace function dispatch.apply_pause(tenant uuid, event_id uuid, c jsonb) returns void
language plpgsql as $$
declare
  n integer;
begin
  if c ? 'pause' then
    -- Pausing what is paused is a pause: a brake must not answer "conflict".
    insert into dispatch.pauses as k (tenant_id, scope, scope_id, event_id)
    values (tenant, c -> 'pause' ->> 'scope', (c -> 'pause' ->> 'scope_id')::uuid, event_id)
    on conflict (tenant_id, scope, scope_id) do update set event_id = excluded.event_id, paused_at = now();
  end if;
  if c ? 'unpause' then
    delete from dispatch.pauses k
     where k.tenant_id = tenant and k.scope = c -> 'unpause' ->> 'scope'
       and k.scope_id = (c -> 'unpause' ->> 'scope_id')::uuid;
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'pause');
  end if;
end $$;

create or replace function dispatch.insert_message(tenant uuid, m jsonb) returns void language plpgsql as $$
declare
  r dispatch.messages := jsonb_populate_record(null::dispatch.messages, m);
begin
  insert into dispatch.messages
    (tenant_id, id, direction, channel, conversation_id, contact_id, ticket_id, state, template, slots, claim,
     text_id, provider_id, correlation_id, created_at)
  values
    (r.tenant_id, r.id, r.direction, r.channel, r.conversation_id, r.contact_id, r.ticket_id, r.state, r.template,
     r.slots, r.claim, r.text_id, r.provider_id, r.correlation_id, r.created_at);
end $$;

create or replace function dispatch.apply_inbound(tenant uuid, c jsonb) returns void language plpgsql as $$
declare
  k jsonb;
  r dispatch.turns;
  n integer;
begin
  if c ? 'inbound_message' then
    perform dispatch.insert_message(tenant, c -> 'inbound_message');
    perform dispatch.require_open(tenant, (c -> 'inbound_message' ->> 'conversation_id')::uuid);
  end if;
  if c ? 'context_entry' then
    k := c -> 'context_entry';
    insert into context.entries (tenant_id, message_id, conversation_id, mask_state, masked_text)
    values (tenant, (k ->> 'message_id')::uuid, (k ->> 'conversation_id')::uuid, k ->> 'mask_state',
            k ->> 'masked_text');
  end if;
  if c ? 'report' then
    k := c -> 'report';
    insert into dispatch.reports (tenant_id, id, message_id, sender_hash, channel)
    values (tenant, (k ->> 'id')::uuid, (k ->> 'message_id')::uuid, k ->> 'sender_hash', k ->> 'channel');
  end if;
  if c ? 'turn' then
    r := jsonb_populate_record(null::dispatch.turns, c -> 'turn');
    update dispatch.turns t set ended_at = now()
     where t.tenant_id = tenant and t.conversation_id = r.conversation_id and t.ended_at is null;
    insert into dispatch.turns
      (tenant_id, id, conversation_id, message_id, subject_kind, subject_id, assurance, agent_role, ticket_id,
       opened_at, expires_at, ended_at)
    values
      (r.tenant_id, r.id, r.conversation_id, r.message_id, r.subject_kind, r.subject_id, r.assurance, r.agent_role,
       r.ticket_id, r.opened_at, r.expires_at, r.ended_at);
  end if;
  if c ? 'turn_ticket' then
    update dispatch.turns t set ticket_id = (c -> 'turn_ticket' ->> 'ticket_id')::uuid
     where t.tenant_id = tenant and t.id = (c -> 'turn_ticket' ->> 'turn_id')::uuid and t.ticket_id is null
       and t.ended_at is null;
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'turn');
  end if;
end $$;

create or replace function dispatch.apply_messages(tenant uuid, c jsonb) returns void language plpgsql as $$
declare
  n integer;
begin
  if c ? 'messages' then
    perform dispatch.insert_message(tenant, m) from jsonb_array_elements(c -> 'messages') m;
  end if;
  if c ? 'delivery' then
    -- What a carrier says of a message only moves forward.
    update dispatch.messages m
       set state = c -> 'delivery' ->> 'state',
           provider_id = coalesce(c -> 'delivery' ->> 'provider_id', m.provider_id)
     where m.tenant_id = tenant and m.id = (c -> 'delivery' ->> 'message_id')::uuid and m.direction = 'OUT'
       and m.state not in ('DELIVERED', 'FAILED', 'SUPERSEDED');
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'message');
  end if;
end $$;

create or replace function dispatch.apply_waiting(tenant uuid, event_id uuid, c jsonb) returns void
language plpgsql as $$
begin
  if c ? 'timers' then
    insert into dispatch.timers (tenant_id, id, event_id, kind, target_id, due_at)
    select tenant, (x ->> 'id')::uuid, event_id, x ->> 'kind', (x ->> 'target_id')::uuid, (x ->> 'due_at')::timestamptz
      from jsonb_array_elements(c -> 'timers') x;
  end if;
  if c ? 'tasks' then
    insert into dispatch.tasks (tenant_id, event_id, kind, ticket_id)
    select tenant, event_id, x ->> 'kind', (x ->> 'ticket_id')::uuid
      from jsonb_array_elements(c -> 'tasks') x;
  end if;
end $$;
