-- Commit: one call, one statement, one transaction. In order: tenant, nonce, idempotency, event, effects, rows,
-- outbox. Raises unless every update hits exactly one row at the version that was read.

create or replace function dispatch.burn_nonce(n jsonb) returns void language plpgsql as $$
<<burn_nonce>>
declare
  created timestamptz;
  expires timestamptz;
begin
  if jsonb_typeof(n) is distinct from 'object' then
    perform dispatch.raise_guarantee('nonce_missing', 'a command without a nonce');
  end if;
  created := to_timestamp((n ->> 'created')::double precision);
  expires := to_timestamp((n ->> 'expires')::double precision);
  -- Database time decides, with 5 s of skew; 60 s is the longest life of a signature.
  if created is null or expires is null or expires <= created or expires > created + interval '60 seconds'
     or created > now() + interval '5 seconds' or expires < now() - interval '5 seconds' then
    perform dispatch.raise_guarantee('expired', 'signature outside its time');
  end if;
  insert into dispatch.nonces (keyid, nonce, created)
  select n ->> 'keyid', n ->> 'nonce', burn_nonce.created from dispatch.nonce_floor f
   where f.floor <= burn_nonce.created;
  if not found then
    perform dispatch.raise_guarantee('expired', 'signature from before the floor');
  end if;
end $$;

create or replace function dispatch.write_event(tenant uuid, e jsonb, decision text) returns void language plpgsql as $$
begin
  insert into audit.events
    (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body)
  values
    (tenant, (e ->> 'id')::uuid, 'dispatch', e ->> 'command', e ->> 'actor', write_event.decision,
     (e ->> 'correlation_id')::uuid, (e ->> 'ticket_id')::uuid, convert_to(e ->> 'body', 'UTF8'));
end $$;

create or replace function dispatch.hit_one(n integer, what text) returns void language plpgsql as $$
begin
  if n <> 1 then
    raise exception using errcode = 'DL002', message = 'version_conflict', constraint = 'version_conflict', detail = what;
  end if;
end $$;

create or replace function dispatch.commit_decision(p jsonb) returns jsonb language plpgsql as $$
declare
  tenant uuid := (p ->> 'tenant_id')::uuid;
  e jsonb := p -> 'event';
  c jsonb := p -> 'changes';
  i jsonb := p -> 'idempotency';
  event_id uuid := (p -> 'event' ->> 'id')::uuid;
  x jsonb;
begin
  perform set_config('deadlatch.tenant', tenant::text, true);
  perform dispatch.burn_nonce(p -> 'nonce');
  if jsonb_typeof(i) = 'object' then
    insert into dispatch.idempotency (tenant_id, service, subject, command, path, key, fingerprint, answer, event_id)
    values (tenant, i ->> 'service', i ->> 'subject', i ->> 'command', i ->> 'path', i ->> 'key',
            i ->> 'fingerprint', i -> 'answer', event_id);
  end if;
  if jsonb_typeof(p -> 'authority') = 'object' or jsonb_typeof(p -> 'autonomy_version') = 'number' then
    perform dispatch.hold_versions(tenant, p -> 'authority', p -> 'autonomy_version');
  end if;
  if jsonb_typeof(p -> 'turn_id') = 'string' then
    perform dispatch.hold_turn(tenant, (p ->> 'turn_id')::uuid);
  end if;
  if jsonb_typeof(p -> 'consume_token') = 'string' then
    insert into dispatch.consumed_tokens (tenant_id, txn) values (tenant, (p ->> 'consume_token')::uuid);
  end if;
  perform dispatch.write_event(tenant, e, 'accepted');
  -- One to three rows: plain VALUES in a loop cost less than a set-returning function.
  for at in 0 .. coalesce(jsonb_array_length(p -> 'effects'), 0) - 1 loop
    x := p -> 'effects' -> at;
    insert into audit.effects
      (tenant_id, object, object_id, version, command, before_state, after_state, event_id)
    values
      (tenant, x ->> 'object', (x ->> 'id')::uuid, (x ->> 'version')::integer, e ->> 'command',
       x ->> 'before_state', x ->> 'after_state', event_id);
  end loop;
  perform dispatch.apply_changes(tenant, event_id, (e ->> 'ticket_id')::uuid, c);
  for at in 0 .. coalesce(jsonb_array_length(p -> 'outbox'), 0) - 1 loop
    x := p -> 'outbox' -> at;
    insert into dispatch.outbox (tenant_id, id, event_id, kind, ref_id, order_key, payload)
    values
      (tenant, (x ->> 'id')::uuid, event_id, x ->> 'kind', (x ->> 'ref_id')::uuid, x ->> 'order_key',
       coalesce(x -> 'payload', '{}'::jsonb));
  end loop;
  if jsonb_array_length(p -> 'links') > 0 then
    perform dispatch.keep_links(tenant, p -> 'links');
  end if;
  return jsonb_build_object('committed_at', dispatch.instant(now()));
end $$;

-- A secret is derived from purpose, recipient and object: handing it out again only keeps it alive longer.
create or replace function dispatch.keep_links(tenant uuid, links jsonb) returns void language plpgsql as $$
declare
  n integer;
