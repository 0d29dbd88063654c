-- What a link of purpose `choice` is worth, as packages/decision/src/tapped-link.ts has it, and what it can make.

-- The recipient is still on file, and the text it stood in is one of ours to them.
create or replace function dispatch.tapped_link_facts(tenant uuid, link_hash text) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_build_object(
             'tenant_id', l.tenant_id, 'hash', l.hash, 'contact_id', c.id, 'message', dispatch.message_json(m),
             'is_used', exists (select 1 from dispatch.choices x
                                 where x.tenant_id = tenant and x.link_hash = l.hash))
      from dispatch.links l
      join dispatch.contacts c on c.tenant_id = tenant and c.id = l.contact_id and c.active
      join dispatch.messages m
        on m.tenant_id = tenant and m.id = l.object_id and m.direction = 'OUT' and m.contact_id = l.contact_id
     where l.tenant_id = tenant and l.hash = tapped_link_facts.link_hash and l.purpose = 'choice'
       and l.expires_at > now());
end $$;

-- One kind of row, for its recipient, about the ticket of its text, while it lives.
create or replace function dispatch.guard_choice() returns trigger language plpgsql as $$
begin
  if not exists (
    select 1 from dispatch.links l
      join dispatch.messages m on m.tenant_id = l.tenant_id and m.id = l.object_id
     where l.tenant_id = new.tenant_id and l.hash = new.link_hash and l.purpose = 'choice'
       and l.contact_id = new.contact_id and m.ticket_id = new.ticket_id and l.expires_at > now()) then
    perform dispatch.raise_guarantee('choice_without_its_link', new.id::text);
  end if;
  return new;
end $$;
create or replace trigger choice_by_its_own_link before insert on dispatch.choices
  for each row when (new.link_hash is not null) execute function dispatch.guard_choice();
