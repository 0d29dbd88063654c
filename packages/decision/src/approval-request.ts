import {
  type ApprovalKind,
  type Assurance,
  type SubjectKind,
  type TicketState,
  TWO_DECIDERS_ABOVE_CENTS,
} from '@deadlatch/catalogue';
import { addCents, refuse } from '@deadlatch/kernel';
import { chooseDecider, proofNeeded, releasedCents } from './approval-terms.ts';
import { changeAmount } from './costs.ts';
import { type MessageChanges, outbound } from './draft-message.ts';
import { changedTicket, later, need, ticketOf } from './need.ts';
import type { ApprovalRow, ChangeLine, TicketRow } from './rows.ts';
import type { Outcome, RuleContext } from './rule.ts';

/**
 * What an approver decides about, in full. Its RFC 8785 bytes are shown, signed and hashed.
 * Instants RFC 3339, amounts whole cents.
 */
export interface ApprovalAction {
  readonly approval_id: string;
  readonly tenant_id: string;
  readonly account_id: string;
  readonly kind: ApprovalKind;
  readonly reference: string;
  /** The site's code, as its people know it. */
  readonly site: string;
  /** The ticket, at the version this question made. */
  readonly target: { readonly kind: 'ticket'; readonly id: string; readonly version: number };
  readonly lines: readonly ChangeLine[];
  /** Evidence ids. */
  readonly photos: readonly string[];
  readonly amount_cents: number;
  readonly nte_before_cents: number;
  readonly new_nte_cents: number;
  readonly decider: string;
  readonly requested_by: { readonly kind: SubjectKind; readonly id: string };
  /** Persons who may not decide: whoever asks, and whoever opened the ticket. Opaque ids, sorted. */
  readonly not_by: readonly string[];
  readonly proof: { readonly assurance: Assurance; readonly deciders: number };
  readonly policy_bundle: string;
  readonly expires_at: string;
}

export interface Question {
  readonly kind: ApprovalKind;
  readonly lines: readonly ChangeLine[];
  readonly photos: readonly string[];
  readonly reasonTextId: string;
  readonly resumeApproved: TicketState;
  readonly resumeDenied: TicketState;
  readonly expiresInMs: number;
}

/**
 * Puts the ticket on hold for an approver: the row with its digest, a timer, and a text to the decider.
 * The lines say what comes on top of the NTE.
 * @throws DispatchError `limit_exceeded` nobody may decide; `assurance_required` above $5,000 (two deciders are
 *   not supported yet, so nobody could ever decide it); `invalid_state` when a question is open already
 * @invariant digest = SHA-256 over exactly the bytes that are stored
 * @source T3.2, T3.4, T3.5
 */
export function askApproval(context: RuleContext, question: Question): Outcome {
  const { facts, tools } = context;
  const before = ticketOf(context);
  if (facts.approvals.some((a) => a.state === 'PENDING')) {
    refuse('invalid_state', { extra: { from_state: 'PENDING', allowed_from: [] } });
  }
  const ticket = changedTicket(context, { state: 'APPROVAL_REQUIRED', resume_state: before.state });
  const row = rowOf(context, question, actionOf(context, question, ticket));
  const terms = {
    approval_id: row.id,
    amount_cents: row.amount_cents,
    new_nte_cents: row.new_nte_cents,
    proof: row.proof_assurance,
  };
  return {
    changes: {
      ticket,
      approval: row,
      timers: [{ id: tools.newId(), kind: 'approval.expire', target_id: row.id, due_at: row.expires_at }],
      ...askDecider(context, ticket, row),
    },
    details: { ...terms, kind: row.kind, deciders: row.deciders, action_digest: row.action_digest },
    result: { ...terms, expires_at: row.expires_at },
  };
}

/** @param ticket as it stands after the command */
function actionOf(context: RuleContext, question: Question, ticket: TicketRow): ApprovalAction {
  const { facts, now, tools } = context;
  const amountCents = changeAmount(question.lines);
  if (amountCents <= 0) refuse('schema_mismatch', { extra: { fields: ['/lines'] } });
  const releasedBefore = releasedCents(ticket, facts.approvals);
  const cumulative = addCents(releasedBefore, amountCents);
  if (cumulative > TWO_DECIDERS_ABOVE_CENTS) refuse('assurance_required', { detail: 'two deciders needed' });
  const asker = need(facts.subject, 'subject');
  // Whoever opened the ticket and cannot be told from an approver is a defect, and a defect refuses.
  const opener =
    ticket.requester_id === null ? [] : [need(facts.requester_person_id, 'requester as a person')];
  const notBy = [...new Set([asker.person_id, ...opener])].sort();
  const decider = chooseDecider(facts.approvers, cumulative, notBy, now);
  return {
    approval_id: tools.newId(),
    tenant_id: ticket.tenant_id,
    account_id: ticket.account_id,
    kind: question.kind,
    reference: ticket.reference,
    site: need(facts.site, 'site').slug,
    target: { kind: 'ticket', id: ticket.id, version: ticket.version },
    lines: question.lines,
    photos: question.photos,
    amount_cents: amountCents,
    nte_before_cents: ticket.nte_cents,
    new_nte_cents: addCents(ticket.nte_cents, amountCents),
    decider: decider.contact_id,
    requested_by: { kind: asker.kind, id: asker.id },
    not_by: notBy,
    proof: proofNeeded({
      kind: question.kind,
      amountCents,
      releasedBefore,
      baseNteCents: ticket.base_nte_cents,
      earlier: facts.approvals,
      now,
    }),
    policy_bundle: tools.policy.bundleHash,
    expires_at: later(context, question.expiresInMs),
  };
}

/** The row repeats what the action says, so that the database can compare it with the ticket. */
function rowOf({ nowText, tools }: RuleContext, question: Question, action: ApprovalAction): ApprovalRow {
  const text = tools.canonicalJson(JSON.parse(JSON.stringify(action)));
  return {
    tenant_id: action.tenant_id,
    id: action.approval_id,
    version: 1,
    state: 'PENDING',
    ticket_id: action.target.id,
    account_id: action.account_id,
    kind: action.kind,
    requested_by_kind: action.requested_by.kind,
    requested_by_id: action.requested_by.id,
    lines: action.lines,
    photos: action.photos,
    amount_cents: action.amount_cents,
    nte_before_cents: action.nte_before_cents,
    new_nte_cents: action.new_nte_cents,
    proof_assurance: action.proof.assurance,
    deciders: action.proof.deciders,
    decider_id: action.decider,
    action: text,
    action_digest: tools.sha256Base64Url(text),
    resume_approved: question.resumeApproved,
    resume_denied: question.resumeDenied,
    reason_text_id: question.reasonTextId,
    requested_at: nowText,
    expires_at: action.expires_at,
    decided_by: null,
    decided_at: null,
  };
}

/** Never in the requester's conversation: the decider reads it somewhere else. */
function askDecider(context: RuleContext, ticket: TicketRow, row: ApprovalRow): MessageChanges {
  const message = outbound(context, {
    contactId: row.decider_id,
    conversationId: null,
    ticket,
    template: 'M11',
    slots: { amount_cents: row.amount_cents, new_nte_cents: row.new_nte_cents },
    claim: { kind: 'approval_state', approval_id: row.id, state: 'PENDING' },
  });
  return {
    messages: [message],
    links: [
      { purpose: 'approval', contact_id: row.decider_id, object_id: row.id, expires_at: row.expires_at },
    ],
  };
}
