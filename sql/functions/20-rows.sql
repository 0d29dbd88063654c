-- Rows as packages/decision/src/rows.ts has them: column names, instants as RFC 3339 with milliseconds and Z.
-- The two that nearly every command reads are json with their columns listed: jsonb would be sorted, merged and
-- written out again (over a quarter of what reading the facts cost).

create or replace function dispatch.ticket_json(r dispatch.tickets) returns json language sql stable as $$
  select json_build_object(
    'tenant_id', r.tenant_id, 'id', r.id, 'version', r.version, 'state', r.state, 'reference', r.reference,
    'account_id', r.account_id, 'site_id', r.site_id, 'requester_id', r.requester_id,
    'conversation_id', r.conversation_id, 'resume_state', r.resume_state, 'hold_reason', r.hold_reason,
    'hold_owner', r.hold_owner, 'hold_until', dispatch.instant(r.hold_until), 'scope_capped', r.scope_capped,
    'outcome', r.outcome, 'incident_type', r.incident_type, 'incident_version', r.incident_version,
    'safety', r.safety, 'priority', r.priority, 'answers', r.answers, 'missing', r.missing,
    'base_nte_cents', r.base_nte_cents, 'nte_cents', r.nte_cents, 'description_text_id', r.description_text_id,
    'recall_of', r.recall_of, 'duplicate_of', r.duplicate_of,
    'reported_at', dispatch.instant(r.reported_at), 'created_at', dispatch.instant(r.created_at),
    'updated_at', dispatch.instant(r.updated_at))
$$;

create or replace function dispatch.visit_json(r dispatch.visits) returns json language sql stable as $$
  select json_build_object(
    'tenant_id', r.tenant_id, 'id', r.id, 'version', r.version, 'state', r.state, 'ticket_id', r.ticket_id,
    'technician_id', r.technician_id, 'emergency', r.emergency, 'starts_at', dispatch.instant(r.starts_at),
    'ends_at', dispatch.instant(r.ends_at), 'offered_by', r.offered_by,
    'checked_in_at', dispatch.instant(r.checked_in_at), 'claimed_time', dispatch.instant(r.claimed_time),
    'claimed_lat_e6', r.claimed_lat_e6, 'claimed_lon_e6', r.claimed_lon_e6,
    'started_at', dispatch.instant(r.started_at), 'answer_by', dispatch.instant(r.answer_by),
    'escalated_at', dispatch.instant(r.escalated_at))
$$;

create or replace function dispatch.approval_json(r dispatch.approvals) returns jsonb language sql stable as $$
  select to_jsonb(r) || jsonb_build_object(
    'requested_at', dispatch.instant(r.requested_at), 'expires_at', dispatch.instant(r.expires_at),
    'decided_at', dispatch.instant(r.decided_at))
$$;

create or replace function dispatch.invoice_json(r dispatch.invoices) returns jsonb language sql stable as $$
  select to_jsonb(r) || jsonb_build_object(
    'issued_at', dispatch.instant(r.issued_at), 'paid_at', dispatch.instant(r.paid_at))
$$;

create or replace function dispatch.evidence_json(r dispatch.evidence) returns jsonb language sql stable as $$
  select to_jsonb(r) || jsonb_build_object(
    'created_at', dispatch.instant(r.created_at), 'finalized_at', dispatch.instant(r.finalized_at))
$$;

create or replace function dispatch.conversation_json(r dispatch.conversations) returns jsonb language sql stable as $$
  select to_jsonb(r) || jsonb_build_object('opened_at', dispatch.instant(r.opened_at))
$$;

create or replace function dispatch.turn_json(r dispatch.turns) returns jsonb language sql stable as $$
  select to_jsonb(r) || jsonb_build_object(
    'opened_at', dispatch.instant(r.opened_at), 'expires_at', dispatch.instant(r.expires_at),
    'ended_at', dispatch.instant(r.ended_at))
$$;

create or replace function dispatch.message_json(r dispatch.messages) returns jsonb language sql stable as $$
  select to_jsonb(r) || jsonb_build_object('created_at', dispatch.instant(r.created_at))
$$;
