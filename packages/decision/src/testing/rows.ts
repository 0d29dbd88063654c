import type {
  AccountFacts,
  ApproverFacts,
  ContactMembership,
  ObservedObject,
  SubjectFacts,
} from '../facts.ts';
import type {
  ApprovalRow,
  ConversationRow,
  EvidenceRow,
  InvoiceRow,
  MessageRow,
  TicketRow,
  TurnRow,
  VisitRow,
} from '../rows.ts';
import { FREE_TEXT, fixedId, IDS, personOf } from './ids.ts';
import { sha256Base64Url, sortedJson } from './tools.ts';

/** A Monday, 10:00 in New York. */
export const NOW = '2026-03-02T15:00:00.000Z';
export const LONG_AGO = '2025-01-01T00:00:00.000Z';

export function at(offsetMs: number): string {
  const known = INSTANTS.get(offsetMs);
  if (known !== undefined) return known;
  const text = new Date(Date.parse(NOW) + offsetMs).toISOString();
  INSTANTS.set(offsetMs, text);
  return text;
}

/** The same few offsets are asked for millions of times. */
const INSTANTS = new Map<number, string>();

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export function ticketRow(patch: Partial<TicketRow> = {}): TicketRow {
  return {
    tenant_id: IDS.tenant,
    id: IDS.ticket,
    version: 7,
    state: 'NEW',
    reference: 'DL-ABCD2345',
    account_id: IDS.account,
    site_id: IDS.site,
    requester_id: IDS.requester,
    conversation_id: IDS.conversation,
    resume_state: null,
    hold_reason: null,
    hold_owner: null,
    hold_until: null,
    scope_capped: false,
    outcome: null,
    incident_type: 'DOOR_CANNOT_SECURE',
    incident_version: 1,
    safety: true,
    priority: 'EMERGENCY',
    answers: { cannot_lock_anything: 'yes', open_to_public: 'yes', anyone_hurt: 'no' },
    missing: [],
    base_nte_cents: 75_000,
    nte_cents: 75_000,
    description_text_id: null,
    recall_of: null,
    duplicate_of: null,
    reported_at: at(-HOUR),
    created_at: at(-HOUR),
    updated_at: at(-HOUR),
    ...patch,
  };
}

export function visitRow(patch: Partial<VisitRow> = {}): VisitRow {
  return {
    tenant_id: IDS.tenant,
    id: IDS.visit,
    version: 3,
    state: 'ON_SITE',
    ticket_id: IDS.ticket,
    technician_id: IDS.technician,
    emergency: true,
    starts_at: at(-HOUR),
    ends_at: at(3 * HOUR),
    offered_by: fixedId(60),
    checked_in_at: at(-30 * MINUTE),
    claimed_time: null,
    claimed_lat_e6: null,
    claimed_lon_e6: null,
    started_at: null,
    answer_by: null,
    escalated_at: null,
    ...patch,
  };
}

/** A pending increase of $200 asked by the technician, decidable with a code. */
export function approvalRow(
  patch: Partial<ApprovalRow> = {},
  action: Record<string, unknown> = {},
): ApprovalRow {
  const text = sortedJson({
    approval_id: IDS.approval,
    kind: 'NTE_INCREASE',
    decider: IDS.approver,
    not_by: [personOf(IDS.technician)],
    ...(action as Record<string, never>),
  });
  return {
    tenant_id: IDS.tenant,
    id: IDS.approval,
    version: 1,
    state: 'PENDING',
    ticket_id: IDS.ticket,
    account_id: IDS.account,
    kind: 'NTE_INCREASE',
    requested_by_kind: 'technician',
    requested_by_id: IDS.technician,
    lines: [{ kind: 'PART', quantity: 1, unit_cents: 20_000, incurred: 'no' }],
    photos: [],
    amount_cents: 20_000,
    nte_before_cents: 75_000,
    new_nte_cents: 95_000,
    proof_assurance: 'L2',
    deciders: 1,
    decider_id: IDS.approver,
    action: text,
    action_digest: sha256Base64Url(text),
    resume_approved: 'IN_PROGRESS',
    resume_denied: 'IN_PROGRESS',
    reason_text_id: FREE_TEXT.text_id,
    requested_at: at(-5 * MINUTE),
    expires_at: at(25 * MINUTE),
    decided_by: null,
    decided_at: null,
    ...patch,
  };
}

