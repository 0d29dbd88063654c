-- Read: one round trip, nothing stays locked. STABLE, so every fact comes from one snapshot.
-- The answer is the JSON of packages/decision/src/facts.ts without observed_object.

create or replace function dispatch.subject_facts(tenant uuid, kind text, subject uuid) returns jsonb
language plpgsql stable as $$
begin
  if kind = 'contact' then
    return (
      select jsonb_build_object('kind', kind, 'id', c.id, 'person_id', c.person_id, 'roles', '[]'::jsonb,
               'memberships', coalesce((
                 select jsonb_agg(jsonb_build_object(
                          'account_id', m.account_id, 'site_id', m.site_id, 'may_request', m.may_request,
                          'may_approve', m.may_approve, 'approval_limit_cents', m.approval_limit_cents,
                          'changed_at', dispatch.instant(greatest(m.changed_at, c.changed_at)))
                        order by m.account_id, m.site_id)
                   from dispatch.contact_memberships m
                  where m.tenant_id = tenant and m.contact_id = c.id), '[]'::jsonb))
        from dispatch.contacts c
       where c.tenant_id = tenant and c.id = subject and c.active);
  elsif kind = 'staff' then
    return (
      select jsonb_build_object('kind', kind, 'id', s.id, 'person_id', s.person_id, 'memberships', '[]'::jsonb,
               'roles', coalesce((
                 select jsonb_agg(r.role order by r.role) from dispatch.staff_roles r
                  where r.tenant_id = tenant and r.staff_id = s.id), '[]'::jsonb))
        from dispatch.staff s
       where s.tenant_id = tenant and s.id = subject and s.active);
  elsif kind = 'technician' then
    return (
      select jsonb_build_object('kind', kind, 'id', t.id, 'person_id', t.person_id,
               'roles', '["technician"]'::jsonb, 'memberships', '[]'::jsonb)
        from dispatch.technicians t
       where t.tenant_id = tenant and t.id = subject and t.active);
  end if;
  return null;
end $$;

-- Contacts on the list for this site or the whole account; largest limit last.
create or replace function dispatch.approver_facts(tenant uuid, account uuid, site uuid) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object(
           'contact_id', x.contact_id, 'person_id', x.person_id, 'approval_limit_cents', x.cents,
           'changed_at', dispatch.instant(x.changed_at)) order by x.cents, x.contact_id), '[]'::jsonb)
    from (
      select c.id as contact_id, c.person_id, max(m.approval_limit_cents) as cents,
             greatest(max(m.changed_at), c.changed_at) as changed_at
        from dispatch.contact_memberships m
        join dispatch.contacts c on c.tenant_id = tenant and c.id = m.contact_id and c.active
       where m.tenant_id = tenant and m.account_id = account and m.may_approve
         and (m.site_id is null or m.site_id = site)
       group by c.id, c.person_id, c.changed_at) x
$$;

-- What was found wanting in any completion of the ticket and not remedied: another trip does not make it forgotten.
create or replace function dispatch.open_remedies(tenant uuid, ticket uuid)
returns table (key text, since timestamptz) language sql stable as $$
  select w.key, max(v.verified_at)
    from dispatch.completions c
    join dispatch.wanting w on w.tenant_id = tenant and w.completion_id = c.id
    join dispatch.verifications v on v.tenant_id = tenant and v.event_id = w.verification_id
   where c.tenant_id = tenant and c.ticket_id = ticket
     and not exists (select 1 from dispatch.remedies r
                      where r.tenant_id = tenant and r.verification_id = w.verification_id and r.key = w.key)
   group by w.key
$$;

create or replace function dispatch.completion_facts(tenant uuid, ticket uuid) returns jsonb
language sql stable as $$
  select jsonb_build_object('id', c.id, 'submitted_by', c.submitted_by, 'open_remedies', coalesce((
           select jsonb_agg(jsonb_build_object('key', o.key, 'since', dispatch.instant(o.since)) order by o.key)
             from dispatch.open_remedies(tenant, ticket) o), '[]'::jsonb))
    from dispatch.completions c
   where c.tenant_id = tenant and c.ticket_id = ticket
   order by c.submitted_at desc, c.id desc
   limit 1
$$;

create or replace function dispatch.requestable_sites(tenant uuid, contact uuid) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(distinct s.id), '[]'::jsonb)
    from dispatch.contact_memberships m
    join dispatch.sites s
      on s.tenant_id = tenant and s.account_id = m.account_id and (m.site_id is null or m.site_id = s.id)
   where m.tenant_id = tenant and m.contact_id = contact and m.may_request
