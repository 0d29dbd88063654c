import type { DECLINE_REASONS } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { confirm } from '../draft-message.ts';
import { requireState } from '../gate/state.ts';
import { changed, changedTicket, need } from '../need.ts';
import { missedAt, offer, offerNow, requireUnanswered, tripTimers } from '../offer-visit.ts';
import { agreedOption } from '../options.ts';
import { type RuleContext, rule } from '../rule.ts';
import type { OptionRow } from '../schedule-facts.ts';

/** The agreed time, as a visit of whoever may do it in it. */
export const DISPATCH = rule<{ readonly technician_id?: string }>('visit.dispatch', {
  guard: ({ acting, facts }) => {
    if (facts.visit !== null) {
      refuse('invalid_state', { extra: { from_state: facts.visit.state, allowed_from: [] } });
    }
    // Anything more urgent is sent by a person, at every level.
    if (acting.kind === 'agent' && facts.ticket?.priority !== 'ROUTINE') refuse('autonomy_denied');
  },
  run: (context) => {
    const option = agreed(context);
    // An agent names nobody: it sends whom the time is held for.
    const { visit, booking } = offer(context, context.input.technician_id ?? option.technician_id, option);
    const ticket = changedTicket(context, { state: 'DISPATCHED' });
    return {
      changes: {
        ticket,
        visit,
        booking,
        timers: tripTimers(context, ticket, visit, option),
        ...confirm(context, ticket, 'M06', { state: ticket.state }),
      },
      details: { visit_id: visit.id, technician_id: visit.technician_id, option_id: option.id },
      result: { visit_id: visit.id },
    };
  },
});

/** Somebody else in the same time; for an emergency, from now on. */
export const REASSIGN = rule<{ readonly technician_id: string }>('visit.reassign', {
  guard: ({ facts }) => {
    requireState('visit', 'visit.reassign', facts.visit);
  },
  run: (context) => {
    const old = need(context.facts.visit, 'visit');
    const id = context.input.technician_id;
    if (id === old.technician_id) refuse('policy_denied', { detail: 'has the visit already' });
    const option = old.emergency ? null : agreed(context);
    const { visit, booking } = option === null ? offerNow(context, id) : offer(context, id, option);
    const ticket = changedTicket(context, {});
    return {
      changes: {
        ticket,
        cancelled_visit: changed(old, { state: 'CANCELLED' }),
        release_booking_of: old.id,
        visit,
        booking,
        timers: tripTimers(context, ticket, visit, option),
        // There is no channel to technicians yet but a person.
        tasks: [{ kind: 'technician_to_tell', ticket_id: ticket.id }],
      },
      details: { visit_id: visit.id, technician_id: visit.technician_id, cancelled_visit_id: old.id },
      result: { visit_id: visit.id },
    };
  },
});

/** The promise to the customer stands: the agreed time goes to somebody else. An emergency is found anew. */
export const DECLINE = rule<{ readonly reason: (typeof DECLINE_REASONS)[number] }>('visit.decline', {
  guard: ({ facts }) => {
    requireState('visit', 'visit.decline', facts.visit);
  },
  run: (context) => {
    const visit = changed(need(context.facts.visit, 'visit'), { state: 'DECLINED' });
    const ticket = changedTicket(context, { state: visit.emergency ? 'READY_TO_SCHEDULE' : 'SCHEDULED' });
    return {
      changes: {
        ticket,
        visit,
        release_booking_of: visit.id,
        tasks: [{ kind: 'visit_declined', ticket_id: ticket.id }],
      },
      details: { visit_id: visit.id, reason: context.input.reason },
    };
  },
});

/**
 * Nobody took the offer in the time that its priority gives: a person looks. The offer stands meanwhile.
 * @invariant never before its time by database time, whoever fires, and once for each offer
 */
export const ESCALATE = rule<Record<string, never>>('visit.escalate', {
  guard: (context) => {
    requireUnanswered(context, requireState('visit', 'visit.escalate', context.facts.visit));
  },
  run: (context) => {
    const visit = changed(need(context.facts.visit, 'visit'), { escalated_at: context.nowText });
    return {
      changes: { visit, tasks: [{ kind: 'offer_unanswered', ticket_id: visit.ticket_id }] },
      details: { visit_id: visit.id, technician_id: visit.technician_id, answer_by: visit.answer_by },
    };
  },
});

/**
 * Nobody arrived, or nobody even took the visit.
 * @invariant never before the agreed time is over by database time, whoever fires
 */
export const MISS = rule<Record<string, never>>('visit.miss', {
  guard: ({ facts }) => {
    requireState('visit', 'visit.miss', facts.visit);
  },
  run: (context) => {
    const before = need(context.facts.visit, 'visit');
    const schedule = need(context.facts.schedule, 'schedule');
    const option = before.emergency ? null : agreedOption({ facts: { ...context.facts, schedule } });
    // The timer of a visit that another took the place of.
    if (!(context.now >= missedAt(before, option))) refuse('superseded', { detail: 'not over' });
    // What nobody took was never anybody's to miss.
    const visit = changed(before, { state: before.state === 'OFFERED' ? 'CANCELLED' : 'MISSED' });
    const ticket = changedTicket(context, { state: 'READY_TO_SCHEDULE' });
    return {
      changes: {
        ticket,
        visit,
        release_booking_of: visit.id,
        tasks: [{ kind: 'visit_missed', ticket_id: ticket.id }],
        ...confirm(context, ticket, 'M09'),
      },
      details: { visit_id: visit.id, owner: 'PROVIDER' },
    };
  },
});

function agreed(context: RuleContext): OptionRow {
  return agreedOption(context) ?? refuse('superseded', { detail: 'no agreed time' });
}
