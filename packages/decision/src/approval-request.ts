import {
  type ApprovalKind,
  type Assurance,
  type TicketState,
  TWO_DECIDERS_ABOVE_CENTS,
} from '@deadlatch/catalogue';
import { addCents, refuse } from '@deadlatch/kernel';
import { chooseDecider, proofNeeded, releasedCents } from './approval-terms.ts';
import { changeAmount } from './costs.ts';
import { outbound } from './draft-message.ts';
import { changedTicket, later, need, ticketOf } from './need.ts';
import type { ApprovalRow, ChangeLine } from './rows.ts';
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
  /** The ticket, at the version this question made. */
  readonly target: { readonly kind: 'ticket'; readonly id: string; readonly version: number };
  readonly lines: readonly ChangeLine[];
  /** Evidence ids. */
  readonly photos: readonly string[];
  readonly amount_cents: number;
  readonly nte_before_cents: number;
  readonly new_nte_cents: number;
  readonly decider: string;
  readonly requested_by: { readonly kind: string; readonly id: string };
  /** Persons who may not decide: whoever asked, and whoever works on it. Opaque ids, sorted. */
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
  const { caller, facts, now, nowText, tools } = context;
  const ticket = ticketOf(context);
  if (facts.approvals.some((a) => a.state === 'PENDING')) {
    refuse('invalid_state', { extra: { from_state: 'PENDING', allowed_from: [] } });
  }
  const amountCents = changeAmount(question.lines);
  if (amountCents <= 0) refuse('schema_mismatch', { extra: { fields: ['/lines'] } });
  const releasedBefore = releasedCents(ticket, facts.approvals);
  const proof = proofNeeded({
    kind: question.kind,
    amountCents,
    releasedBefore,
    baseNteCents: ticket.base_nte_cents,
    earlier: facts.approvals,
    now,
  });
  const cumulative = addCents(releasedBefore, amountCents);
  if (cumulative > TWO_DECIDERS_ABOVE_CENTS) refuse('assurance_required', { detail: 'two deciders needed' });
  const asker = need(facts.subject, 'subject');
  const notBy = [asker.person_id].sort();
  const decider = chooseDecider(
    facts.approvers,
    cumulative,
    { persons: notBy, contacts: ticket.requester_id === null ? [] : [ticket.requester_id] },
    now,
  );
  const after = changedTicket(context, { state: 'APPROVAL_REQUIRED', resume_state: ticket.state });
  const action: ApprovalAction = {
    approval_id: tools.newId(),
    tenant_id: caller.tenantId,
    account_id: ticket.account_id,
    kind: question.kind,
    reference: ticket.reference,
    target: { kind: 'ticket', id: ticket.id, version: after.version },
    lines: question.lines,
    photos: question.photos,
    amount_cents: amountCents,
    nte_before_cents: ticket.nte_cents,
    new_nte_cents: addCents(ticket.nte_cents, amountCents),
    decider: decider.contact_id,
    requested_by: { kind: asker.kind, id: asker.id },
    not_by: notBy,
    proof,
    policy_bundle: tools.policy.bundleHash,
    expires_at: later(context, question.expiresInMs),
  };
  const text = tools.canonicalJson(JSON.parse(JSON.stringify(action)));
  const row: ApprovalRow = {
    tenant_id: caller.tenantId,
    id: action.approval_id,
    version: 1,
    state: 'PENDING',
    ticket_id: ticket.id,
    account_id: ticket.account_id,
    kind: question.kind,
    requested_by_kind: asker.kind,
    requested_by_id: asker.id,
    lines: question.lines,
    photos: question.photos,
    amount_cents: action.amount_cents,
    nte_before_cents: action.nte_before_cents,
    new_nte_cents: action.new_nte_cents,
    proof_assurance: proof.assurance,
    deciders: proof.deciders,
    decider_id: decider.contact_id,
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
  const message = outbound(context, {
    contactId: decider.contact_id,
    // Never the requester's conversation: the decider reads it somewhere else.
    conversationId: null,
    ticket,
    template: 'M11',
    slots: { amount_cents: row.amount_cents, new_nte_cents: row.new_nte_cents },
    claim: { kind: 'approval_state', approval_id: row.id, state: 'PENDING' },
  });
  return {
    changes: {
      ticket: after,
      approval: row,
      timers: [{ id: tools.newId(), kind: 'approval.expire', target_id: row.id, due_at: row.expires_at }],
      messages: [message],
      links: [
        {
          purpose: 'approval',
          contact_id: decider.contact_id,
          object_id: row.id,
          expires_at: row.expires_at,
        },
      ],
    },
    details: {
      approval_id: row.id,
      kind: row.kind,
      amount_cents: row.amount_cents,
      new_nte_cents: row.new_nte_cents,
      proof: row.proof_assurance,
      deciders: row.deciders,
      action_digest: row.action_digest,
    },
    result: {
      approval_id: row.id,
      amount_cents: row.amount_cents,
      new_nte_cents: row.new_nte_cents,
      proof: row.proof_assurance,
      expires_at: row.expires_at,
    },
  };
}
