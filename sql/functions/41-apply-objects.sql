-- Versioned rows. Version 1 is inserted; any other updates the row at the version before, exactly one.
-- Columns that never change are not updated; the grants leave them out too.

create or replace function dispatch.apply_ticket(tenant uuid, row_json jsonb) returns void language plpgsql as $$
declare
  r dispatch.tickets := jsonb_populate_record(null::dispatch.tickets, row_json);
  n integer;
begin
  if r.version = 1 then
    insert into dispatch.tickets
      (tenant_id, id, version, state, reference, account_id, site_id, requester_id, conversation_id, resume_state,
       hold_reason, hold_owner, hold_until, scope_capped, outcome, incident_type, incident_version, safety, priority,
       answers, missing, base_nte_cents, nte_cents, description_text_id, recall_of, duplicate_of, reported_at,
       created_at, updated_at)
    values
      (r.tenant_id, r.id, r.version, r.state, r.reference, r.account_id, r.site_id, r.requester_id,
       r.conversation_id, r.resume_state, r.hold_reason, r.hold_owner, r.hold_until, r.scope_capped, r.outcome,
       r.incident_type, r.incident_version, r.safety, r.priority, r.answers, r.missing, r.base_nte_cents,
       r.nte_cents, r.description_text_id, r.recall_of, r.duplicate_of, r.reported_at, r.created_at, r.updated_at);
    return;
  end if;
  update dispatch.tickets t
     set version = r.version, state = r.state, resume_state = r.resume_state, hold_reason = r.hold_reason,
         hold_owner = r.hold_owner, hold_until = r.hold_until, scope_capped = r.scope_capped, outcome = r.outcome,
         incident_type = r.incident_type, incident_version = r.incident_version, safety = r.safety,
         priority = r.priority, answers = r.answers, missing = r.missing, base_nte_cents = r.base_nte_cents,
         nte_cents = r.nte_cents, description_text_id = r.description_text_id, duplicate_of = r.duplicate_of,
         updated_at = r.updated_at
   where t.tenant_id = tenant and t.id = r.id and t.version = r.version - 1;
  get diagnostics n = row_count;
  perform dispatch.hit_one(n, 'ticket');
end $$;

create or replace function dispatch.apply_visit(tenant uuid, row_json jsonb) returns void language plpgsql as $$
declare
  r dispatch.visits := jsonb_populate_record(null::dispatch.visits, row_json);
  n integer;
begin
  if r.version = 1 then
    insert into dispatch.visits
      (tenant_id, id, version, state, ticket_id, technician_id, emergency, starts_at, ends_at, offered_by,
       checked_in_at, claimed_time, claimed_lat_e6, claimed_lon_e6, started_at, answer_by, escalated_at)
    values
      (r.tenant_id, r.id, r.version, r.state, r.ticket_id, r.technician_id, r.emergency, r.starts_at, r.ends_at,
       r.offered_by, r.checked_in_at, r.claimed_time, r.claimed_lat_e6, r.claimed_lon_e6, r.started_at, r.answer_by,
       r.escalated_at);
    return;
  end if;
  update dispatch.visits t
     set version = r.version, state = r.state, starts_at = r.starts_at, ends_at = r.ends_at,
         checked_in_at = r.checked_in_at, claimed_time = r.claimed_time, claimed_lat_e6 = r.claimed_lat_e6,
         claimed_lon_e6 = r.claimed_lon_e6, started_at = r.started_at, escalated_at = r.escalated_at
   where t.tenant_id = tenant and t.id = r.id and t.version = r.version - 1;
  get diagnostics n = row_count;
  perform dispatch.hit_one(n, 'visit');
end $$;

create or replace function dispatch.apply_approval(tenant uuid, row_json jsonb) returns void language plpgsql as $$
declare
  r dispatch.approvals := jsonb_populate_record(null::dispatch.approvals, row_json);
  n integer;
