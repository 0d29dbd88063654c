-- Who and where: what a command of the directory reads, and what it writes. Rows as packages/decision/src/directory-rows.ts
-- has them.

-- What the input of a command names: also the row in its path, and for an act what the act is about.
create or replace function dispatch.directory_refs(tenant uuid, target text, target_id uuid, refs jsonb) returns jsonb
language plpgsql stable as $$
declare
  a dispatch.acts;
begin
  if target <> 'act' then
    return refs || jsonb_build_object(target || '_id', target_id);
  end if;
  select x.* into a from dispatch.acts x where x.tenant_id = tenant and x.id = directory_refs.target_id;
  if a.id is null then return refs; end if;
  return a.input || jsonb_build_object('act_id', a.id) || case when a.target_id is null then '{}'::jsonb
    else jsonb_build_object(split_part(a.command, '.', 1) || '_id', a.target_id) end;
end $$;

create or replace function dispatch.act_json(r dispatch.acts) returns jsonb language sql stable as $$
  select to_jsonb(r) || jsonb_build_object(
    'asked_at', dispatch.instant(r.asked_at), 'expires_at', dispatch.instant(r.expires_at),
    'decided_at', dispatch.instant(r.decided_at))
$$;

create or replace function dispatch.is_slug_taken(tenant uuid, command text, refs jsonb, account uuid, site uuid)
returns boolean language sql stable as $$
  select case split_part(command, '.', 1)
    when 'account' then exists (
      select 1 from dispatch.accounts a where a.tenant_id = tenant and a.slug = refs ->> 'slug'
         and a.id is distinct from (refs ->> 'account_id')::uuid)
    when 'site' then exists (
      select 1 from dispatch.sites s where s.tenant_id = tenant and s.account_id = account and s.slug = refs ->> 'slug'
         and s.id is distinct from (refs ->> 'site_id')::uuid)
    when 'asset' then exists (
      select 1 from dispatch.assets s where s.tenant_id = tenant and s.site_id = site and s.slug = refs ->> 'slug'
         and s.id is distinct from (refs ->> 'asset_id')::uuid)
    when 'technician' then exists (
      select 1 from dispatch.technicians t where t.tenant_id = tenant and t.slug = refs ->> 'slug'
         and t.id is distinct from (refs ->> 'technician_id')::uuid)
    else false end
$$;

create or replace function dispatch.directory_facts(tenant uuid, command text, refs jsonb) returns jsonb
language plpgsql stable as $$
declare
  v_account dispatch.accounts;
  v_site dispatch.sites;
  v_asset dispatch.assets;
  v_act dispatch.acts;
  f jsonb;
begin
  select a.* into v_act from dispatch.acts a where a.tenant_id = tenant and a.id = (refs ->> 'act_id')::uuid;
  select s.* into v_asset from dispatch.assets s where s.tenant_id = tenant and s.id = (refs ->> 'asset_id')::uuid;
  select s.* into v_site from dispatch.sites s
   where s.tenant_id = tenant and s.id = coalesce(v_asset.site_id, (refs ->> 'site_id')::uuid);
  select a.* into v_account from dispatch.accounts a
   where a.tenant_id = tenant and a.id = coalesce((refs ->> 'account_id')::uuid, v_site.account_id);
  f := jsonb_build_object(
    'account', case when v_account.id is not null then jsonb_build_object(
      'tenant_id', v_account.tenant_id, 'id', v_account.id, 'version', v_account.version, 'state', v_account.state,
      'slug', v_account.slug, 'contract', v_account.contract) end,
    'site', case when v_site.id is not null then jsonb_build_object(
      'tenant_id', v_site.tenant_id, 'id', v_site.id, 'version', v_site.version, 'state', v_site.state,
      'account_id', v_site.account_id, 'slug', v_site.slug, 'time_zone', v_site.time_zone,
      'territory', v_site.territory) end,
    'asset', case when v_asset.id is not null then to_jsonb(v_asset) - 'event_id' end,
    'autonomy_level', case when v_account.id is not null then coalesce((
      select s.level from dispatch.autonomy_settings s
       where s.tenant_id = tenant and s.account_id = v_account.id), 2) end,
    'has_had_approver', coalesce(v_account.has_had_approver, true),
    'is_slug_taken', dispatch.is_slug_taken(tenant, coalesce(v_act.command, command), refs, v_account.id, v_site.id));
  return f || dispatch.people_facts(tenant, refs) || jsonb_build_object(
    'act', case when v_act.id is not null then dispatch.act_json(v_act) end,
    'confirmed_by', coalesce((
      select jsonb_agg(c.person_id order by c.confirmed_at, c.person_id) from dispatch.act_confirmations c
       where c.tenant_id = tenant and c.act_id = v_act.id), '[]'::jsonb));
