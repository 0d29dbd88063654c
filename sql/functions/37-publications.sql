-- Which version is in force: what decides reads rows (packages/decision/src/publications.ts), what is written down
-- with a message is looked up here. Both say the same; a test compares them.

create or replace function dispatch.version_in_force(tenant uuid, kind text, name text, at timestamptz) returns integer
language sql stable as $$
  select p.version from dispatch.publications p
   where p.tenant_id = tenant and p.kind = version_in_force.kind and p.name = version_in_force.name
     and p.effective_from <= at
   order by p.effective_from desc, p.number desc limit 1
$$;

-- The row in force and every other that can still come into force; null for no name.
create or replace function dispatch.publication_facts(tenant uuid, kind text, name text) returns jsonb
language plpgsql stable as $$
declare
  since timestamptz;
begin
  if name is null then return null; end if;
  select max(p.effective_from) into since from dispatch.publications p
   where p.tenant_id = tenant and p.kind = publication_facts.kind and p.name = publication_facts.name
     and p.effective_from <= now();
  return jsonb_build_object('kind', kind, 'name', name,
    'last_number', coalesce((
      select max(p.number) from dispatch.publications p
       where p.tenant_id = tenant and p.kind = publication_facts.kind and p.name = publication_facts.name), 0),
    'rows', coalesce((
      select jsonb_agg(jsonb_build_object('number', p.number, 'version', p.version,
                                          'effective_from', dispatch.instant(p.effective_from)) order by p.number)
        from dispatch.publications p
       where p.tenant_id = tenant and p.kind = publication_facts.kind and p.name = publication_facts.name
         and p.effective_from >= coalesce(since, '-infinity')), '[]'::jsonb));
end $$;

create or replace function dispatch.apply_publication(tenant uuid, event_id uuid, row_json jsonb) returns void
language plpgsql as $$
declare
  r dispatch.publications := jsonb_populate_record(null::dispatch.publications, row_json);
begin
  insert into dispatch.publications (tenant_id, kind, name, number, version, effective_from, event_id)
  values (tenant, r.kind, r.name, r.number, r.version, r.effective_from, apply_publication.event_id);
end $$;

-- A publication belongs to an event of this transaction that publishes its kind, follows the last one of its name, and
-- begins no sooner than it was decided: 70 s are the longest from a decision to its commit, the life of a signature and
-- what clocks may differ.
create or replace function dispatch.guard_publication() returns trigger language plpgsql as $$
declare
  v_command text;
begin
  select e.command into v_command from audit.events e
   where e.tenant_id = new.tenant_id and e.id = new.event_id and e.decision = 'accepted' and e.at = now()
     and ((e.origin = 'dispatch' and e.command = new.kind || '.publish')
       or (e.origin = 'operator' and e.command = 'operator.bootstrap'));
  if not found then
    perform dispatch.raise_guarantee('change_without_event', 'publication of ' || new.name);
  end if;
  if new.number <> 1 + coalesce((
       select max(p.number) from dispatch.publications p
        where p.tenant_id = new.tenant_id and p.kind = new.kind and p.name = new.name), 0) then
    -- Somebody published the same name since: read and decide again.
    raise exception using errcode = 'DL002', message = 'version_conflict', constraint = 'version_conflict',
      detail = 'publication';
  end if;
  if v_command <> 'operator.bootstrap' and new.effective_from < now() - interval '70 seconds' then
    perform dispatch.raise_guarantee('published_in_the_past', new.name);
  end if;
  return new;
end $$;
create or replace trigger a_publication before insert on dispatch.publications
  for each row execute function dispatch.guard_publication();
create or replace trigger append_only_rows before update or delete on dispatch.publications
  for each row execute function audit.refuse_change();
create or replace trigger append_only_truncate before truncate on dispatch.publications
  for each statement execute function audit.refuse_change();

-- The version of a message's text is not the writer's to choose, and without one in force nothing is written.
create or replace function dispatch.set_template_version() returns trigger language plpgsql as $$
begin
  new.template_version := dispatch.version_in_force(new.tenant_id, 'template', new.template, now());
  if new.template_version is null then
    perform dispatch.raise_guarantee('template_not_published', new.template);
  end if;
  return new;
end $$;
create or replace trigger b_template_version before insert on dispatch.messages
  for each row when (new.template like 'M__') execute function dispatch.set_template_version();
