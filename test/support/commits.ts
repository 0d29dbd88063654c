import { createHash, randomBytes } from 'node:crypto';
import type {
  ApprovalRow,
  Changes,
  ConversationRow,
  Effect,
  EvidenceRow,
  InvoiceRow,
  MessageDraft,
  TicketRow,
  TurnRow,
  VisitRow,
} from '@deadlatch/decision';
import { createIdMaker } from '@deadlatch/kernel';
import type { CommitDecisionInput, NonceInput } from '@deadlatch/postgres';
import type { SeededTenant } from './seed.ts';

export const newId = createIdMaker(Date.now, (n) => randomBytes(n));
const at = (offsetMs = 0) => new Date(Date.now() + offsetMs).toISOString();
const HOUR = 3_600_000;

/** A fresh nonce, signed now, good for 30 s. */
export function nonce(over: Partial<NonceInput> = {}): NonceInput {
  const created = Math.floor(Date.now() / 1000);
  const keyid = createHash('sha256').update('test key').digest('base64url');
  return { keyid, nonce: randomBytes(16).toString('base64url'), created, expires: created + 30, ...over };
}

/** A commit of `command` with nothing in it but its event, unless told. */
export function commitOf(
  tenant: SeededTenant,
  command: string,
  over: Partial<Omit<CommitDecisionInput, 'event'>> & { readonly ticketId?: string | null } = {},
): CommitDecisionInput {
  const { ticketId = null, ...rest } = over;
  return {
    tenant_id: tenant.tenantId,
    nonce: nonce(),
    idempotency: null,
    event: {
      id: newId(),
      body: `{"command":"${command}"}`,
      command,
      actor: `staff:${tenant.staff.dana}`,
      decision: 'accepted',
      correlation_id: newId(),
      ticket_id: ticketId,
    },
    effects: [],
    changes: {},
    outbox: [],
    links: [],
    authority: null,
    autonomy_version: null,
    turn_id: null,
    consume_token: null,
    ...rest,
  };
}

type Versioned = { readonly id: string; readonly version: number; readonly state: string };

/** The effect that says how `after` came from `before`. */
export function effectOf(object: Effect['object'], before: Versioned | null, after: Versioned): Effect {
  return {
    object,
    id: after.id,
    version: after.version,
    before_state: before?.state ?? '-',
    after_state: after.state,
  };
}

/** The next version of a row with some columns changed. */
export function next<Row extends Versioned>(row: Row, over: Partial<Row> = {}): Row {
  return { ...row, ...over, version: row.version + 1 };
}

/** A ticket step: its effect and its row in one commit. */
export function ticketStep(
  tenant: SeededTenant,
  command: string,
  before: TicketRow | null,
  after: TicketRow,
  more: { readonly effects?: readonly Effect[]; readonly changes?: Changes } & Partial<
    Omit<CommitDecisionInput, 'event' | 'effects' | 'changes'>
  > = {},
): CommitDecisionInput {
  const { effects = [], changes = {}, ...rest } = more;
  return commitOf(tenant, command, {
    ticketId: after.id,
    effects: [effectOf('ticket', before, after), ...effects],
    changes: { ticket: after, ...changes },
    ...rest,
  });
}

export function newTicket(t: SeededTenant, over: Partial<TicketRow> = {}): TicketRow {
  return {
    tenant_id: t.tenantId,
    id: newId(),
    version: 1,
    state: 'NEW',
    reference: `DL-${randomBytes(4).toString('hex').toUpperCase()}`,
    account_id: t.accountId,
    site_id: t.siteId,
    requester_id: t.contacts.maria,
    conversation_id: null,
    resume_state: null,
    hold_reason: null,
    hold_owner: null,
    hold_until: null,
    scope_capped: false,
    outcome: null,
    incident_type: null,
    incident_version: null,
    safety: false,
    priority: null,
    answers: {},
    missing: [],
    base_nte_cents: 0,
    nte_cents: 0,
    description_text_id: null,
    recall_of: null,
    duplicate_of: null,
    reported_at: at(),
    created_at: at(),
    updated_at: at(),
    ...over,
  };
}

export function newVisit(t: SeededTenant, ticketId: string, over: Partial<VisitRow> = {}): VisitRow {
  return {
    tenant_id: t.tenantId,
    id: newId(),
    version: 1,
    state: 'OFFERED',
    ticket_id: ticketId,
    technician_id: t.technicians.tom,
    emergency: true,
    starts_at: at(),
    ends_at: at(2 * HOUR),
    offered_by: `staff:${t.staff.dana}`,
    checked_in_at: null,
    claimed_time: null,
    claimed_lat_e6: null,
    claimed_lon_e6: null,
    started_at: null,
    answer_by: null,
    escalated_at: null,
    ...over,
  };
}

