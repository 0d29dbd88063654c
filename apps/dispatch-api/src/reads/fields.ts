import type { ApprovalRow, EvidenceRow, InvoiceRow, TicketRow, VisitRow } from '@deadlatch/decision';
import type { Sees } from './reader.ts';

/**
 * What each view shows of a row. Listed, so that a new column stays inside until somebody decides who sees it (T5.6).
 * Staff see who did what; everybody else sees what happened.
 */
const TICKET = [
  'id',
  'reference',
  'version',
  'state',
  'site_id',
  'resume_state',
  'hold_reason',
  'hold_owner',
  'hold_until',
  'scope_capped',
  'outcome',
  'recall_of',
  'duplicate_of',
  'incident_type',
  'incident_version',
  'safety',
  'priority',
  'answers',
  'missing',
  'base_nte_cents',
  'nte_cents',
  'reported_at',
  'updated_at',
] as const satisfies readonly (keyof TicketRow)[];
const VISIT = [
  'id',
  'version',
  'state',
  'emergency',
  'starts_at',
  'ends_at',
  'checked_in_at',
  'started_at',
] as const satisfies readonly (keyof VisitRow)[];
const INVOICE = [
  'id',
  'version',
  'state',
  'lines',
  'total_cents',
  'nte_cents',
  'issued_at',
  'paid_at',
  'payment_method',
] as const satisfies readonly (keyof InvoiceRow)[];
const EVIDENCE = [
  'id',
  'version',
  'state',
  'visit_id',
  'key',
  'phase',
  'content_type',
  'size_bytes',
  'sha256',
  'kept_sha256',
  'created_at',
  'finalized_at',
] as const satisfies readonly (keyof EvidenceRow)[];
const APPROVAL = [
  'id',
  'version',
  'state',
  'kind',
  'lines',
  'photos',
  'amount_cents',
  'nte_before_cents',
  'new_nte_cents',
  'proof_assurance',
  'deciders',
  'requested_at',
  'expires_at',
  'decided_at',
] as const satisfies readonly (keyof ApprovalRow)[];

const STAFF_ALSO = {
  ticket: ['account_id', 'requester_id', 'conversation_id', 'description_text_id', 'created_at'],
  visit: ['technician_id', 'offered_by', 'claimed_time', 'claimed_lat_e6', 'claimed_lon_e6'],
  evidence: ['created_by_kind', 'created_by_id'],
  approval: [
    'requested_by_kind',
    'requested_by_id',
    'decider_id',
    'decided_by',
    'action',
    'action_digest',
    'reason_text_id',
  ],
} as const;

/** The ticket as this reader sees it; an agent also learns which conversation it belongs to. */
export function presentTicket(sees: Sees, row: TicketRow) {
  const also = sees.kind === 'tenant' ? STAFF_ALSO.ticket : sees.kind === 'turn' ? CONVERSATION : [];
  return { ...pick(row, TICKET), ...pick(row, also) };
}
const CONVERSATION = ['conversation_id'] as const;

/** Technicians learn whether a visit is theirs, not whose it is otherwise. */
export function presentVisit(sees: Sees, row: VisitRow) {
  const isOwn = sees.kind === 'technician' && row.technician_id === sees.id;
  const also = sees.kind === 'tenant' ? STAFF_ALSO.visit : isOwn ? TECHNICIAN : [];
  return { ...pick(row, VISIT), ...pick(row, also) };
}
const TECHNICIAN = ['technician_id'] as const;

export function presentInvoice(row: InvoiceRow) {
  return pick(row, INVOICE);
}

export function presentEvidence(sees: Sees, row: EvidenceRow) {
  return { ...pick(row, EVIDENCE), ...pick(row, sees.kind === 'tenant' ? STAFF_ALSO.evidence : []) };
}

export function presentApproval(sees: Sees, row: ApprovalRow) {
  return { ...pick(row, APPROVAL), ...pick(row, sees.kind === 'tenant' ? STAFF_ALSO.approval : []) };
}

/** Who is on the way: for staff, and for the technician themselves. */
export function presentSummary<Row extends { readonly technician_id: string | null }>(
  sees: Sees,
  row: Row,
): Row {
  const shown = sees.kind === 'tenant' || (sees.kind === 'technician' && row.technician_id === sees.id);
  return shown ? row : { ...row, technician_id: null };
}

function pick<Row extends object, Name extends keyof Row>(
  row: Row,
  names: readonly Name[],
): Partial<Pick<Row, Name>> {
  return Object.fromEntries(names.map((name) => [name, row[name]])) as Partial<Pick<Row, Name>>;
}
