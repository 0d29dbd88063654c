-- For the administrator only: puts a tenant and its people on file, with one audit event of origin `operator`.
-- Run it as deadlatch_owner (`set role deadlatch_owner`). No app role may call it.
--
-- { tenant:      { id, slug },
--   event:       { id, correlation_id, body },            body: canonical JSON text, signed by the operator; it states
--                                                         each row below, so nothing here is left to a default
--   accounts:    [{ id, slug, contract, autonomy_level }],  contract: ContractFacts of packages/decision
--   sites:       [{ id, account_id, slug, time_zone, territory, schedule?: { hours, lat_e6?, lon_e6? } }],
--   contacts:    [{ id, person_id, changed_at, memberships: [{ id, account_id, site_id?, may_request, may_approve,
--                   approval_limit_cents, changed_at }] }],
--   staff:       [{ id, person_id, roles: [text] }],
--   technicians: [{ id, person_id, slug, skills: [text], territories: [text],
--                   schedule?: { shifts, certifications, absences, home_lat_e6?, home_lon_e6? } }],
--   publications: [{ kind, name, version, effective_from }] }   without them nothing is triaged and nothing said
-- Answers { tenant_id, event_id }.
create or replace function dispatch.bootstrap(p jsonb) returns jsonb language plpgsql as $$
declare
  tenant uuid := (p -> 'tenant' ->> 'id')::uuid;
  ev uuid := (p -> 'event' ->> 'id')::uuid;
begin
  perform set_config('deadlatch.tenant', tenant::text, true);
  insert into dispatch.tenants (id, slug) values (tenant, p -> 'tenant' ->> 'slug');
  insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
  values (tenant, ev, 'operator', 'operator.bootstrap', 'operator', 'accepted',
          (p -> 'event' ->> 'correlation_id')::uuid, convert_to(p -> 'event' ->> 'body', 'UTF8'));
  -- Version 1 of everything below is this event's; its body states each row by a digest.
  insert into audit.effects (tenant_id, object, object_id, version, command, before_state, after_state, event_id)
  select tenant, x.object, x.id, 1, 'operator.bootstrap', '-', 'ACTIVE', ev
    from (select 'account' as object, (r ->> 'id')::uuid as id from jsonb_array_elements(p -> 'accounts') r
          union all select 'site', (r ->> 'id')::uuid from jsonb_array_elements(p -> 'sites') r
          union all select 'contact', (r ->> 'id')::uuid from jsonb_array_elements(p -> 'contacts') r
          union all select 'membership', (m ->> 'id')::uuid
            from jsonb_array_elements(p -> 'contacts') r, jsonb_array_elements(r -> 'memberships') m
          union all select 'staff', (r ->> 'id')::uuid from jsonb_array_elements(p -> 'staff') r
          union all select 'technician', (r ->> 'id')::uuid from jsonb_array_elements(p -> 'technicians') r) x;
  insert into dispatch.accounts (tenant_id, id, slug, contract, event_id)
  select tenant, x.id, x.slug, x.contract, ev
    from jsonb_to_recordset(p -> 'accounts') as x (id uuid, slug text, contract jsonb);
  insert into dispatch.autonomy_settings (tenant_id, account_id, level, event_id)
  select tenant, x.id, x.autonomy_level, ev
    from jsonb_to_recordset(p -> 'accounts') as x (id uuid, autonomy_level smallint);
  insert into dispatch.sites (tenant_id, id, account_id, slug, time_zone, territory, event_id)
  select tenant, x.id, x.account_id, x.slug, x.time_zone, x.territory, ev
    from jsonb_to_recordset(p -> 'sites') as x (id uuid, account_id uuid, slug text, time_zone text, territory text);
  insert into dispatch.contacts (tenant_id, id, person_id, changed_at, event_id)
  select tenant, x.id, x.person_id, x.changed_at, ev
    from jsonb_to_recordset(p -> 'contacts') as x (id uuid, person_id uuid, changed_at timestamptz);
  insert into dispatch.contact_memberships
    (tenant_id, id, contact_id, account_id, site_id, may_request, may_approve, approval_limit_cents, changed_at,
     event_id)
  select tenant, m.id, x.id, m.account_id, m.site_id, m.may_request, m.may_approve, m.approval_limit_cents,
         m.changed_at, ev
    from jsonb_to_recordset(p -> 'contacts') as x (id uuid, memberships jsonb),
         jsonb_to_recordset(x.memberships) as m (id uuid, account_id uuid, site_id uuid, may_request boolean,
           may_approve boolean, approval_limit_cents bigint, changed_at timestamptz);
  insert into dispatch.staff (tenant_id, id, person_id, event_id)
  select tenant, x.id, x.person_id, ev
    from jsonb_to_recordset(p -> 'staff') as x (id uuid, person_id uuid);
  insert into dispatch.staff_roles (tenant_id, staff_id, role, event_id)
  select tenant, x.id, r, ev
    from jsonb_to_recordset(p -> 'staff') as x (id uuid, roles jsonb), jsonb_array_elements_text(x.roles) r;
  insert into dispatch.technicians (tenant_id, id, person_id, slug, skills, territories, event_id)
  select tenant, x.id, x.person_id, x.slug, x.skills, x.territories, ev
    from jsonb_to_recordset(p -> 'technicians')
      as x (id uuid, person_id uuid, slug text, skills text[], territories text[]);
  perform dispatch.put_schedules(tenant, ev, p);
  insert into dispatch.publications (tenant_id, kind, name, number, version, effective_from, event_id)
  select tenant, x.kind, x.name, 1, x.version, x.effective_from, ev
    from jsonb_to_recordset(p -> 'publications') as x (kind text, name text, version integer, effective_from timestamptz);
  return jsonb_build_object('tenant_id', tenant, 'event_id', ev);
