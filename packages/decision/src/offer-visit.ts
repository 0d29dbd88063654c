import type { Changes } from './changes.ts';
import { requireEligible, timeWithin } from './eligible.ts';
import { later, need, ticketOf } from './need.ts';
import { EMERGENCY_BOOKING_MS, instantOf, visitOf, windowOf } from './options.ts';
import type { TicketRow, VisitRow } from './rows.ts';
import type { RuleContext } from './rule.ts';
import type { OptionRow } from './schedule-facts.ts';

/** A visit and the technician's time for it: neither is ever made without the other. */
type Offer = Required<Pick<Changes, 'visit' | 'booking'>>;

/**
 * The agreed time, for whoever may do the work in it: exactly as it is held if it is held for them.
 * @throws DispatchError as `requireEligible`
 */
export function offer(context: RuleContext, technicianId: string, option: OptionRow): Offer {
  const held = option.technician_id === technicianId ? visitOf(option) : null;
  const { visit } = timeWithin(context, technicianId, windowOf(option), held);
  const time = { starts_at: instantOf(visit.from), ends_at: instantOf(visit.to) };
  const offered = newOffer(context, { technicianId, emergency: false, ...time });
  return { ...offered, booking: { ...offered.booking, option_id: option.id } };
}

/** From this moment on. @throws DispatchError as `requireEligible` */
export function offerNow(context: RuleContext, technicianId: string): Offer {
  const endsMs = context.now + EMERGENCY_BOOKING_MS;
  requireEligible(context, technicianId, { startsMs: context.now, endsMs });
  const ends_at = later(context, EMERGENCY_BOOKING_MS);
  return newOffer(context, { technicianId, emergency: true, starts_at: context.nowText, ends_at });
}

function newOffer(
  context: RuleContext,
  trip: Pick<VisitRow, 'emergency' | 'starts_at' | 'ends_at'> & { readonly technicianId: string },
): Offer {
  const { caller, tools } = context;
  const { technicianId: technician_id, emergency, starts_at, ends_at } = trip;
  const visit: VisitRow = {
    tenant_id: caller.tenantId,
    id: tools.newId(),
    version: 1,
    state: 'OFFERED',
    ticket_id: ticketOf(context).id,
    technician_id,
    emergency,
    starts_at,
    ends_at,
    // A turn of the system has nobody behind it but the agent.
    offered_by: caller.agent?.role ?? need(caller.subject.id, 'subject id'),
    checked_in_at: null,
    claimed_time: null,
    claimed_lat_e6: null,
    claimed_lon_e6: null,
    started_at: null,
  };
  return { visit, booking: { visit_id: visit.id, technician_id, starts_at, ends_at } };
}

/** When somebody who has not arrived will not arrive in time any more, in milliseconds since the epoch. */
export function missedAt(visit: VisitRow, option: OptionRow | null): number {
  return Math.max(Date.parse(visit.ends_at), option === null ? 0 : Date.parse(option.window_to));
}

/** The durable timer of an offered visit. @param option the agreed time; null for an emergency */
export function missTimer(
  { tools }: RuleContext,
  ticket: TicketRow,
  visit: VisitRow,
  option: OptionRow | null,
): NonNullable<Changes['timers']>[number] {
  return {
    id: tools.newId(),
    kind: 'visit.miss',
    target_id: ticket.id,
    due_at: new Date(missedAt(visit, option)).toISOString(),
  };
}
