import type { FreeTextRef } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { confirm } from '../draft-message.ts';
import { requireState } from '../gate/state.ts';
import { changed, changedTicket, endOfTopic, ticketOf } from '../need.ts';
import { tripTimers } from '../offer-visit.ts';
import { agreedOption } from '../options.ts';
import type { TicketRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';

/** No pause without an end, and none that is as good as endless. */
const MAX_HOLD_MS = 90 * 24 * 60 * 60 * 1000;

interface HoldInput {
  readonly reason: string;
  readonly owner: string;
  readonly hold_until: string;
  readonly note?: FreeTextRef;
}

/** A ticket that is not on hold. */
export const NOT_HELD = {
  resume_state: null,
  hold_reason: null,
  hold_owner: null,
  hold_until: null,
} as const;

/** The ticket on hold, remembering exactly where it stood. */
export function held(
  context: RuleContext,
  hold: { readonly reason: string; readonly owner: string; readonly hold_until: string },
): TicketRow {
  return changedTicket(context, {
    state: 'ON_HOLD',
    resume_state: ticketOf(context).state,
    hold_reason: hold.reason,
    hold_owner: hold.owner,
    hold_until: hold.hold_until,
  });
}

/** @throws DispatchError `schema_mismatch` for an end that is over already, or as good as none */
export function requireEnd(holdUntil: string, now: number): void {
  const until = Date.parse(holdUntil);
  if (!(until > now && until <= now + MAX_HOLD_MS)) {
    refuse('schema_mismatch', { extra: { fields: ['/hold_until'] } });
  }
}

export const HOLD = rule<HoldInput>('ticket.hold', {
  run: (context) => {
    const { input, now } = context;
    requireEnd(input.hold_until, now);
    const ticket = held(context, input);
    return {
      changes: { ticket, ...confirm(context, ticket, 'M13') },
      details: {
        reason: input.reason,
        owner: input.owner,
        hold_until: input.hold_until,
        note_text_id: input.note?.text_id ?? null,
      },
    };
  },
});

export const RESUME = rule<{ readonly return_trip?: 'yes' | 'no' }>('ticket.resume', {
  run: (context) => {
    const { facts } = context;
    const before = ticketOf(context);
    // Whoever waits for an answer goes on with the answer, or with the question withdrawn.
    if (before.resume_state === null || facts.approvals.some((a) => a.state === 'PENDING')) {
      refuse('invalid_state', { extra: { from_state: before.state, allowed_from: [] } });
    }
    // Nobody is on the job any more, so it goes on with another trip.
    if (context.input.return_trip !== 'yes' && facts.visit !== null) {
      const ticket = changedTicket(context, { ...NOT_HELD, state: before.resume_state });
      if (ticket.state !== 'DISPATCHED') return { changes: { ticket } };
      // What came due while the ticket was held found nothing to do and was given up.
      const option = facts.visit.emergency ? null : agreedOption(context);
      return { changes: { ticket, timers: tripTimers(context, ticket, facts.visit, option) } };
    }
    const ticket = changedTicket(context, { ...NOT_HELD, state: 'READY_TO_SCHEDULE' });
    if (facts.visit === null) return { changes: { ticket }, details: { return_trip: true } };
    // Another trip is another visit: this one is over and its technician is free.
    const visit = requireState('visit', 'ticket.resume', facts.visit);
    return {
      changes: {
        ticket,
        visit: changed(visit, { state: visit.state === 'ON_SITE' ? 'CHECKED_OUT' : 'CANCELLED' }),
        release_booking_of: visit.id,
      },
      details: { return_trip: true, visit_id: visit.id },
    };
  },
});

interface CancelInput {
  readonly reason: string;
  readonly note?: FreeTextRef;
}

/** Ends the promise, and with it the trip that was offered and the question that was asked. */
export const CANCEL = rule<CancelInput>('ticket.cancel', {
  guard: ({ facts }) => {
    if (facts.visit !== null) requireState('visit', 'ticket.cancel', facts.visit);
  },
  run: (context) => {
    const { acting, facts, input } = context;
    // A requester asks, and a dispatcher does it: somebody may be on the way already.
    if (acting.kind === 'person' && acting.role === 'requester') {
      return {
        changes: { tasks: [{ kind: 'cancel_requested', ticket_id: ticketOf(context).id }] },
        details: { asked: true, reason: input.reason, note_text_id: input.note?.text_id ?? null },
        result: { asked: true },
      };
    }
    const pending = facts.approvals.filter((a) => a.state === 'PENDING');
    const [approval] = pending;
    if (pending.length > 1) refuse('unavailable', { detail: 'more than one open question' });
    // Waiting for an approver means there is a question; without it something else is wrong.
    if (approval === undefined && ticketOf(context).state === 'APPROVAL_REQUIRED') {
      refuse('unavailable', { detail: 'no open question' });
    }
    const ticket = changedTicket(context, { state: 'CANCELLED', resume_state: null });
    return {
      changes: {
        ticket,
        ...(facts.visit === null
          ? {}
          : {
              visit: changed(facts.visit, { state: 'CANCELLED' }),
              release_booking_of: facts.visit.id,
            }),
        ...(approval === undefined ? {} : { approval: changed(approval, { state: 'VOID' }) }),
        ...endOfTopic(context, ticket),
        ...confirm(context, ticket, 'M18'),
      },
      details: { reason: input.reason, note_text_id: input.note?.text_id ?? null },
    };
  },
});