begin
  if r.version = 1 then
    insert into dispatch.approvals
      (tenant_id, id, version, state, ticket_id, account_id, kind, requested_by_kind, requested_by_id, lines, photos,
       amount_cents, nte_before_cents, new_nte_cents, proof_assurance, deciders, decider_id, action, action_digest,
       resume_approved, resume_denied, reason_text_id, requested_at, expires_at, decided_by, decided_at)
    values
      (r.tenant_id, r.id, r.version, r.state, r.ticket_id, r.account_id, r.kind, r.requested_by_kind,
       r.requested_by_id, r.lines, r.photos, r.amount_cents, r.nte_before_cents, r.new_nte_cents,
       r.proof_assurance, r.deciders, r.decider_id, r.action, r.action_digest, r.resume_approved, r.resume_denied,
       r.reason_text_id, r.requested_at, r.expires_at, r.decided_by, r.decided_at);
    return;
  end if;
  -- What was asked is not updated: only what became of it.
  update dispatch.approvals t
     set version = r.version, state = r.state, decided_by = r.decided_by, decided_at = r.decided_at
   where t.tenant_id = tenant and t.id = r.id and t.version = r.version - 1;
  get diagnostics n = row_count;
  perform dispatch.hit_one(n, 'approval');
end $$;

create or replace function dispatch.apply_invoice(tenant uuid, row_json jsonb) returns void language plpgsql as $$
declare
  r dispatch.invoices := jsonb_populate_record(null::dispatch.invoices, row_json);
  n integer;
begin
  if r.version = 1 then
    insert into dispatch.invoices
      (tenant_id, id, version, state, ticket_id, account_id, lines, total_cents, nte_cents, issued_at, paid_at,
       payment_method)
    values
      (r.tenant_id, r.id, r.version, r.state, r.ticket_id, r.account_id, r.lines, r.total_cents, r.nte_cents,
       r.issued_at, r.paid_at, r.payment_method);
    return;
  end if;
  update dispatch.invoices t
     set version = r.version, state = r.state, issued_at = r.issued_at, paid_at = r.paid_at,
         payment_method = r.payment_method
   where t.tenant_id = tenant and t.id = r.id and t.version = r.version - 1;
  get diagnostics n = row_count;
  perform dispatch.hit_one(n, 'invoice');
end $$;

create or replace function dispatch.apply_evidence(tenant uuid, row_json jsonb) returns void language plpgsql as $$
declare
  r dispatch.evidence := jsonb_populate_record(null::dispatch.evidence, row_json);
  n integer;
begin
  if r.version = 1 then
    insert into dispatch.evidence
      (tenant_id, id, version, state, ticket_id, visit_id, key, phase, content_type, size_bytes, sha256, content_key,
       created_by_kind, created_by_id, created_at, finalized_at)
    values
      (r.tenant_id, r.id, r.version, r.state, r.ticket_id, r.visit_id, r.key, r.phase, r.content_type, r.size_bytes,
       r.sha256, r.content_key, r.created_by_kind, r.created_by_id, r.created_at, r.finalized_at);
    return;
  end if;
  update dispatch.evidence t
     set version = r.version, state = r.state, content_key = r.content_key, kept_sha256 = r.kept_sha256,
         kept_size_bytes = r.kept_size_bytes, finalized_at = r.finalized_at
   where t.tenant_id = tenant and t.id = r.id and t.version = r.version - 1;
  get diagnostics n = row_count;
  perform dispatch.hit_one(n, 'evidence');
end $$;

create or replace function dispatch.apply_conversation(tenant uuid, row_json jsonb) returns void language plpgsql as $$
declare
  r dispatch.conversations := jsonb_populate_record(null::dispatch.conversations, row_json);
  n integer;
begin
  if r.version = 1 then
    insert into dispatch.conversations (tenant_id, id, version, state, contact_id, channel, ticket_id, opened_at)
    values (r.tenant_id, r.id, r.version, r.state, r.contact_id, r.channel, r.ticket_id, r.opened_at);
    return;
  end if;
  if r.state = 'CLOSED' then perform dispatch.close_conversation(tenant, r.id); end if;
  update dispatch.conversations t set version = r.version, state = r.state, ticket_id = r.ticket_id
   where t.tenant_id = tenant and t.id = r.id and t.version = r.version - 1;
  get diagnostics n = row_count;
  perform dispatch.hit_one(n, 'conversation');
end $$;
