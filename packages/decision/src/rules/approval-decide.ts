import { type Assurance, assuranceRank } from '@deadlatch/catalogue';
import { addCents, refuse } from '@deadlatch/kernel';
import { isProvable, isSettled, releasedCents } from '../approval-terms.ts';
import { confirmAs } from '../draft-message.ts';
import { membershipsAt } from '../gate/memberships-at.ts';
import { changed, changedTicket, need, ticketOf } from '../need.ts';
import type { ApprovalRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';
import { resumed } from './approval-end.ts';

interface Input {
  readonly decision: 'APPROVE' | 'DENY';
  readonly action_digest: string;
}

/**
 * Money is released here and nowhere else.
 * @invariant the digest of the token, of the body and of the row are one; the row's digest is that of its bytes
 * @invariant decided by the contact whom those bytes name, who neither asked, nor opened the ticket, nor works on it
 * @invariant approving consumes the approval and raises the NTE in the same change
 * @source T3.1, T3.2, T3.4, T3.5, T3.6
 */
export const APPROVAL_DECIDE = rule<Input>('approval.decide', {
  guard: (context) => {
    const approval = need(context.facts.approval, 'approval');
    if (!(context.now < Date.parse(approval.expires_at))) {
      refuse('invalid_state', { extra: { from_state: 'EXPIRED', allowed_from: ['PENDING'] } });
    }
  },
  proof: (context) => {
    const level: Assurance = need(context.facts.approval, 'approval').proof_assurance;
    return assuranceRank(level) < 2 ? 'L3' : level;
  },
  isInvolved,
  run: (context) => {
    const approval = need(context.facts.approval, 'approval');
    requireDigest(context, approval);
    requireProvable(approval);
    requireLimit(context, approval);
    const before = ticketOf(context);
    const isApproved = context.input.decision === 'APPROVE';
    if (
      before.nte_cents !== approval.nte_before_cents ||
      approval.new_nte_cents !== addCents(approval.nte_before_cents, approval.amount_cents)
    ) {
      refuse('superseded', { detail: 'the NTE is not the one that was asked about' });
    }
    const ticket = changedTicket(context, {
      ...resumed(context, isApproved ? approval.resume_approved : approval.resume_denied),
      nte_cents: isApproved ? approval.new_nte_cents : before.nte_cents,
      scope_capped: !isApproved,
    });
    const row = changed(approval, {
      state: isApproved ? 'CONSUMED' : 'DENIED',
      decided_by: context.caller.subject.id,
      decided_at: context.nowText,
    });
    return {
      changes: {
        ticket,
        approval: row,
        ...confirmAs(
          context,
          ticket,
          'M12',
          { kind: 'approval_state', approval_id: row.id, state: row.state },
          { result: isApproved ? 'APPROVED' : 'DENIED', nte_cents: ticket.nte_cents },
        ),
      },
      details: {
        approval_id: row.id,
        decision: context.input.decision,
        amount_cents: row.amount_cents,
        nte_cents: ticket.nte_cents,
        action_digest: row.action_digest,
      },
      result: { approval_id: row.id, state: row.state, nte_cents: ticket.nte_cents },
    };
  },
});

function requireDigest({ caller, input, tools }: RuleContext<Input>, approval: ApprovalRow): void {
  const { actionDigest } = caller.context;
  if (
    actionDigest === null ||
    actionDigest !== approval.action_digest ||
    input.action_digest !== approval.action_digest ||
    tools.sha256Base64Url(approval.action) !== approval.action_digest ||
    readAction(approval.action).decider !== approval.decider_id
  ) {
    refuse('digest_mismatch');
  }
}

/**
 * L3 is refused whatever the token claims: only a passkey assertion that this service has verified itself may
 * count as L3 (a taken-over identity service must not be able to release money), and there are no passkeys yet.
 * Two deciders are refused for the same reason: half an approval would have to be kept somewhere.
 */
function requireProvable(approval: ApprovalRow): void {
  if (!isProvable(approval.proof_assurance) || approval.deciders !== 1) {
    refuse('assurance_required', { extra: { required: approval.proof_assurance } });
  }
}

/** The limit on file now, for this site, against everything released on this ticket. */
function requireLimit(context: RuleContext<Input>, approval: ApprovalRow): void {
  const { facts, now } = context;
  const ticket = ticketOf(context);
  const others = facts.approvals.filter((a) => a.id !== approval.id);
  const cumulative = addCents(releasedCents(ticket, others), approval.amount_cents);
  const covering = membershipsAt(facts, ticket.account_id, ticket.site_id).filter(
    (m) => m.may_approve === true && m.approval_limit_cents >= cumulative,
  );
  if (covering.length === 0) refuse('limit_exceeded');
  if (!covering.some((m) => isSettled(m.changed_at, now))) refuse('cooling_off');
}

/**
 * Asked it, opened the ticket, or works on it. A person who cannot be compared counts as involved.
 */
function isInvolved(context: RuleContext<Input>): boolean {
  const { facts } = context;
  const { subject, approval, ticket, requester_person_id: openedBy, visit, technician } = facts;
  if (subject === null || approval === null || ticket === null) return true;
  if (subject.id === approval.requested_by_id || subject.id === ticket.requester_id) return true;
  const { notBy } = readAction(approval.action);
  if (notBy.length === 0 || notBy.includes(subject.person_id)) return true;
  // The opener may be another contact of the same person.
  if (ticket.requester_id !== null && (openedBy === null || openedBy === subject.person_id)) return true;
  if (visit === null) return false;
  // Whoever asked is among the persons compared already.
  if (approval.requested_by_kind === 'technician' && approval.requested_by_id === visit.technician_id) {
    return false;
  }
  return (
    technician === null || technician.id !== visit.technician_id || technician.person_id === subject.person_id
  );
}

/** Who was asked and who may not decide, as the action says that was signed; nobody when it cannot be read. */
function readAction(action: string): { readonly decider: string | null; readonly notBy: readonly string[] } {
  const value: unknown = JSON.parse(action);
  if (typeof value !== 'object' || value === null) return { decider: null, notBy: [] };
  const decider = Object.hasOwn(value, 'decider') ? (value as { decider: unknown }).decider : null;
  const notBy = Object.hasOwn(value, 'not_by') ? (value as { not_by: unknown }).not_by : null;
  return {
    decider: typeof decider === 'string' ? decider : null,
    notBy: Array.isArray(notBy) && notBy.every((p): p is string => typeof p === 'string') ? notBy : [],
  };
}