end $$;

create or replace function dispatch.people_facts(tenant uuid, refs jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'contact', (
      select jsonb_build_object('tenant_id', c.tenant_id, 'id', c.id, 'version', c.version, 'state', c.state,
               'person_id', c.person_id, 'changed_at', dispatch.instant(c.changed_at))
        from dispatch.contacts c where c.tenant_id = tenant and c.id = (refs ->> 'contact_id')::uuid),
    'memberships', coalesce((
      select jsonb_agg(jsonb_build_object('tenant_id', m.tenant_id, 'id', m.id, 'version', m.version, 'state', m.state,
               'contact_id', m.contact_id, 'account_id', m.account_id, 'site_id', m.site_id,
               'may_request', m.may_request, 'may_approve', m.may_approve,
               'approval_limit_cents', m.approval_limit_cents, 'changed_at', dispatch.instant(m.changed_at))
               order by m.account_id, m.site_id)
        from dispatch.contact_memberships m
       where m.tenant_id = tenant and m.contact_id = (refs ->> 'contact_id')::uuid), '[]'::jsonb),
    'technician', (
      select jsonb_build_object('tenant_id', t.tenant_id, 'id', t.id, 'version', t.version, 'state', t.state,
               'person_id', t.person_id, 'slug', t.slug, 'skills', to_jsonb(t.skills),
               'territories', to_jsonb(t.territories))
        from dispatch.technicians t where t.tenant_id = tenant and t.id = (refs ->> 'technician_id')::uuid),
    'staff', (
      select jsonb_build_object('tenant_id', s.tenant_id, 'id', s.id, 'version', s.version, 'state', s.state,
               'person_id', s.person_id, 'roles', coalesce((
                 select jsonb_agg(r.role order by r.role) from dispatch.staff_roles r
                  where r.tenant_id = tenant and r.staff_id = s.id), '[]'::jsonb))
        from dispatch.staff s where s.tenant_id = tenant and s.id = (refs ->> 'staff_id')::uuid),
    'confirmers', coalesce((
      select jsonb_agg(jsonb_build_object('staff_id', x.id, 'person_id', x.person_id, 'roles', x.roles) order by x.id)
        from (select s.id, s.person_id, jsonb_agg(r.role order by r.role) as roles
                from dispatch.staff s join dispatch.staff_roles r on r.tenant_id = tenant and r.staff_id = s.id
               where s.tenant_id = tenant and s.active and r.role in ('admin', 'supervisor', 'dispatcher')
               group by s.id, s.person_id) x), '[]'::jsonb))
$$;

-- An act first: what it is about is guarded by whether it was confirmed.
create or replace function dispatch.apply_act(tenant uuid, event_id uuid, c jsonb) returns void language plpgsql as $$
declare
  r dispatch.acts := jsonb_populate_record(null::dispatch.acts, c -> 'act');
  k jsonb := c -> 'act_confirmation';
  n integer;
