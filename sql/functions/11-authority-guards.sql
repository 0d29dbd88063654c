-- What grants and foreign keys cannot say of who may do what. Re-created on every migrate.

do $$
declare k record;
begin
  for k in select * from (values
    -- The counter beside it steps without a version: it follows from other rows.
    ('account', 'dispatch.accounts', 'insert or update of tenant_id, id, version, state, slug, contract, event_id'),
    ('site', 'dispatch.sites', 'insert or update'), ('asset', 'dispatch.assets', 'insert or update'),
    ('contact', 'dispatch.contacts', 'insert or update'),
    ('membership', 'dispatch.contact_memberships', 'insert or update'),
    ('staff', 'dispatch.staff', 'insert or update'), ('technician', 'dispatch.technicians', 'insert or update'),
    ('act', 'dispatch.acts', 'insert or update')
  ) as v (kind, tab, moments) loop
    execute format('create or replace trigger a_version before %s on %s
      for each row execute function dispatch.guard_version(%L)', k.moments, k.tab, k.kind);
    execute format('create or replace trigger kept_rows before delete on %s
      for each row execute function audit.refuse_change()', k.tab);
    execute format('create or replace trigger kept_truncate before truncate on %s
      for each statement execute function audit.refuse_change()', k.tab);
  end loop;
end $$;
create or replace trigger append_only_rows before update or delete on dispatch.act_confirmations
  for each row execute function audit.refuse_change();
create or replace trigger append_only_truncate before truncate on dispatch.act_confirmations
  for each statement execute function audit.refuse_change();

-- A role, a level: part of an object that this very transaction gave a new version. `tg_argv`: kind, column of its id.
create or replace function dispatch.guard_part() returns trigger language plpgsql as $$
declare
  r jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
begin
  if not exists (
    select 1 from audit.effects e
     where e.tenant_id = (r ->> 'tenant_id')::uuid and e.object = tg_argv[0]
       and e.object_id = (r ->> tg_argv[1])::uuid and e.at = now()
       and (tg_op = 'DELETE' or e.version = (r ->> 'version')::integer)) then
    perform dispatch.raise_guarantee('change_without_event', tg_table_name || ' ' || (r ->> tg_argv[1]));
  end if;
  if tg_op = 'UPDATE' and to_jsonb(old) ->> tg_argv[1] <> r ->> tg_argv[1] then
    perform dispatch.raise_guarantee('change_without_event', tg_table_name || ' of another ' || tg_argv[0]);
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create or replace trigger a_part before insert or update or delete on dispatch.staff_roles
  for each row execute function dispatch.guard_part('staff', 'staff_id');
create or replace trigger a_part before insert or update or delete on dispatch.autonomy_settings
  for each row execute function dispatch.guard_part('account', 'account_id');

create or replace trigger a_part before insert or update or delete on dispatch.technician_schedules
  for each row execute function dispatch.guard_part('technician', 'id');
create or replace trigger a_part before insert or update or delete on dispatch.site_schedules
  for each row execute function dispatch.guard_part('site', 'id');

-- A limit goes up by the operator's hand, or by an act that asked for exactly this and was confirmed; never else.
create or replace function dispatch.guard_limit() returns trigger language plpgsql as $$
declare
  raised boolean := new.approval_limit_cents > 0
    and (tg_op = 'INSERT' or new.approval_limit_cents > old.approval_limit_cents);
begin
  if tg_op = 'UPDATE' and (new.contact_id, new.account_id) is distinct from (old.contact_id, old.account_id) then
    perform dispatch.raise_guarantee('membership_of_another', new.id::text);
  end if;
  if not raised or exists (
    select 1 from audit.effects e
     where e.tenant_id = new.tenant_id and e.object_id = new.id and e.version = new.version
       and e.command = 'operator.bootstrap') then
    return new;
  end if;
  if not exists (
    select 1 from dispatch.acts a
      join audit.effects e on e.tenant_id = a.tenant_id and e.object_id = a.id and e.version = a.version and e.at = now()
     where a.tenant_id = new.tenant_id and a.state = 'CONSUMED' and a.command = 'contact.set_limit'
       and a.target_id = new.contact_id and a.input ->> 'account_id' = new.account_id::text
       and a.input ->> 'site_id' is not distinct from new.site_id::text
       and (a.input ->> 'approval_limit_cents')::bigint = new.approval_limit_cents
       -- The first approver of the account: two persons. Every later one needs a proof that nothing here records.
       and a.deciders = 2) then
    perform dispatch.raise_guarantee('limit_not_confirmed', new.id::text);
  end if;
  if (select x.has_had_approver from dispatch.accounts x where x.tenant_id = new.tenant_id and x.id = new.account_id) then
    perform dispatch.raise_guarantee('limit_not_confirmed', 'the account has had an approver');
  end if;
  return new;
end $$;
create or replace trigger b_limit before insert or update on dispatch.contact_memberships
  for each row execute function dispatch.guard_limit();

create or replace function dispatch.guard_had_approver() returns trigger language plpgsql as $$
begin
  if old.has_had_approver and not new.has_had_approver then
    perform dispatch.raise_guarantee('had_approver', new.id::text);
  end if;
  return new;
end $$;
create or replace trigger had_approver before update on dispatch.accounts
  for each row execute function dispatch.guard_had_approver();

-- What was asked stays what was asked, and is done only when enough persons have confirmed it.
create or replace function dispatch.guard_act() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and
     (new.command, new.target_id, new.input, new.action, new.action_digest, new.asked_by, new.proof_assurance,
      new.deciders, new.asked_at, new.expires_at) is distinct from
     (old.command, old.target_id, old.input, old.action, old.action_digest, old.asked_by, old.proof_assurance,
      old.deciders, old.asked_at, old.expires_at) then
    perform dispatch.raise_guarantee('act_is_what_was_asked', new.id::text);
  end if;
  if new.state = 'CONSUMED' and (
       select count(*) from dispatch.act_confirmations c
        where c.tenant_id = new.tenant_id and c.act_id = new.id) < new.deciders then
    perform dispatch.raise_guarantee('act_not_confirmed', new.id::text);
  end if;
  if new.state = 'CONSUMED' and new.expires_at <= now() then
    perform dispatch.raise_guarantee('act_not_confirmed', 'expired');
  end if;
  return new;
end $$;
create or replace trigger b_act before insert or update on dispatch.acts
  for each row execute function dispatch.guard_act();

-- A confirmation is the person's own, and belongs to an event of this transaction that confirms.
create or replace function dispatch.guard_confirmation() returns trigger language plpgsql as $$
begin
  if not exists (select 1 from dispatch.staff s
                  where s.tenant_id = new.tenant_id and s.id = new.staff_id and s.person_id = new.person_id and s.active)
     or not exists (select 1 from audit.events e
                     where e.tenant_id = new.tenant_id and e.id = new.event_id and e.command = 'act.confirm'
                       and e.actor = 'staff:' || new.staff_id and e.at = now()) then
    perform dispatch.raise_guarantee('confirmation_of_another', new.act_id::text);
  end if;
  return new;
end $$;
create or replace trigger a_confirmation before insert on dispatch.act_confirmations
  for each row execute function dispatch.guard_confirmation();

-- A key of a service: each version names an event of its own, written by this very transaction.
create or replace function dispatch.guard_service_key() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    perform dispatch.raise_guarantee('append_only', 'trust.service_keys ' || tg_op);
  end if;
  if new.version <> (case when tg_op = 'INSERT' then 1 else old.version + 1 end)
     or (tg_op = 'UPDATE' and (new.keyid, new.service, new.environment, new.x, new.not_before)
         is distinct from (old.keyid, old.service, old.environment, old.x, old.not_before)) then
    perform dispatch.raise_guarantee('version_step', 'service key ' || new.keyid);
  end if;
  if not exists (select 1 from audit.events e
                  where e.tenant_id = new.event_tenant_id and e.id = new.event_id and e.origin = 'operator'
                    and e.at = now()) then
    perform dispatch.raise_guarantee('change_without_event', 'service key ' || new.keyid);
  end if;
  return new;
end $$;
create or replace trigger a_version before insert or update or delete on trust.service_keys
  for each row execute function dispatch.guard_service_key();
