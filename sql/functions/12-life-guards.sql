-- What takes two people takes two in the database as well.

create or replace function dispatch.guard_consent() returns trigger language plpgsql as $$
begin
  if new.role = 'supervisor' and not exists (
    select 1 from dispatch.consents c
     where c.tenant_id = new.tenant_id and c.ticket_id = new.ticket_id and c.act = new.act and c.object = new.object
       and c.object_version = new.object_version and c.role <> 'supervisor' and c.person_id <> new.person_id) then
    perform dispatch.raise_guarantee('second_before_first', new.act);
  end if;
  return new;
end $$;
create or replace trigger second_after_first before insert on dispatch.consents
  for each row execute function dispatch.guard_consent();

create or replace function dispatch.guard_void() returns trigger language plpgsql as $$
begin
  if not exists (
    select 1 from dispatch.consents c
     where c.tenant_id = new.tenant_id and c.ticket_id = new.ticket_id and c.act = 'billing.void'
       and c.object = new.id::text and c.object_version = old.version and c.role = 'supervisor') then
    perform dispatch.raise_guarantee('void_by_one', new.id::text);
  end if;
  return new;
end $$;
create or replace trigger void_takes_two before update on dispatch.invoices
  for each row when (new.state = 'VOID' and old.state <> 'VOID') execute function dispatch.guard_void();

-- What was suggested is not edited: only what became of it.
create or replace function dispatch.guard_suggestion() returns trigger language plpgsql as $$
begin
  if (new.command, new.agent_role, new.subject_kind, new.subject_id, new.conversation_id, new.turn_id, new.ticket_id,
      new.ticket_version, new.input, new.safety, new.digest, new.sameness, new.suggested_at, new.expires_at)
     is distinct from
     (old.command, old.agent_role, old.subject_kind, old.subject_id, old.conversation_id, old.turn_id, old.ticket_id,
      old.ticket_version, old.input, old.safety, old.digest, old.sameness, old.suggested_at, old.expires_at) then
    perform dispatch.raise_guarantee('suggestion_is_what_was_suggested', new.id::text);
  end if;
  return new;
end $$;
create or replace trigger suggestion_is_kept before update on dispatch.suggestions
  for each row execute function dispatch.guard_suggestion();
