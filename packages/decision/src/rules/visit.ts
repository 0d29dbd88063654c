import type { FreeTextRef } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { isWithinDeskHours } from '../desk-hours.ts';
import { confirm } from '../draft-message.ts';
import { requireEligible } from '../eligible.ts';
import { requireState } from '../gate/state.ts';
import { changed, changedTicket, contractOf, later, need, ticketOf } from '../need.ts';
import type { VisitRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';

/** How long an emergency books its technician. */
const EMERGENCY_BOOKING_MS = 4 * 60 * 60 * 1000;

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
  },
  run: (context) => {
    const { caller, facts, input, now, nowText, tools } = context;
    if (ticketOf(context).priority !== 'EMERGENCY') refuse('policy_denied', { detail: 'not an emergency' });
    // Outside desk hours a supervisor has to sign too; there is no co-signing yet, so nobody can.
    if (!isWithinDeskHours(contractOf(context).desk_hours, now, facts.site?.time_zone)) {
      refuse('after_hours');
    }
    const technician = requireEligible(context, input.technician_id, {
      startsMs: now,
      endsMs: now + EMERGENCY_BOOKING_MS,
    });
    const ticket = changedTicket(context, { state: 'DISPATCHED' });
    const visit: VisitRow = {
      tenant_id: caller.tenantId,
      id: tools.newId(),
      version: 1,
      state: 'OFFERED',
      ticket_id: ticket.id,
      technician_id: technician.id,
      emergency: true,
      starts_at: nowText,
      ends_at: later(context, EMERGENCY_BOOKING_MS),
      offered_by: need(caller.subject.id, 'subject id'),
      checked_in_at: null,
      claimed_time: null,
      claimed_lat_e6: null,
      claimed_lon_e6: null,
      started_at: null,
    };
    return {
      changes: {
        ticket,
        visit,
        booking: {
          visit_id: visit.id,
          technician_id: technician.id,
          starts_at: visit.starts_at,
          ends_at: visit.ends_at,
        },
        ...confirm(context, ticket, 'M06', { state: ticket.state }),
      },
      details: {
        visit_id: visit.id,
        technician_id: technician.id,
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