export function evidenceRow(patch: Partial<EvidenceRow> = {}): EvidenceRow {
  return {
    tenant_id: IDS.tenant,
    id: IDS.evidence,
    version: 1,
    state: 'PRESIGNED',
    ticket_id: IDS.ticket,
    visit_id: IDS.visit,
    key: 'photo.before.opening',
    phase: 'before',
    content_type: 'image/jpeg',
    size_bytes: 1_000,
    sha256: 'a'.repeat(64),
    content_key: null,
    kept_sha256: null,
    kept_size_bytes: null,
    created_by_kind: 'technician',
    created_by_id: IDS.technician,
    created_at: at(-MINUTE),
    finalized_at: null,
    ...patch,
  };
}

/** The announced bytes of `evidenceRow`, and the picture that was drawn from them. */
export function observedObject(patch: Partial<ObservedObject> = {}): ObservedObject {
  const kept = { content_key: `content/${'c'.repeat(64)}`, sha256: 'c'.repeat(64), size_bytes: 900 };
  return { sha256: 'a'.repeat(64), size_bytes: 1_000, kept, unusable: null, ...patch };
}

export function invoiceRow(patch: Partial<InvoiceRow> = {}): InvoiceRow {
  return {
    tenant_id: IDS.tenant,
    id: IDS.invoice,
    version: 1,
    state: 'DRAFT',
    ticket_id: IDS.ticket,
    account_id: IDS.account,
    lines: [{ kind: 'TRIP', quantity: 1, unit_cents: 9_000, total_cents: 9_000 }],
    total_cents: 9_000,
    nte_cents: 75_000,
    issued_at: null,
    paid_at: null,
    payment_method: null,
    ...patch,
  };
}

export function conversationRow(patch: Partial<ConversationRow> = {}): ConversationRow {
  return {
    tenant_id: IDS.tenant,
    id: IDS.conversation,
    version: 2,
    state: 'AGENT',
    contact_id: IDS.requester,
    channel: 'sms',
    ticket_id: IDS.ticket,
    opened_at: at(-HOUR),
    ...patch,
  };
}

export function turnRow(patch: Partial<TurnRow> = {}): TurnRow {
  return {
    tenant_id: IDS.tenant,
    id: IDS.turn,
    conversation_id: IDS.conversation,
    message_id: IDS.message,
    subject_kind: 'contact',
    subject_id: IDS.requester,
    assurance: 'L1',
    agent_role: 'agent.intake',
    ticket_id: IDS.ticket,
    opened_at: at(-MINUTE),
    expires_at: at(9 * MINUTE),
    ended_at: null,
    ...patch,
  };
}

export function messageRow(patch: Partial<MessageRow> = {}): MessageRow {
  return {
    tenant_id: IDS.tenant,
    id: IDS.message,
    direction: 'OUT',
    channel: 'sms',
    conversation_id: IDS.conversation,
    contact_id: IDS.requester,
    ticket_id: IDS.ticket,
    state: 'QUEUED',
    template: 'M01',
    template_version: 1,
    slots: { reference: 'DL-ABCD2345' },
    claim: { kind: 'none' },
    text_id: null,
    provider_id: null,
    correlation_id: IDS.correlation,
    created_at: NOW,
    ...patch,
  };
}

export function membership(patch: Partial<ContactMembership> = {}): ContactMembership {
  return {
    account_id: IDS.account,
    site_id: IDS.site,
    may_request: true,
    may_approve: false,
    approval_limit_cents: 0,
    changed_at: LONG_AGO,
    ...patch,
  };
}

export function contact(id: string, ...memberships: readonly ContactMembership[]): SubjectFacts {
  return { kind: 'contact', id, person_id: personOf(id), roles: [], memberships };
}

export function staffMember(id: string, ...roles: SubjectFacts['roles']): SubjectFacts {
  return { kind: 'staff', id, person_id: personOf(id), roles, memberships: [] };
}

export function technicianSubject(id: string = IDS.technician): SubjectFacts {
  return { kind: 'technician', id, person_id: personOf(id), roles: ['technician'], memberships: [] };
}

export function approverFacts(patch: Partial<ApproverFacts> = {}): ApproverFacts {
  return {
    contact_id: IDS.approver,
    person_id: personOf(IDS.approver),
    approval_limit_cents: 500_000,
    changed_at: LONG_AGO,
    ...patch,
  };
}

export function accountFacts(contract: Partial<AccountFacts['contract']> = {}): AccountFacts {
  return {
    id: IDS.account,
    authority_version: 3,
    contract: {
      nte_cents: { ROUTINE: 35_000, URGENT: 50_000, EMERGENCY: 75_000 },
      labor_cents_per_hour: 9_500,
      trip_cents: 9_000,
      quote_first: false,
      close_when_issued: false,
      desk_hours: null,
      ...contract,
    },
  };
}
