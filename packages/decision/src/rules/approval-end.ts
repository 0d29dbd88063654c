import type { ApprovalState, TicketState } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { confirmAs } from '../draft-message.ts';
import { changed, changedTicket, need, ticketOf } from '../need.ts';
import type { ApprovalRow, TicketRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';
import { NOT_HELD } from './ticket-pause.ts';

/**
 * Where work goes on once a question has an answer: where it paused, or with another trip when the technician has left
 * meanwhile.
 * @throws DispatchError `invalid_state` when the ticket is on hold for anything but this question
 */
export function resumed(
  context: RuleContext,
  state: TicketState,
): Pick<TicketRow, 'state' | keyof typeof NOT_HELD> {
  const before = ticketOf(context);
  if (before.state !== 'ON_HOLD') {
    const { hold_reason, hold_owner, hold_until } = before;
    return { state, resume_state: null, hold_reason, hold_owner, hold_until };
  }
  if (before.resume_state !== 'APPROVAL_REQUIRED') {
    refuse('invalid_state', { extra: { from_state: before.state, allowed_from: ['APPROVAL_REQUIRED'] } });
  }
  return { state: 'READY_TO_SCHEDULE', ...NOT_HELD };
}

/** A question that ends without a yes: work goes on where it paused, with what was allowed before. */
function end(
  context: RuleContext,
  state: Extract<ApprovalState, 'WITHDRAWN' | 'EXPIRED'>,
): { readonly ticket: TicketRow; readonly approval: ApprovalRow } {
  const approval = need(context.facts.approval, 'approval');
  return {
    ticket: changedTicket(context, {
      ...resumed(context, approval.resume_denied),
      scope_capped: true,
    }),
    approval: changed(approval, { state }),
  };
}

export const APPROVAL_WITHDRAW = rule<Record<string, never>>('approval.withdraw', {
  run: (context) => {
    const changes = end(context, 'WITHDRAWN');
    return { changes, details: { approval_id: changes.approval.id } };
  },
});

/**
 * Nobody decided in time.
 * @invariant never approves, and never before it is due by database time
 */
export const APPROVAL_EXPIRE = rule<Record<string, never>>('approval.expire', {
  run: (context) => {
    const due = Date.parse(need(context.facts.approval, 'approval').expires_at);
    if (!(context.now >= due)) refuse('not_due');
    const { ticket, approval } = end(context, 'EXPIRED');
    return {
      changes: {
        ticket,
        approval,
        tasks: [{ kind: 'approval_expired', ticket_id: ticket.id }],
        ...confirmAs(
          context,
          ticket,
          'M12',
          { kind: 'approval_state', approval_id: approval.id, state: 'EXPIRED' },
          { result: 'EXPIRED', nte_cents: ticket.nte_cents },
        ),
      },
      details: { approval_id: approval.id },
    };
  },
});
