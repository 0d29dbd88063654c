import type { FreeTextRef } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { isWithinDeskHours } from '../desk-hours.ts';
import { confirm } from '../draft-message.ts';
import { requireState } from '../gate/state.ts';
import { changed, changedTicket, contractOf, need } from '../need.ts';
import { offerNow, tripTimers } from '../offer-visit.ts';
import { type RuleContext, rule } from '../rule.ts';

interface DispatchInput {
  readonly technician_id: string;
  readonly reason: string;
  readonly note?: FreeTextRef;
}

/** Skips the proposal, never the evidence. */
export const DISPATCH_EMERGENCY = rule<DispatchInput>('visit.dispatch_emergency', {
  guard: ({ facts }) => {
    if (facts.visit !== null) {
      refuse('invalid_state', { extra: { from_state: facts.visit.state, allowed_from: [] } });
    }
    if (facts.ticket?.priority !== 'EMERGENCY') refuse('policy_denied', { detail: 'not an emergency' });
  },
  run: (context) => {
    const { facts, input, now } = context;
    // Outside desk hours a supervisor has to sign too; there is no co-signing yet, so nobody can.
    if (!isWithinDeskHours(contractOf(context).desk_hours, now, facts.site?.time_zone)) {
      refuse('after_hours');
    }
    const { visit, booking } = offerNow(context, input.technician_id);
    const ticket = changedTicket(context, { state: 'DISPATCHED' });
    return {
      changes: {
        ticket,
        visit,
        booking,
        // A time that was agreed is overtaken, and whoever it was held for is free.
        end_options_of: ticket.id,
        timers: tripTimers(context, ticket, visit, null),
        ...confirm(context, ticket, 'M06', { state: ticket.state }),
      },
      details: {
        visit_id: visit.id,
        technician_id: visit.technician_id,
        reason: input.reason,
        note_text_id: input.note?.text_id ?? null,
      },
      result: { visit_id: visit.id },
    };
  },
});

export const ACCEPT = rule<Record<string, never>>('visit.accept', {
  guard: requireVisit('visit.accept'),
  run: (context) => {
    const visit = changed(need(context.facts.visit, 'visit'), { state: 'ACCEPTED' });
    return {
      changes: { ticket: changedTicket(context, {}), visit },
      details: { visit_id: visit.id },
    };
  },
});

export const DEPART = rule<Record<string, never>>('visit.depart', {
  guard: requireVisit('visit.depart'),
  run: (context) => {
    const visit = changed(need(context.facts.visit, 'visit'), { state: 'EN_ROUTE' });
    const ticket = changedTicket(context, {});
    return {
      changes: { ticket, visit, ...confirm(context, ticket, 'M08') },
      details: { visit_id: visit.id },
    };
  },
});

interface CheckInInput {
  readonly client_time?: string;
  readonly position?: { readonly lat_e6: number; readonly lon_e6: number };
}

/** Arrival by server time. What the device says is kept beside it, as a claim. */
export const CHECK_IN = rule<CheckInInput>('tech.check_in', {
  guard: requireVisit('tech.check_in'),
  run: (context) => {
    const { input, now, nowText } = context;
    const visit = changed(need(context.facts.visit, 'visit'), {
      state: 'ON_SITE',
      checked_in_at: nowText,
      claimed_time: input.client_time ?? null,
      claimed_lat_e6: input.position?.lat_e6 ?? null,
      claimed_lon_e6: input.position?.lon_e6 ?? null,
    });
    const ticket = changedTicket(context, { state: 'ON_SITE' });
    const skewS =
      input.client_time === undefined ? null : Math.round((Date.parse(input.client_time) - now) / 1000);
    return {
      changes: { ticket, visit, ...confirm(context, ticket, 'M10', { state: ticket.state }) },
      details: { visit_id: visit.id, clock_skew_s: skewS },
    };
  },
});

/** The visit must stand where the command's own edge starts. */
export function requireVisit(command: string): (context: RuleContext) => void {
  return ({ facts }) => {
    requireState('visit', command, facts.visit);
  };
}
