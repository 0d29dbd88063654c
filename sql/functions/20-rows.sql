-- Rows as packages/decision/src/rows.ts has them: column names, instants as RFC 3339 with milliseconds and Z.

create or replace function dispatch.ticket_json(r dispatch.tickets) returns jsonb language sql stable as $$
  select to_jsonb(r) || jsonb_build_object(
    'hold_until', dispatch.instant(r.hold_until), 'reported_at', dispatch.instant(r.reported_at),
    'created_at', dispatch.instant(r.created_at), 'updated_at', dispatch.instant(r.updated_at))
$$;

create or replace function dispatch.visit_json(r dispatch.visits) returns jsonb language sql stable as $$
  select to_jsonb(r) || jsonb_build_object(
    'starts_at', dispatch.instant(r.starts_at), 'ends_at', dispatch.instant(r.ends_at),
    'checked_in_at', dispatch.instant(r.checked_in_at), 'claimed_time', dispatch.instant(r.claimed_time),
    'started_at', dispatch.instant(r.started_at))
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
