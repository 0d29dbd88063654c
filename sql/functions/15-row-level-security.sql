-- Every table with a tenant gets the same policy, forced on its owner too. A new table cannot be forgotten.
do $$
declare t record;
begin
  for t in
    select c.oid, n.nspname, c.relname,
           case when c.oid = 'dispatch.tenants'::regclass then 'id' else 'tenant_id' end as col
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('dispatch', 'audit', 'identity', 'vault', 'context')
       and c.relkind in ('r', 'p')
       and (c.oid = 'dispatch.tenants'::regclass or exists (
             select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
       and not exists (select 1 from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant')
     order by n.nspname, c.relname
  loop
    execute format('alter table %I.%I enable row level security', t.nspname, t.relname);
    execute format('alter table %I.%I force row level security', t.nspname, t.relname);
    execute format($p$create policy tenant on %I.%I
      using (%I = nullif(current_setting('deadlatch.tenant', true), '')::uuid)$p$, t.nspname, t.relname, t.col);
  end loop;
end $$;

-- Who may say that an event is whose. Restrictive: on top of the tenant.
drop policy if exists origin_of_writer on audit.events;
create policy origin_of_writer on audit.events as restrictive for insert
  with check (origin = case current_user
    when 'deadlatch_dispatch' then 'dispatch'
    when 'deadlatch_identity' then 'identity'
    when 'deadlatch_vault' then 'vault'
    when 'deadlatch_owner' then 'operator'
  end);

-- The worker relays for every tenant; it may see these two tables and change their delivery columns, no more.
drop policy if exists worker_relays on dispatch.outbox;
create policy worker_relays on dispatch.outbox to deadlatch_worker using (true);
drop policy if exists worker_relays on dispatch.timers;
create policy worker_relays on dispatch.timers to deadlatch_worker using (true);

-- The log is one for all tenants: its writer sees every event, and gives it an index.
drop policy if exists sequencer_reads on audit.events;
create policy sequencer_reads on audit.events for select to deadlatch_sequencer using (true);
drop policy if exists sequencer_works on audit.unsequenced;
create policy sequencer_works on audit.unsequenced to deadlatch_sequencer using (true);
drop policy if exists sequencer_works on audit.log_entries;
create policy sequencer_works on audit.log_entries to deadlatch_sequencer using (true);
