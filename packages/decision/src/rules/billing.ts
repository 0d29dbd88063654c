import { TERMINAL_VISIT_STATES } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Changes } from '../changes.ts';
import { chargedLines, totalCents } from '../costs.ts';
import { confirm } from '../draft-message.ts';
import { requireState, requireStateIn } from '../gate/state.ts';
import { changed, changedTicket, contractOf, endOfTopic, later, need, ticketOf } from '../need.ts';
import type { InvoiceRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';

type Nothing = Record<string, never>;

/** Parts, time at the contract's rate, one trip; never above the NTE. */
export const GENERATE_INVOICE = rule<Nothing>('billing.generate_invoice', {
  guard: ({ facts }) => {
    if (facts.invoice !== null) requireStateIn(facts.invoice, ['VOID']);
    const isTripOver =
      facts.visit === null || (TERMINAL_VISIT_STATES as readonly string[]).includes(facts.visit.state);
    const open = facts.approvals.find((a) => a.state === 'PENDING');
    if (!isTripOver || open !== undefined) {
      refuse('invalid_state', {
        extra: { from_state: open?.state ?? facts.visit?.state ?? null, allowed_from: [] },
      });
    }
  },
  run: (context) => {
    const { caller, facts, tools } = context;
    const before = ticketOf(context);
    const lines = chargedLines(before, facts.costs, contractOf(context));
    const total = totalCents(lines);
    if (!(total <= before.nte_cents)) {
      refuse('nte_exceeded', { extra: { cost_cents: total, nte_cents: before.nte_cents } });
    }
    const invoice: InvoiceRow = {
      tenant_id: caller.tenantId,
      id: tools.newId(),
      version: 1,
      state: 'DRAFT',
      ticket_id: before.id,
      account_id: before.account_id,
      lines,
      total_cents: total,
      nte_cents: before.nte_cents,
      issued_at: null,
      paid_at: null,
      payment_method: null,
    };
    return {
      changes: { ticket: changedTicket(context, { state: 'INVOICED' }), invoice },
      details: { invoice_id: invoice.id, total_cents: total, nte_cents: before.nte_cents },
      result: { invoice_id: invoice.id, total_cents: total },
    };
  },
});

function closeTimer(context: RuleContext, waitMs: number): Pick<Changes, 'timers'> {
  const due = later(context, waitMs);
  const ticketId = ticketOf(context).id;
  return { timers: [{ id: context.tools.newId(), kind: 'ticket.close', target_id: ticketId, due_at: due }] };
}

export const ISSUE = rule<Nothing>('billing.issue', {
  guard: ({ facts }) => {
    requireState('invoice', 'billing.issue', facts.invoice);
  },
  run: (context) => {
    const invoice = changed(need(context.facts.invoice, 'invoice'), {
      state: 'ISSUED',
      issued_at: context.nowText,
    });
    const ticket = changedTicket(context, {});
    return {
      changes: {
        ticket,
        invoice,
        ...(contractOf(context).close_when_issued === true
          ? closeTimer(context, CLOSES_AFTER_MS.ISSUED)
          : {}),
        ...confirm(context, ticket, 'M17', { total_cents: invoice.total_cents }),
      },
      details: { invoice_id: invoice.id, total_cents: invoice.total_cents },
    };
  },
});

interface PaymentInput {
  readonly amount_cents: number;
  readonly method: string;
}

/** In full, or not at all. */
export const RECORD_PAYMENT = rule<PaymentInput>('payment.record', {
  guard: ({ facts }) => {
    requireState('invoice', 'payment.record', facts.invoice);
  },
  run: (context) => {
    const before = need(context.facts.invoice, 'invoice');
    const { amount_cents: amountCents, method } = context.input;
    if (amountCents !== before.total_cents) {
      refuse('policy_denied', { extra: { total_cents: before.total_cents }, detail: 'not the total' });
    }
    const invoice = changed(before, {
      state: 'PAID',
      paid_at: context.nowText,
      payment_method: method,
    });
    return {
      changes: {
        ticket: changedTicket(context, {}),
        invoice,
        ...closeTimer(context, CLOSES_AFTER_MS.PAID),
      },
      details: { invoice_id: invoice.id, amount_cents: amountCents, method },
    };
  },
});

/** How long a ticket stays open for a person to end it: paid, or issued where the contract asks for no more. */
const CLOSES_AFTER_MS = { PAID: 24 * 60 * 60 * 1000, ISSUED: 14 * 24 * 60 * 60 * 1000 } as const;

/** @throws DispatchError `not_due` for a timer that comes before its time by the database's clock */
export const CLOSE = rule<Nothing>('ticket.close', {
  guard: (context) => {
    const allowed = contractOf(context).close_when_issued === true ? ['PAID', 'ISSUED'] : ['PAID'];
    const invoice = requireStateIn(context.facts.invoice, allowed);
    if (context.acting.kind === 'person') return;
    const [since, wait] =
      invoice.state === 'PAID'
        ? [invoice.paid_at, CLOSES_AFTER_MS.PAID]
        : [invoice.issued_at, CLOSES_AFTER_MS.ISSUED];
    if (!(context.now >= Date.parse(since ?? '') + wait)) refuse('not_due');
  },
  run: (context) => {
    const ticket = changedTicket(context, { state: 'CLOSED' });
    return { changes: { ticket, ...endOfTopic(context, ticket) } };
  },
});
