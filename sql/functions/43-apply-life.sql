-- Sections of `Changes` about reports, consents and suggestions; see packages/decision/src/changes.ts.

create or replace function dispatch.apply_life(tenant uuid, event_id uuid, ticket uuid, c jsonb) returns void
language plpgsql as $$
declare
  k jsonb;
  r dispatch.suggestions;
  n integer;
begin
  if c ? 'attach' then
    update dispatch.reports x
       set attached_ticket_id = (c -> 'attach' ->> 'ticket_id')::uuid, attached_at = now()
     where x.tenant_id = tenant and x.id = (c -> 'attach' ->> 'report_id')::uuid and x.attached_ticket_id is null;
    get diagnostics n = row_count;
    perform dispatch.hit_one(n, 'report');
  end if;
  if c ? 'consent' then
    k := c -> 'consent';
    insert into dispatch.consents
      (tenant_id, event_id, ticket_id, act, object, object_version, role, staff_id, person_id, reason_text_id)
    values
      (tenant, event_id, ticket, k ->> 'act', k ->> 'object', (k ->> 'object_version')::integer, k ->> 'role',
       (k ->> 'staff_id')::uuid, (k ->> 'person_id')::uuid, (k ->> 'reason_text_id')::uuid);
  end if;
  if c ? 'suggestion' then
    r := jsonb_populate_record(null::dispatch.suggestions, c -> 'suggestion');
    if r.version = 1 then
      insert into dispatch.suggestions
        (tenant_id, id, version, state, command, agent_role, subject_kind, subject_id, conversation_id, turn_id,
         ticket_id, ticket_version, input, safety, digest, sameness, suggested_at, expires_at, decided_by, decided_at)
      values
        (r.tenant_id, r.id, r.version, r.state, r.command, r.agent_role, r.subject_kind, r.subject_id,
         r.conversation_id, r.turn_id, r.ticket_id, r.ticket_version, r.input, r.safety, r.digest, r.sameness,
         r.suggested_at, r.expires_at, r.decided_by, r.decided_at);
    else
      update dispatch.suggestions t
         set version = r.version, state = r.state, decided_by = r.decided_by, decided_at = r.decided_at
       where t.tenant_id = tenant and t.id = r.id and t.version = r.version - 1;
      get diagnostics n = row_count;
      perform dispatch.hit_one(n, 'suggestion');
    end if;
  end if;
end $$;