end $$;

-- { tenant_id, event: { id, correlation_id, body }, keyid, service, environment, x, not_before, not_after }
create or replace function trust.put_service_key(p jsonb) returns void language plpgsql as $$
declare
  tenant uuid := (p ->> 'tenant_id')::uuid;
begin
  perform set_config('deadlatch.tenant', tenant::text, true);
  insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
  values (tenant, (p -> 'event' ->> 'id')::uuid, 'operator', 'operator.put_service_key', 'operator', 'accepted',
          (p -> 'event' ->> 'correlation_id')::uuid, convert_to(p -> 'event' ->> 'body', 'UTF8'));
  insert into trust.service_keys
    (keyid, service, environment, x, not_before, not_after, event_tenant_id, event_id)
  values (p ->> 'keyid', p ->> 'service', p ->> 'environment', p ->> 'x', (p ->> 'not_before')::timestamptz,
          (p ->> 'not_after')::timestamptz, tenant, (p -> 'event' ->> 'id')::uuid);
end $$;

-- { tenant_id, event: { id, correlation_id, body }, keyid }
create or replace function trust.revoke_service_key(p jsonb) returns void language plpgsql as $$
declare
  tenant uuid := (p ->> 'tenant_id')::uuid;
  n integer;
begin
  perform set_config('deadlatch.tenant', tenant::text, true);
  insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
  values (tenant, (p -> 'event' ->> 'id')::uuid, 'operator', 'operator.revoke_service_key', 'operator', 'accepted',
          (p -> 'event' ->> 'correlation_id')::uuid, convert_to(p -> 'event' ->> 'body', 'UTF8'));
  update trust.service_keys k
     set version = k.version + 1, revoked_at = now(), event_tenant_id = tenant, event_id = (p -> 'event' ->> 'id')::uuid
   where k.keyid = p ->> 'keyid' and k.revoked_at is null;
  get diagnostics n = row_count;
  perform dispatch.hit_one(n, 'service key');
end $$;

-- { tenant_id, event: { id, correlation_id, body }, keyid, not_after }: ends a key sooner than it was to end.
create or replace function trust.retire_service_key(p jsonb) returns void language plpgsql as $$
declare
  tenant uuid := (p ->> 'tenant_id')::uuid;
  n integer;
begin
  perform set_config('deadlatch.tenant', tenant::text, true);
  insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
  values (tenant, (p -> 'event' ->> 'id')::uuid, 'operator', 'operator.retire_service_key', 'operator', 'accepted',
          (p -> 'event' ->> 'correlation_id')::uuid, convert_to(p -> 'event' ->> 'body', 'UTF8'));
  update trust.service_keys k
     set version = k.version + 1, not_after = (p ->> 'not_after')::timestamptz, event_tenant_id = tenant,
         event_id = (p -> 'event' ->> 'id')::uuid
   where k.keyid = p ->> 'keyid' and k.revoked_at is null and k.not_after > (p ->> 'not_after')::timestamptz;
  get diagnostics n = row_count;
  perform dispatch.hit_one(n, 'service key');
end $$;

-- { tenant_id, event: { id, correlation_id, body }, command }: a change of a key that is pinned in trust bundles only.
create or replace function trust.record_key_change(p jsonb) returns void language plpgsql as $$
declare
  tenant uuid := (p ->> 'tenant_id')::uuid;
begin
  perform set_config('deadlatch.tenant', tenant::text, true);
  insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
  values (tenant, (p -> 'event' ->> 'id')::uuid, 'operator', p ->> 'command', 'operator', 'accepted',
          (p -> 'event' ->> 'correlation_id')::uuid, convert_to(p -> 'event' ->> 'body', 'UTF8'));
end $$;
