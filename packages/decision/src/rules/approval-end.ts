import type { ApprovalState } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { confirmAs } from '../draft-message.ts';
import { changed, changedTicket, need } from '../need.ts';
import type { ApprovalRow, TicketRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';

/** A question that ends without a yes: work goes on where it paused, with what was allowed before. */
function end(
  context: RuleContext,
  state: Extract<ApprovalState, 'WITHDRAWN' | 'EXPIRED'>,
): { readonly ticket: TicketRow; readonly approval: ApprovalRow } {
  const approval = need(context.facts.approval, 'approval');
  return {
    ticket: changedTicket(context, {
      state: approval.resume_denied,
      resume_state: null,
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
