-- What ends, and what stands in the way of it.

-- What of a conversation nobody has finished, as packages/decision/src/facts.ts has it.
create or replace function dispatch.loose_ends(tenant uuid, conversation uuid) returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object(
    'open_tickets', (
      select count(*) from dispatch.tickets t
       where t.tenant_id = tenant and t.conversation_id = conversation and t.state not in ('CLOSED', 'CANCELLED')),
    'open_suggestions', (
      select count(*) from dispatch.suggestions s
       where s.tenant_id = tenant and s.conversation_id = conversation and s.state = 'OPEN'),
    -- As the list of what needs a person has it, but from the first second on.
    'is_unanswered', coalesce((
      select m.direction = 'IN' or m.template = 'phrase:a_person_will_look' from dispatch.messages m
       where m.tenant_id = tenant and m.conversation_id = conversation
       order by m.created_at desc, m.id desc limit 1), false));
end $$;

-- Nothing comes in between the look and the end: whoever adds to a conversation holds its key until they commit, and
-- closing waits for them; whoever comes later finds it closed (`apply_inbound`). What is found then (`guard_closing`) is
-- decided again.
create or replace function dispatch.close_conversation(tenant uuid, conversation uuid) returns void
language plpgsql as $$
begin
  perform 1 from dispatch.conversations v where v.tenant_id = tenant and v.id = conversation for update;
  -- An agent that was still at it has nothing more to say.
  update dispatch.turns t set ended_at = now()
   where t.tenant_id = tenant and t.conversation_id = conversation and t.ended_at is null;
end $$;

create or replace function dispatch.guard_closing() returns trigger language plpgsql as $$
begin
  if dispatch.loose_ends(new.tenant_id, new.id)
     <> '{"open_tickets": 0, "open_suggestions": 0, "is_unanswered": false}'::jsonb then
    perform dispatch.hit_one(0, 'loose ends');
  end if;
  return new;
end $$;
create or replace trigger nothing_waits before update on dispatch.conversations
  for each row when (new.state = 'CLOSED' and old.state <> 'CLOSED') execute function dispatch.guard_closing();

-- Words that arrive while a conversation ends belong to the next one.
create or replace function dispatch.require_open(tenant uuid, conversation uuid) returns void language plpgsql as $$
begin
  if exists (select 1 from dispatch.conversations v
              where v.tenant_id = tenant and v.id = conversation and v.state = 'CLOSED') then
    perform dispatch.hit_one(0, 'conversation');
  end if;
end $$;

create or replace function dispatch.open_recalls(tenant uuid, ticket uuid) returns integer
language plpgsql stable as $$
begin
  return (select count(*) from dispatch.tickets t
           where t.tenant_id = tenant and t.recall_of = ticket and t.state not in ('CLOSED', 'CANCELLED'));
end $$;

-- One open recall of a ticket, also for two who reopen it in the same moment: the second waits here, and sees the first.
create or replace function dispatch.guard_recall() returns trigger language plpgsql as $$
begin
  perform 1 from dispatch.tickets t
   where t.tenant_id = new.tenant_id and t.id = new.recall_of for no key update;
  if dispatch.open_recalls(new.tenant_id, new.recall_of) > 0 then
    perform dispatch.hit_one(0, 'recall');
  end if;
  return new;
end $$;
create or replace trigger one_open_recall before insert on dispatch.tickets
  for each row when (new.recall_of is not null) execute function dispatch.guard_recall();