begin
  if r.version = 1 then
    insert into dispatch.acts
      (tenant_id, id, version, state, command, target_id, input, action, action_digest, asked_by, proof_assurance,
       deciders, asked_at, expires_at, decided_at)
    values
      (r.tenant_id, r.id, r.version, r.state, r.command, r.target_id, r.input, r.action, r.action_digest, r.asked_by,
       r.proof_assurance, r.deciders, r.asked_at, r.expires_at, r.decided_at);
    insert into dispatch.act_links (tenant_id, hash, act_id, staff_id, expires_at)
    select tenant, x ->> 'hash', (x ->> 'act_id')::uuid, (x ->> 'staff_id')::uuid, (x ->> 'expires_at')::timestamptz
      from jsonb_array_elements(c -> 'act_links') x;
    return;
  end if;
  if jsonb_typeof(k) = 'object' then
    insert into dispatch.act_confirmations (tenant_id, act_id, person_id, staff_id, event_id)
    values (tenant, (k ->> 'act_id')::uuid, (k ->> 'person_id')::uuid, (k ->> 'staff_id')::uuid, event_id);
  end if;
  update dispatch.acts t set version = r.version, state = r.state, decided_at = r.decided_at
   where t.tenant_id = tenant and t.id = r.id and t.version = r.version - 1;
  get diagnostics n = row_count;
  perform dispatch.hit_one(n, 'act');
end $$;

create or replace function dispatch.apply_place(tenant uuid, event_id uuid, c jsonb) returns void language plpgsql as $$
declare
  a dispatch.accounts := jsonb_populate_record(null::dispatch.accounts, c -> 'account');
  s dispatch.sites := jsonb_populate_record(null::dispatch.sites, c -> 'site');
  k dispatch.assets := jsonb_populate_record(null::dispatch.assets, c -> 'asset');
  n integer;
begin
  if a.version = 1 then
    insert into dispatch.accounts (tenant_id, id, version, state, slug, contract, event_id)
    values (tenant, a.id, a.version, a.state, a.slug, a.contract, apply_place.event_id);
  elsif a.version > 1 then
    update dispatch.accounts t
       set version = a.version, slug = a.slug, contract = a.contract, event_id = apply_place.event_id,
           authority_version = t.authority_version + 1
     where t.tenant_id = tenant and t.id = a.id and t.version = a.version - 1;
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'account');
  end if;
  if c ? 'autonomy' then
    insert into dispatch.autonomy_settings as x (tenant_id, account_id, level, version, event_id)
    values (tenant, (c -> 'autonomy' ->> 'account_id')::uuid, (c -> 'autonomy' ->> 'level')::smallint,
            (c -> 'autonomy' ->> 'version')::integer, apply_place.event_id)
    on conflict (tenant_id, account_id)
    do update set level = excluded.level, version = excluded.version, event_id = excluded.event_id;
  end if;
  if s.version = 1 then
    insert into dispatch.sites (tenant_id, id, version, state, account_id, slug, time_zone, territory, event_id)
    values (tenant, s.id, s.version, s.state, s.account_id, s.slug, s.time_zone, s.territory, apply_place.event_id);
  elsif s.version > 1 then
    update dispatch.sites t
       set version = s.version, slug = s.slug, time_zone = s.time_zone, territory = s.territory,
           event_id = apply_place.event_id
     where t.tenant_id = tenant and t.id = s.id and t.version = s.version - 1;
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'site');
  end if;
  if k.version = 1 then
    insert into dispatch.assets
      (tenant_id, id, version, state, account_id, site_id, kind, slug, model, serial, event_id)
    values (tenant, k.id, k.version, k.state, k.account_id, k.site_id, k.kind, k.slug, k.model, k.serial,
            apply_place.event_id);
  elsif k.version > 1 then
    update dispatch.assets t
       set version = k.version, state = k.state, slug = k.slug, model = k.model, serial = k.serial,
           event_id = apply_place.event_id
     where t.tenant_id = tenant and t.id = k.id and t.version = k.version - 1;
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'asset');
  end if;
end $$;

-- A plan is written as a whole, by a version of what it is part of.
create or replace function dispatch.apply_schedules(tenant uuid, event_id uuid, c jsonb) returns void
language plpgsql as $$
declare
  t dispatch.technician_schedules := jsonb_populate_record(null::dispatch.technician_schedules, c -> 'technician_schedule');
  s dispatch.site_schedules := jsonb_populate_record(null::dispatch.site_schedules, c -> 'site_schedule');
