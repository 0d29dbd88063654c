-- Every event waits for its index from the moment it exists, whoever wrote it.
create or replace function audit.await_sequencing() returns trigger language plpgsql as $$
begin
  insert into audit.unsequenced (tenant_id, event_id, bytes) values (new.tenant_id, new.id, octet_length(new.body));
  return null;
end $$;
create or replace trigger await_sequencing after insert on audit.events
  for each row execute function audit.await_sequencing();

-- And nothing else does: an id without an event, or one that is in the log already, would stop the log.
create or replace trigger waits_by_event_only before insert on audit.unsequenced
  for each row when (pg_trigger_depth() = 0) execute function audit.refuse_change();

-- Gives the next indexes to events that wait, in the order given: all of them or none.
-- Whoever raised the epoch since is the writer now, and the update finds nothing.
create or replace function audit.append_entries(writer bigint, first bigint, tenants uuid[], events uuid[],
  leaf_hashes bytea, new_root bytea) returns void language plpgsql
-- By key, however many wait and whatever the planner last counted.
set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  n integer := cardinality(events);
  taken integer;
begin
  update audit.log_head h set size = first + n, root = new_root where h.epoch = writer and h.size = first;
  if not found then
    perform dispatch.raise_guarantee('log_writer_superseded', 'epoch ' || writer || ' at ' || first);
  end if;
  insert into audit.log_entries (index, tenant_id, event_id, leaf_hash)
  select first + x.place - 1, x.tenant_id, x.event_id, substring(leaf_hashes from (32 * (x.place - 1) + 1)::integer for 32)
    from unnest(tenants, events) with ordinality as x (tenant_id, event_id, place);
  delete from audit.unsequenced u using unnest(tenants, events) as x (tenant_id, event_id)
   where u.tenant_id = x.tenant_id and u.event_id = x.event_id;
  get diagnostics taken = row_count;
  if taken <> n then
    perform dispatch.raise_guarantee('event_not_waiting', taken || ' of ' || n);
  end if;
end $$;

-- An event stops waiting only by being in the log. All that were taken at once: one by one costs as much as the rest.
create or replace function audit.guard_unsequenced() returns trigger language plpgsql
set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  if exists (
    select from gone g where not exists (
      select from audit.log_entries l where l.tenant_id = g.tenant_id and l.event_id = g.event_id
    )
  ) then
    perform dispatch.raise_guarantee('append_only', 'audit.unsequenced DELETE');
  end if;
  return null;
end $$;
drop trigger if exists kept_until_sequenced on audit.unsequenced;
create trigger kept_until_sequenced after delete on audit.unsequenced
  referencing old table as gone for each statement execute function audit.guard_unsequenced();
create or replace trigger never_changed before update on audit.unsequenced
  for each row execute function audit.refuse_change();
create or replace trigger append_only_truncate before truncate on audit.unsequenced
  for each statement execute function audit.refuse_change();

-- The log only grows.
create or replace function audit.guard_log_head() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or new.size < old.size or new.epoch < old.epoch or new.witnessed_size < old.witnessed_size
     or (old.origin is not null and new.origin is distinct from old.origin) then
    perform dispatch.raise_guarantee('append_only', 'audit.log_head ' || tg_op);
  end if;
  return new;
end $$;
create or replace trigger log_head_grows before update or delete on audit.log_head
  for each row execute function audit.guard_log_head();
create or replace trigger append_only_truncate before truncate on audit.log_head
  for each statement execute function audit.refuse_change();
