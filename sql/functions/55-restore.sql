-- A restored backup, accepted by two people. For the administrator only, in one transaction: first the log, then each
-- tenant. The log went on after the backup was taken and cannot be shortened; so the database learns what it lost.

-- { size, root, witnessed_note: hex,  first: bigint,
--   entries: [{ index, tenant_id, event_id, leaf_hash: hex }],           of every index from `first` on
--   lost: [{ tenant_id, id, at, origin, command, actor, decision, correlation_id, ticket_id, body: hex }] }
create or replace function audit.restore_log(p jsonb) returns void language plpgsql as $$
declare
  head audit.log_head;
begin
  select * into head from audit.log_head for update;
  if head.size >= (p ->> 'size')::bigint or head.size <> (p ->> 'first')::bigint then
    perform dispatch.raise_guarantee('not_restored', 'the log head is at ' || head.size);
  end if;
  insert into audit.events (tenant_id, id, at, origin, command, actor, decision, correlation_id, ticket_id, body)
  select x.tenant_id, x.id, x.at, x.origin, x.command, x.actor, x.decision, x.correlation_id, x.ticket_id,
         decode(x.body, 'hex')
    from jsonb_to_recordset(p -> 'lost') as x (tenant_id uuid, id uuid, at timestamptz, origin text, command text,
           actor text, decision text, correlation_id uuid, ticket_id uuid, body text);
  insert into audit.log_entries (index, tenant_id, event_id, leaf_hash)
  select x.index, x.tenant_id, x.event_id, decode(x.leaf_hash, 'hex')
    from jsonb_to_recordset(p -> 'entries') as x (index bigint, tenant_id uuid, event_id uuid, leaf_hash text);
  delete from audit.unsequenced u using audit.log_entries l
   where l.tenant_id = u.tenant_id and l.event_id = u.event_id;
  if (select count(*) from audit.log_entries) <> (p ->> 'size')::bigint then
    perform dispatch.raise_guarantee('not_restored', 'the entries do not make up the log');
  end if;
  -- Whoever wrote the log before is stale now.
  update audit.log_head
     set size = (p ->> 'size')::bigint, root = decode(p ->> 'root', 'hex'), epoch = epoch + 1,
         witnessed_note = decode(p ->> 'witnessed_note', 'hex'), witnessed_size = (p ->> 'size')::bigint;
  -- Requests of before the restore may have had their effect already; a signature may be dated 5 s ahead.
  update dispatch.nonce_floor set floor = greatest(floor, now() + interval '5 seconds');
  update identity.nonce_floor set floor = greatest(floor, now() + interval '5 seconds');
  update vault.nonce_floor set floor = greatest(floor, now() + interval '5 seconds');
end $$;

-- What a restore makes void in one tenant.
-- { tenant_id, event: { id, correlation_id, body },
--   voided: [{ approval_id, approval_version, ticket_id, ticket_version, before_state, resume_state }],   as they are now
--   revoked: [keyid],            revocations that the backup does not know
--   delivered: [message_id] }    messages that the log says were sent
create or replace function audit.restore_tenant(p jsonb) returns void language plpgsql as $$
declare
  tenant uuid := (p ->> 'tenant_id')::uuid;
  ev uuid := (p -> 'event' ->> 'id')::uuid;
  x record;
begin
  perform set_config('deadlatch.tenant', tenant::text, true);
  insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
  values (tenant, ev, 'operator', 'operator.restore', 'operator', 'accepted',
          (p -> 'event' ->> 'correlation_id')::uuid, convert_to(p -> 'event' ->> 'body', 'UTF8'));
  for x in select * from jsonb_to_recordset(p -> 'voided') as v (approval_id uuid, approval_version integer,
             ticket_id uuid, ticket_version integer, before_state text, resume_state text) loop
    insert into audit.effects (tenant_id, object, object_id, version, command, before_state, after_state, event_id)
    values (tenant, 'ticket', x.ticket_id, x.ticket_version + 1, 'operator.restore', x.before_state, x.resume_state, ev),
           (tenant, 'approval', x.approval_id, x.approval_version + 1, 'operator.restore', 'PENDING', 'VOID', ev);
    update dispatch.approvals set state = 'VOID', version = version + 1
     where tenant_id = tenant and id = x.approval_id and version = x.approval_version;
    perform dispatch.hit_one(case when found then 1 else 0 end, 'approval');
    update dispatch.tickets
       set state = x.resume_state, resume_state = null, hold_reason = null, hold_owner = null, hold_until = null,
           scope_capped = true, version = version + 1, updated_at = now()
     where tenant_id = tenant and id = x.ticket_id and version = x.ticket_version;
    perform dispatch.hit_one(case when found then 1 else 0 end, 'ticket');
    insert into dispatch.tasks (tenant_id, event_id, kind, ticket_id)
    values (tenant, ev, 'approval_expired', x.ticket_id);
  end loop;
  update dispatch.turns set ended_at = now() where tenant_id = tenant and ended_at is null;
  update dispatch.links set expires_at = now() where tenant_id = tenant and expires_at > now();
  update dispatch.act_links set expires_at = now() where tenant_id = tenant and expires_at > now();
  update identity.sessions set ended_at = now() where tenant_id = tenant and ended_at is null;
  update identity.sign_in_links set expires_at = now() where tenant_id = tenant and expires_at > now();
  update identity.step_ups set used_at = now() where tenant_id = tenant and used_at is null;
  -- A pause that was lost would let agents act where a person had stopped them: they wait for a person everywhere.
  insert into dispatch.pauses (tenant_id, scope, scope_id, event_id) values (tenant, 'tenant', tenant, ev)
  on conflict do nothing;
  update trust.service_keys k set version = k.version + 1, revoked_at = now(), event_tenant_id = tenant, event_id = ev
   where k.revoked_at is null and k.keyid in (select jsonb_array_elements_text(p -> 'revoked'));
  update dispatch.outbox o set delivered_at = now()
   where o.tenant_id = tenant and o.delivered_at is null
     and o.ref_id in (select v::uuid from jsonb_array_elements_text(p -> 'delivered') v);
end $$;