begin
  if t.id is not null then
    insert into dispatch.technician_schedules as x
      (tenant_id, id, version, shifts, certifications, absences, home_lat_e6, home_lon_e6, event_id)
    values
      (tenant, t.id, t.version, t.shifts, t.certifications, t.absences, t.home_lat_e6, t.home_lon_e6,
       apply_schedules.event_id)
    on conflict (tenant_id, id)
    do update set version = excluded.version, shifts = excluded.shifts, certifications = excluded.certifications,
      absences = excluded.absences, home_lat_e6 = excluded.home_lat_e6, home_lon_e6 = excluded.home_lon_e6,
      event_id = excluded.event_id;
  end if;
  if s.id is not null then
    insert into dispatch.site_schedules as x (tenant_id, id, version, hours, lat_e6, lon_e6, event_id)
    values (tenant, s.id, s.version, s.hours, s.lat_e6, s.lon_e6, apply_schedules.event_id)
    on conflict (tenant_id, id)
    do update set version = excluded.version, hours = excluded.hours, lat_e6 = excluded.lat_e6,
      lon_e6 = excluded.lon_e6, event_id = excluded.event_id;
  end if;
end $$;

create or replace function dispatch.apply_membership(tenant uuid, event_id uuid, row_json jsonb) returns void
language plpgsql as $$
declare
  m dispatch.contact_memberships := jsonb_populate_record(null::dispatch.contact_memberships, row_json);
  n integer;
begin
  if m.version = 1 then
    insert into dispatch.contact_memberships
      (tenant_id, id, version, state, contact_id, account_id, site_id, may_request, may_approve, approval_limit_cents,
       changed_at, event_id)
    values
      (tenant, m.id, m.version, m.state, m.contact_id, m.account_id, m.site_id, m.may_request, m.may_approve,
       m.approval_limit_cents, m.changed_at, apply_membership.event_id);
    return;
  end if;
  update dispatch.contact_memberships t
     set version = m.version, may_request = m.may_request, may_approve = m.may_approve,
         approval_limit_cents = m.approval_limit_cents, changed_at = m.changed_at, event_id = apply_membership.event_id
   where t.tenant_id = tenant and t.id = m.id and t.version = m.version - 1;
  get diagnostics n = row_count;
  perform dispatch.hit_one(n, 'membership');
end $$;

create or replace function dispatch.apply_people(tenant uuid, event_id uuid, c jsonb) returns void language plpgsql as $$
declare
  p dispatch.contacts := jsonb_populate_record(null::dispatch.contacts, c -> 'contact');
  t dispatch.technicians := jsonb_populate_record(null::dispatch.technicians, c -> 'technician');
  n integer;
begin
  if p.version = 1 then
    insert into dispatch.contacts (tenant_id, id, version, state, active, person_id, changed_at, event_id)
    values (tenant, p.id, p.version, p.state, p.state = 'ACTIVE', p.person_id, p.changed_at, apply_people.event_id);
  elsif p.version > 1 then
    update dispatch.contacts x
       set version = p.version, state = p.state, active = p.state = 'ACTIVE', changed_at = p.changed_at,
           event_id = apply_people.event_id
     where x.tenant_id = tenant and x.id = p.id and x.version = p.version - 1;
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'contact');
  end if;
  perform dispatch.apply_membership(tenant, apply_people.event_id, m) from jsonb_array_elements(c -> 'memberships') m;
  if t.version = 1 then
    insert into dispatch.technicians
      (tenant_id, id, version, state, active, person_id, slug, skills, territories, event_id)
    values (tenant, t.id, t.version, t.state, t.state = 'ACTIVE', t.person_id, t.slug, t.skills, t.territories,
            apply_people.event_id);
  elsif t.version > 1 then
    update dispatch.technicians x
       set version = t.version, state = t.state, active = t.state = 'ACTIVE', skills = t.skills,
           territories = t.territories, event_id = apply_people.event_id
     where x.tenant_id = tenant and x.id = t.id and x.version = t.version - 1;
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'technician');
  end if;
end $$;