begin
  insert into dispatch.links as k (tenant_id, hash, purpose, contact_id, object_id, expires_at)
  select tenant, x ->> 'hash', x ->> 'purpose', (x ->> 'contact_id')::uuid, (x ->> 'object_id')::uuid,
         max((x ->> 'expires_at')::timestamptz)
    from jsonb_array_elements(links) x
   group by 2, 3, 4, 5
  on conflict (tenant_id, hash) do update set expires_at = greatest(k.expires_at, excluded.expires_at)
   where (k.purpose, k.contact_id, k.object_id) = (excluded.purpose, excluded.contact_id, excluded.object_id);
  get diagnostics n = row_count;
  if n <> (select count(distinct x ->> 'hash') from jsonb_array_elements(links) x) then
    perform dispatch.raise_guarantee('link_of_another', 'hash');
  end if;
end $$;

-- Who may do what, and what agents may do, is still what the decision was made on, and stays so until commit.
create or replace function dispatch.hold_versions(tenant uuid, authority jsonb, autonomy jsonb) returns void
language plpgsql as $$
declare
  found_version integer;
begin
  if jsonb_typeof(authority) = 'object' then
    select a.authority_version into found_version from dispatch.accounts a
     where a.tenant_id = tenant and a.id = (authority ->> 'account_id')::uuid for share;
    if found_version is distinct from (authority ->> 'version')::integer then
      raise exception using errcode = 'DL002', message = 'authority_changed', constraint = 'authority_changed';
    end if;
  end if;
  if jsonb_typeof(autonomy) = 'number' then
    select t.autonomy_version into found_version from dispatch.tenants t where t.id = tenant for share;
    if found_version is distinct from (autonomy #>> '{}')::integer then
      raise exception using errcode = 'DL002', message = 'autonomy_changed', constraint = 'autonomy_changed';
    end if;
  end if;
end $$;

-- An agent's turn is still live and stays so until commit: a newer message, which ends it, waits or has ended it.
-- The lock excludes other commits of the turn too: sharing it, two that both make the turn's ticket would deadlock.
create or replace function dispatch.hold_turn(tenant uuid, turn uuid) returns void language plpgsql as $$
begin
  perform 1 from dispatch.turns t
   where t.tenant_id = tenant and t.id = turn and t.ended_at is null and t.expires_at > now()
     for no key update;
  if not found then
    raise exception using errcode = 'DL002', message = 'turn_ended', constraint = 'turn_ended';
  end if;
end $$;

-- One section of `Changes` each; a section that is absent costs one key look-up. Order follows the foreign keys.
create or replace function dispatch.apply_changes(tenant uuid, event_id uuid, ticket uuid, c jsonb) returns void
language plpgsql as $$
begin
  if c ? 'conversation' then perform dispatch.apply_conversation(tenant, c -> 'conversation'); end if;
  if c ? 'act' then perform dispatch.apply_act(tenant, event_id, c); end if;
  if c ? 'account' or c ? 'site' or c ? 'asset' then perform dispatch.apply_place(tenant, event_id, c); end if;
  if c ? 'contact' or c ? 'technician' then perform dispatch.apply_people(tenant, event_id, c); end if;
  if c ? 'contacts' then perform dispatch.apply_import(tenant, event_id, c); end if;
  if c ? 'technician_schedule' or c ? 'site_schedule' then
    perform dispatch.apply_schedules(tenant, event_id, c);
  end if;
  if c ? 'publication' then perform dispatch.apply_publication(tenant, event_id, c -> 'publication'); end if;
  if c ? 'ticket' then perform dispatch.apply_ticket(tenant, c -> 'ticket'); end if;
  if c ? 'cancelled_visit' then perform dispatch.apply_visit(tenant, c -> 'cancelled_visit'); end if;
  if c ? 'visit' then perform dispatch.apply_visit(tenant, c -> 'visit'); end if;
  if c ? 'end_options_of' or c ? 'options' or c ? 'confirm_option' then
    perform dispatch.apply_options(tenant, event_id, c);
  end if;
  if c ? 'booking' or c ? 'release_booking_of' then perform dispatch.apply_booking(tenant, c); end if;
  if c ? 'evidence' then perform dispatch.apply_evidence(tenant, c -> 'evidence'); end if;
  if c ? 'approval' then perform dispatch.apply_approval(tenant, c -> 'approval'); end if;
  if c ? 'part' or c ? 'minutes' or c ? 'test' then
    perform dispatch.apply_record(tenant, event_id, ticket, c);
  end if;
  if c ? 'attach' or c ? 'consent' or c ? 'suggestion' then
    perform dispatch.apply_life(tenant, event_id, ticket, c);
  end if;
  if c ? 'completion' or c ? 'verification' or c ? 'remedies' then
    perform dispatch.apply_closeout(tenant, event_id, ticket, c);
  end if;
  if c ? 'invoice' then perform dispatch.apply_invoice(tenant, c -> 'invoice'); end if;
  if c ? 'pause' or c ? 'unpause' then perform dispatch.apply_pause(tenant, event_id, c); end if;
  if c ? 'inbound_message' or c ? 'context_entry' or c ? 'turn' or c ? 'turn_ticket' or c ? 'report' then
    perform dispatch.apply_inbound(tenant, c);
  end if;
  if c ? 'choice' or c ? 'consume_choice' then perform dispatch.apply_choice(tenant, event_id, c); end if;
  if c ? 'messages' or c ? 'delivery' then perform dispatch.apply_messages(tenant, c); end if;
  if c ? 'timers' or c ? 'tasks' then perform dispatch.apply_waiting(tenant, event_id, c); end if;
end $$;