$$;

create or replace function dispatch.inbound_facts(tenant uuid, refs jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'known_message_id', (
      select m.id from dispatch.messages m
       where m.tenant_id = tenant and m.direction = 'IN' and m.provider_id = refs ->> 'provider_id'
         and (refs ->> 'channel' is null or m.channel = refs ->> 'channel')
       limit 1),
    'contact_id', c.id,
    'contact_account_ids', coalesce((
      select jsonb_agg(distinct m.account_id) from dispatch.contact_memberships m
       where m.tenant_id = tenant and m.contact_id = c.id), '[]'::jsonb),
    'site_ids', dispatch.requestable_sites(tenant, c.id),
    'conversation', (
      select dispatch.conversation_json(v) from dispatch.conversations v
       where v.tenant_id = tenant and v.contact_id = c.id and v.state <> 'CLOSED'
         and (refs ->> 'channel' is null or v.channel = refs ->> 'channel')
       order by v.opened_at desc, v.id desc limit 1),
    'reported_today', exists (
      select 1 from dispatch.reports r
       where r.tenant_id = tenant and r.sender_hash = refs ->> 'sender_hash'
         and r.reported_at >= date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'),
    'schedule', dispatch.inbound_schedule(tenant, c.id, refs ->> 'channel'))
    from (select 1) one
    left join dispatch.contacts c
      on c.tenant_id = tenant and c.id = (refs ->> 'contact_id')::uuid and c.active
$$;

-- `contact`: for whom an agent acts. While no account is chosen, each of theirs holds it back: the lowest level counts.
create or replace function dispatch.autonomy_facts(tenant uuid, account uuid, ticket uuid, contact uuid) returns jsonb
language sql stable as $$
  with accounts as (
    select account as id where account is not null
    union
    select m.account_id from dispatch.contact_memberships m
     where account is null and m.tenant_id = tenant and m.contact_id = contact)
  select jsonb_build_object(
    'level', coalesce((select min(coalesce(s.level, 2)) from accounts a
                         left join dispatch.autonomy_settings s on s.tenant_id = tenant and s.account_id = a.id), 2),
    'paused', exists (
      select 1 from dispatch.pauses p
       where p.tenant_id = tenant
         and ((p.scope = 'tenant' and p.scope_id = tenant)
           or (p.scope = 'account' and p.scope_id in (select a.id from accounts a))
           or (p.scope = 'ticket' and p.scope_id = ticket))))
$$;

-- p: see the contract of createCommandPath in packages/postgres/src/command-path.ts.
create or replace function dispatch.read_facts(p jsonb) returns json language plpgsql stable as $$
declare
  tenant uuid := (p ->> 'tenant_id')::uuid;
  target text := p ->> 'target';
  target_id uuid := (p ->> 'target_id')::uuid;
  needs jsonb := coalesce(p -> 'needs', '[]'::jsonb);
  refs jsonb := case when jsonb_typeof(p -> 'refs') = 'object' then p -> 'refs' else '{}'::jsonb end;
  i jsonb := p -> 'idempotency';
  v_tenant record;
  v_ticket dispatch.tickets;
  v_account dispatch.accounts;
  v_site dispatch.sites;
  v_approval dispatch.approvals;
  v_turn dispatch.turns;
  v_suggestion dispatch.suggestions;
  v_conversation dispatch.conversations;
  v_open dispatch.tickets;
  v_sites jsonb;
  v_account_id uuid;
  v_site_id uuid;
  stored json;
  technician jsonb;
  roster jsonb := '[]'::jsonb;
  schedule jsonb;
  tapped jsonb;
  message jsonb;
  inbound jsonb;
  directory jsonb;
  approvers jsonb := '[]'::jsonb;
  requester_person_id uuid;
  approval jsonb;
  turn jsonb;
  conversation jsonb;
  open_ticket json;
  autonomy jsonb := '{"level": 0, "paused": true}'::jsonb;
  suggestion jsonb;
  open_suggestions jsonb := '[]'::jsonb;
  k record;
begin
  perform set_config('deadlatch.tenant', tenant::text, true);
  select t.id, t.autonomy_version into v_tenant from dispatch.tenants t where t.id = tenant;
  if not found then
    perform dispatch.raise_guarantee('unknown_tenant', tenant::text);
  end if;

  if target in ('account', 'site', 'asset', 'contact', 'technician', 'staff', 'act') then
    refs := dispatch.directory_refs(tenant, target, target_id, refs);
  end if;
  -- The target and what it hangs on.
  if target = 'ticket' then
    select t.* into v_ticket from dispatch.tickets t where t.tenant_id = tenant and t.id = target_id;
  elsif target = 'approval' then
    select a.* into v_approval from dispatch.approvals a where a.tenant_id = tenant and a.id = target_id;
    select t.* into v_ticket from dispatch.tickets t where t.tenant_id = tenant and t.id = v_approval.ticket_id;
  elsif target = 'suggestion' then
    select s.* into v_suggestion from dispatch.suggestions s where s.tenant_id = tenant and s.id = target_id;
    select t.* into v_ticket from dispatch.tickets t where t.tenant_id = tenant and t.id = v_suggestion.ticket_id;
    -- What was suggested is decided again: it names rows as its own call would have.
    refs := coalesce(v_suggestion.input, '{}'::jsonb) || refs;
  elsif needs ? 'tapped_link' then
    tapped := dispatch.tapped_link_facts(tenant, refs ->> 'link_hash');
    select t.* into v_ticket from dispatch.tickets t
     where t.tenant_id = tenant and t.id = (tapped -> 'message' ->> 'ticket_id')::uuid;
  elsif refs ->> 'ticket_id' is not null then
    select t.* into v_ticket from dispatch.tickets t
     where t.tenant_id = tenant and t.id = (refs ->> 'ticket_id')::uuid;
  end if;

  -- The turn, for agents: its conversation, and the ticket that conversation already has.
  if p ->> 'turn_id' is not null or v_suggestion.turn_id is not null then
    select t.* into v_turn from dispatch.turns t
     where t.tenant_id = tenant and t.id = coalesce((p ->> 'turn_id')::uuid, v_suggestion.turn_id);
  end if;
  select c.* into v_conversation from dispatch.conversations c
   where c.tenant_id = tenant
     and c.id = case when target = 'conversation' then target_id
                     else coalesce(v_turn.conversation_id, v_ticket.conversation_id, (p ->> 'conversation_id')::uuid) end;
  if v_conversation.id is not null and v_ticket.id is null then
    select t.* into v_open from dispatch.tickets t
     where t.tenant_id = tenant and t.conversation_id = v_conversation.id
       and t.state not in ('CLOSED', 'CANCELLED');
  end if;

  -- Account and site: of the ticket, of the reference, or the only one this requester can mean.
  v_site_id := coalesce(v_ticket.site_id, (refs ->> 'site_id')::uuid, v_open.site_id);
  if v_site_id is null and v_turn.subject_kind = 'contact' and needs ? 'site' then
    v_sites := dispatch.requestable_sites(tenant, v_turn.subject_id);
    if jsonb_array_length(v_sites) = 1 then
      v_site_id := (v_sites ->> 0)::uuid;
    end if;
  end if;
  if v_site_id is not null then
    select s.* into v_site from dispatch.sites s where s.tenant_id = tenant and s.id = v_site_id;
  end if;
  v_account_id := coalesce(v_ticket.account_id, v_site.account_id, (refs ->> 'account_id')::uuid);
  if v_account_id is not null then
    select a.* into v_account from dispatch.accounts a where a.tenant_id = tenant and a.id = v_account_id;
  end if;

  -- Every fact in an expression of its own, reached only when there is one: preparing a large expression costs each
  -- transaction more than the look-ups. The answer is json, not jsonb: it is only written out, once.
  if v_approval.id is not null then approval := dispatch.approval_json(v_approval); end if;
  if v_turn.id is not null then turn := dispatch.turn_json(v_turn); end if;
  if v_conversation.id is not null then conversation := dispatch.conversation_json(v_conversation); end if;
  if v_open.id is not null then open_ticket := dispatch.ticket_json(v_open); end if;
  -- Only agents are held back by it; where nobody asks, nothing is looked up and the strictest answer stands.
  if p ->> 'turn_id' is not null or needs ? 'autonomy' then
    autonomy := dispatch.autonomy_facts(
      tenant, v_account_id, coalesce(v_ticket.id, v_open.id),
      case when v_turn.subject_kind = 'contact' then v_turn.subject_id end);
  end if;
  if jsonb_typeof(i) = 'object' then
    -- What the receipt of that answer said comes from the event itself: RFC 9162 section 2.1.1, in base64url.
    select json_build_object(
             'fingerprint', s.fingerprint, 'answer', s.answer, 'event_id', s.event_id,
             'event_time', convert_from(e.body, 'UTF8')::json ->> 'time',
             'leaf_hash', translate(encode(sha256('\x00'::bytea || e.body), 'base64'), '+/=', '-_')) into stored
      from dispatch.idempotency s join audit.events e on e.tenant_id = s.tenant_id and e.id = s.event_id
     where s.tenant_id = tenant and s.service = i ->> 'service' and s.subject = i ->> 'subject'
       and s.command = i ->> 'command' and s.path = i ->> 'path' and s.key = i ->> 'key';
  end if;
  if needs ? 'technician' then
    -- Whoever is named, or else whoever has the ticket's live visit, or else whom the agreed time is held for.
    technician := dispatch.technician_facts(
      tenant,
      coalesce((refs ->> 'technician_id')::uuid, (
        select v.technician_id from dispatch.visits v
         where v.tenant_id = tenant and v.id = dispatch.visit_in_question(tenant, v_ticket.id)), (
        select o.technician_id from dispatch.schedule_options o
         where o.tenant_id = tenant and o.ticket_id = v_ticket.id and o.ended_at is null
           and o.confirmed_at is not null)),
      v_ticket.id);
  end if;
  if needs ? 'roster' then roster := dispatch.roster_facts(tenant, v_ticket.id); end if;
  if needs ? 'schedule' and v_site.id is not null then
    schedule := dispatch.schedule_facts(tenant, v_ticket.id, v_site.id);
  end if;
  if needs ? 'message' or target = 'message' then
    message := (
      select dispatch.message_json(m) from dispatch.messages m
       where m.tenant_id = tenant
         and m.id = case when target = 'message' then target_id else (refs ->> 'message_id')::uuid end);
  end if;
  if needs ? 'directory' then directory := dispatch.directory_facts(tenant, p ->> 'command', refs); end if;
  if needs ? 'inbound' then inbound := dispatch.inbound_facts(tenant, refs); end if;
  if (needs ? 'approvals' or needs ? 'approval') and v_account_id is not null then
    approvers := dispatch.approver_facts(tenant, v_account_id, v_site.id);
    -- Active or not: whoever opened the ticket stays the person who did.
    requester_person_id := (
      select c.person_id from dispatch.contacts c where c.tenant_id = tenant and c.id = v_ticket.requester_id);
  end if;
  if v_suggestion.id is not null then suggestion := dispatch.suggestion_json(v_suggestion); end if;
  if p ->> 'turn_id' is not null then
    open_suggestions := coalesce((
      select jsonb_agg(jsonb_build_object('id', s.id, 'sameness', s.sameness) order by s.suggested_at, s.id)
        from dispatch.suggestions s
       where s.tenant_id = tenant and s.conversation_id = v_conversation.id and s.state = 'OPEN'), '[]'::jsonb);
  end if;
  k := dispatch.ticket_facts(tenant, v_ticket.id, needs, refs);
  return json_build_object(
    'now', dispatch.instant(now()),
    'log_size', (select h.size from audit.log_head h),
    'tenant', json_build_object('id', v_tenant.id, 'autonomy_version', v_tenant.autonomy_version),
    'stored', stored,
    'subject', dispatch.subject_facts(tenant, p -> 'subject' ->> 'kind', (p -> 'subject' ->> 'id')::uuid),
    'ticket', case when v_ticket.id is not null then dispatch.ticket_json(v_ticket) end,
    'requester_person_id', requester_person_id,
    'account', case when v_account.id is not null then json_build_object(
      'id', v_account.id, 'authority_version', v_account.authority_version, 'contract', v_account.contract) end,
    'site', case when v_site.id is not null then json_build_object(
      'id', v_site.id, 'account_id', v_site.account_id, 'slug', v_site.slug, 'time_zone', v_site.time_zone,
      'territory', v_site.territory) end,
    'visit', k.visit, 'technician', technician, 'roster', roster, 'schedule', schedule, 'tapped_link', tapped,
    'approval', approval, 'approvals', k.approvals,
    'approvers', approvers, 'evidence', k.evidence, 'evidence_item', k.evidence_item, 'observed_object', null,
    'open_uploads', case when needs ? 'open_uploads' then dispatch.open_uploads(tenant, v_ticket.id) end,
    'report', case when target = 'report' then dispatch.report_facts(tenant, target_id) end,
    'duplicates', case when needs ? 'duplicates' and v_ticket.id is not null
      then dispatch.duplicate_facts(tenant, v_ticket, (refs ->> 'survivor_id')::uuid) else '[]'::jsonb end,
    'consents', case when needs ? 'consents' and v_ticket.id is not null
      then dispatch.consent_facts(tenant, v_ticket.id) else '[]'::jsonb end,
    'publications', case when needs ? 'publications' then dispatch.publication_facts(
      tenant, case p ->> 'command' when 'template.publish' then 'template' else 'incident_type' end,
      coalesce(refs ->> 'template', refs ->> 'type')) end,
    'suggestion', suggestion, 'open_suggestions', open_suggestions,
    'suggested_for', case when v_suggestion.id is not null
      then dispatch.subject_facts(tenant, v_suggestion.subject_kind, v_suggestion.subject_id) end,
    'tests', k.tests, 'costs', k.costs, 'completion', k.completion, 'invoice', k.invoice,
    'conversation', conversation,
    'loose_ends', case when needs ? 'loose_ends' and v_conversation.id is not null
      then dispatch.loose_ends(tenant, v_conversation.id) end,
    'open_recalls', case when needs ? 'open_recalls' and v_ticket.id is not null
      then dispatch.open_recalls(tenant, v_ticket.id) end,
    'turn', turn, 'open_ticket_of_conversation', open_ticket,
    'autonomy', autonomy, 'message', message, 'directory', directory, 'inbound', inbound,
    'batch', case when needs ? 'batch' then dispatch.batch_facts(tenant, refs) end);
end $$;

-- What hangs on a ticket, as far as it is needed.
create or replace function dispatch.ticket_facts(
  tenant uuid, ticket uuid, needs jsonb, refs jsonb,
  out visit json, out approvals jsonb, out evidence jsonb, out evidence_item jsonb, out tests jsonb,
  out costs jsonb, out completion jsonb, out invoice jsonb)
language plpgsql stable as $$
begin
  approvals := '[]'::jsonb;
  evidence := '[]'::jsonb;
  tests := '[]'::jsonb;
  costs := '{"parts": [], "minutes": 0}'::jsonb;
  if ticket is null then return; end if;
  if needs ? 'visit' then
    visit := (
      select dispatch.visit_json(v) from dispatch.visits v
       where v.tenant_id = tenant and v.id = dispatch.visit_in_question(tenant, ticket));
  end if;
  if needs ? 'approvals' or needs ? 'approval' then
    approvals := coalesce((
      select jsonb_agg(dispatch.approval_json(a) order by a.requested_at, a.id) from dispatch.approvals a
       where a.tenant_id = tenant and a.ticket_id = ticket), '[]'::jsonb);
  end if;
  if needs ? 'evidence' then
    evidence := coalesce((
      select jsonb_agg(jsonb_build_object('id', e.id, 'key', e.key, 'phase', e.phase, 'visit_id', e.visit_id,
                                          'finalized_at', dispatch.instant(e.finalized_at))
                       order by e.created_at, e.id)
        from dispatch.evidence e
       where e.tenant_id = tenant and e.ticket_id = ticket and e.state = 'FINALIZED'), '[]'::jsonb);
  end if;
  if needs ? 'evidence_item' then
    -- Another ticket's evidence is unknown here.
    evidence_item := (
      select dispatch.evidence_json(e) from dispatch.evidence e
       where e.tenant_id = tenant and e.ticket_id = ticket and e.id = (refs ->> 'evidence_id')::uuid);
  end if;
  if needs ? 'tests' then
    tests := coalesce((
      select jsonb_agg(jsonb_build_object('test', x.test, 'passed', x.passed, 'value', x.value,
                                          'recorded_at', dispatch.instant(x.recorded_at)) order by x.test)
        from (select distinct on (t.test) t.test, t.passed, t.value, t.recorded_at from dispatch.tests t
               where t.tenant_id = tenant and t.ticket_id = ticket
               order by t.test, t.recorded_at desc, t.event_id desc) x), '[]'::jsonb);
  end if;
  if needs ? 'costs' then
    costs := jsonb_build_object(
      'parts', coalesce((
        select jsonb_agg(jsonb_build_object('part_number', x.part_number, 'quantity', x.quantity,
                                            'unit_cents', x.unit_cents) order by x.recorded_at, x.event_id)
          from dispatch.parts x where x.tenant_id = tenant and x.ticket_id = ticket), '[]'::jsonb),
      'minutes', coalesce((
        select sum(x.minutes) from dispatch.times x where x.tenant_id = tenant and x.ticket_id = ticket), 0));
  end if;
  if needs ? 'completion' then
    completion := dispatch.completion_facts(tenant, ticket);
  end if;
  if needs ? 'invoice' then
    invoice := (
      select dispatch.invoice_json(v) from dispatch.invoices v
       where v.tenant_id = tenant and v.ticket_id = ticket and v.state <> 'VOID');
  end if;
end $$;