export function newApproval(
  t: SeededTenant,
  ticket: TicketRow,
  over: Partial<ApprovalRow> = {},
): ApprovalRow {
  return {
    tenant_id: t.tenantId,
    id: newId(),
    version: 1,
    state: 'PENDING',
    ticket_id: ticket.id,
    account_id: ticket.account_id,
    kind: 'NTE_INCREASE',
    requested_by_kind: 'technician',
    requested_by_id: t.technicians.tom,
    lines: [{ kind: 'PART', quantity: 1, unit_cents: 20_000, incurred: 'no', part_number: 'L-9080' }],
    photos: [],
    amount_cents: 20_000,
    nte_before_cents: ticket.nte_cents,
    new_nte_cents: ticket.nte_cents + 20_000,
    proof_assurance: 'L2',
    deciders: 1,
    decider_id: t.contacts.alan,
    action: '{"kind":"NTE_INCREASE"}',
    action_digest: createHash('sha256').update('{"kind":"NTE_INCREASE"}').digest('base64url'),
    resume_approved: 'IN_PROGRESS',
    resume_denied: 'IN_PROGRESS',
    reason_text_id: newId(),
    requested_at: at(),
    expires_at: at(HOUR),
    decided_by: null,
    decided_at: null,
    ...over,
  };
}

export function newEvidence(t: SeededTenant, ticketId: string, over: Partial<EvidenceRow> = {}): EvidenceRow {
  return {
    tenant_id: t.tenantId,
    id: newId(),
    version: 1,
    state: 'PRESIGNED',
    ticket_id: ticketId,
    visit_id: null,
    key: 'before.overview',
    phase: 'before',
    content_type: 'image/jpeg',
    size_bytes: 1_000,
    sha256: createHash('sha256').update('photo').digest('hex'),
    content_key: null,
    kept_sha256: null,
    kept_size_bytes: null,
    created_by_kind: 'technician',
    created_by_id: t.technicians.tom,
    created_at: at(),
    finalized_at: null,
    ...over,
  };
}

/** The next version of an announced row: final, with the picture that was drawn from it. */
export function finalEvidence(asked: EvidenceRow): EvidenceRow {
  const kept = createHash('sha256').update('drawn anew').digest('hex');
  return {
    ...asked,
    version: asked.version + 1,
    state: 'FINALIZED',
    content_key: `content/${asked.tenant_id}/${kept}`,
    kept_sha256: kept,
    kept_size_bytes: 900,
    finalized_at: at(),
  };
}

export function newInvoice(t: SeededTenant, ticket: TicketRow, over: Partial<InvoiceRow> = {}): InvoiceRow {
  return {
    tenant_id: t.tenantId,
    id: newId(),
    version: 1,
    state: 'DRAFT',
    ticket_id: ticket.id,
    account_id: ticket.account_id,
    lines: [{ kind: 'PART', quantity: 2, unit_cents: 4_500, total_cents: 9_000, part_number: 'L-9080' }],
    total_cents: 9_000,
    nte_cents: ticket.nte_cents,
    issued_at: null,
    paid_at: null,
    payment_method: null,
    ...over,
  };
}

export function newConversation(t: SeededTenant, over: Partial<ConversationRow> = {}): ConversationRow {
  return {
    tenant_id: t.tenantId,
    id: newId(),
    version: 1,
    state: 'AGENT',
    contact_id: t.contacts.maria,
    channel: 'sms',
    ticket_id: null,
    opened_at: at(),
    ...over,
  };
}

export function newMessage(t: SeededTenant, over: Partial<MessageDraft> = {}): MessageDraft {
  return {
    tenant_id: t.tenantId,
    id: newId(),
    direction: 'IN',
    channel: 'sms',
    conversation_id: null,
    contact_id: t.contacts.maria,
    ticket_id: null,
    state: 'RECEIVED',
    template: null,
    slots: {},
    claim: { kind: 'none' },
    text_id: newId(),
    provider_id: `SM${randomBytes(16).toString('hex')}`,
    correlation_id: newId(),
    created_at: at(),
    ...over,
  };
}

export function newTurn(t: SeededTenant, conversationId: string, messageId: string): TurnRow {
  const opened = Date.now();
  return {
    tenant_id: t.tenantId,
    id: newId(),
    conversation_id: conversationId,
    message_id: messageId,
    subject_kind: 'contact',
    subject_id: t.contacts.maria,
    assurance: 'L1',
    agent_role: 'agent.intake',
    ticket_id: null,
    opened_at: new Date(opened).toISOString(),
    expires_at: new Date(opened + 600_000).toISOString(),
    ended_at: null,
  };
}

/** The message that opens a conversation and a turn, as one commit, with the rows it makes. */
export function firstMessage(
  t: SeededTenant,
  over: Partial<MessageDraft> = {},
  of: Partial<ConversationRow> = {},
) {
  const conversation = newConversation(t, of);
  const message = newMessage(t, { conversation_id: conversation.id, ...over });
  const turn = newTurn(t, conversation.id, message.id);
  const commit = commitOf(t, 'message.receive', {
    effects: [effectOf('conversation', null, conversation)],
    changes: {
      conversation,
      inbound_message: message,
      context_entry: {
        conversation_id: conversation.id,
        message_id: message.id,
        mask_state: 'RELEASED',
        masked_text: "front door won't lock",
      },
      turn,
    },
    outbox: [
      {
        id: newId(),
        kind: 'agent.wake',
        ref_id: turn.id,
        order_key: conversation.id,
        payload: { turn: turn.id },
      },
    ],
  });
  return { conversation, message, turn, commit };
}

export const instantIn = at;
