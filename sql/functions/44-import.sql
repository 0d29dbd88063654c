-- Contacts of one account who come on file together: what their rows name, and how they are written.

-- null where nothing names rows. Of sites whatever this tenant has: whose they are is the decision's to compare.
create or replace function dispatch.batch_facts(tenant uuid, refs jsonb) returns jsonb language sql stable as $$
  select case when jsonb_typeof(refs -> 'contacts') = 'array' then jsonb_build_object(
    'sites', coalesce((
      select jsonb_agg(jsonb_build_object('id', s.id, 'account_id', s.account_id, 'slug', s.slug, 'state', s.state)
                       order by s.id)
        from dispatch.sites s
       where s.tenant_id = tenant
         and s.id in (select (x ->> 'site_id')::uuid from jsonb_array_elements(refs -> 'contacts') x)), '[]'::jsonb),
    'taken', coalesce((
      select jsonb_agg(k.slug order by k.slug) from dispatch.contact_codes k
       where k.tenant_id = tenant and k.account_id = (refs ->> 'account_id')::uuid
         and k.slug in (select x ->> 'slug' from jsonb_array_elements(refs -> 'contacts') x)), '[]'::jsonb)) end
$$;

create or replace function dispatch.apply_import(tenant uuid, event_id uuid, c jsonb) returns void
language plpgsql as $$
begin
  insert into dispatch.contacts (tenant_id, id, version, state, active, person_id, changed_at, event_id)
  select tenant, p.id, p.version, p.state, p.state = 'ACTIVE', p.person_id, p.changed_at, apply_import.event_id
    from jsonb_populate_recordset(null::dispatch.contacts, c -> 'contacts') p;
  perform dispatch.apply_membership(tenant, apply_import.event_id, m) from jsonb_array_elements(c -> 'memberships') m;
  insert into dispatch.contact_codes (tenant_id, contact_id, account_id, slug, act_id, event_id)
  select tenant, k.contact_id, k.account_id, k.slug, k.act_id, apply_import.event_id
    from jsonb_populate_recordset(null::dispatch.contact_codes, c -> 'contact_codes') k;
end $$;

-- A code is written with its contact, by the act that asked for exactly this code at this account.
create or replace function dispatch.guard_contact_code() returns trigger language plpgsql as $$
begin
  if not exists (
    select 1 from dispatch.contacts c
      join audit.effects e on e.tenant_id = c.tenant_id and e.object_id = c.id and e.version = 1 and e.at = now()
      join dispatch.contact_memberships m on m.tenant_id = c.tenant_id and m.contact_id = c.id
       and m.account_id = new.account_id
      join dispatch.acts a on a.tenant_id = c.tenant_id and a.id = new.act_id
     where c.tenant_id = new.tenant_id and c.id = new.contact_id and c.version = 1 and c.event_id = new.event_id
       and a.command = 'contact.import' and a.state = 'CONSUMED' and a.input ->> 'account_id' = new.account_id::text
       and a.input -> 'contacts' @> jsonb_build_array(jsonb_build_object('slug', new.slug))) then
    perform dispatch.raise_guarantee('change_without_event', 'code of contact ' || new.contact_id);
  end if;
  return new;
end $$;
create or replace trigger a_code before insert on dispatch.contact_codes
  for each row execute function dispatch.guard_contact_code();
create or replace trigger append_only_rows before update or delete on dispatch.contact_codes
  for each row execute function audit.refuse_change();
create or replace trigger append_only_truncate before truncate on dispatch.contact_codes
  for each statement execute function audit.refuse_change();
