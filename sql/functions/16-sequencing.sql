-- Every event waits for its index from the moment it exists, whoever wrote it.
create or replace function audit.await_sequencing() returns trigger language plpgsql as $$
begin
  insert into audit.unsequenced (tenant_id, event_id) values (new.tenant_id, new.id);
  return null;
end $$;
create or replace trigger await_sequencing after insert on audit.events
  for each row execute function audit.await_sequencing();

-- An event stops waiting only by being in the log.
create or replace function audit.guard_unsequenced() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' or not exists (
    select from audit.log_entries l where l.tenant_id = old.tenant_id and l.event_id = old.event_id
  ) then
    perform dispatch.raise_guarantee('append_only', 'audit.unsequenced ' || tg_op);
  end if;
  return old;
end $$;
create or replace trigger kept_until_sequenced before update or delete on audit.unsequenced
  for each row execute function audit.guard_unsequenced();
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
