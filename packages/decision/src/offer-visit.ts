import type { Priority } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Changes } from './changes.ts';
import { requireEligible, timeWithin } from './eligible.ts';
import { later, need, ticketOf } from './need.ts';
import { EMERGENCY_BOOKING_MS, instantOf, visitOf, windowOf } from './options.ts';
import type { TicketRow, VisitRow } from './rows.ts';
import type { RuleContext } from './rule.ts';
import type { OptionRow } from './schedule-facts.ts';

const MINUTE_MS = 60_000;

/** How long a technician may think about an offer before a person looks for another. */
const ANSWER_WITHIN_MS: Readonly<Record<Priority, number>> = {
  EMERGENCY: 10 * MINUTE_MS,
  URGENT: 60 * MINUTE_MS,
  ROUTINE: 240 * MINUTE_MS,
};

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
  const answer_by = answerBy(context, Date.parse(option.window_from), Date.parse(option.window_to));
  const offered = newOffer(context, { technicianId, emergency: false, ...time, answer_by });
  return { ...offered, booking: { ...offered.booking, option_id: option.id } };
}

/** From this moment on. @throws DispatchError as `requireEligible` */
export function offerNow(context: RuleContext, technicianId: string): Offer {
  const endsMs = context.now + EMERGENCY_BOOKING_MS;
  requireEligible(context, technicianId, { startsMs: context.now, endsMs });
  const ends_at = later(context, EMERGENCY_BOOKING_MS);
  const answer_by = answerBy(context, context.now, endsMs);
  return newOffer(context, { technicianId, emergency: true, starts_at: context.nowText, ends_at, answer_by });
}

/**
 * What the priority gives, but no longer than until the window begins; in a window that has begun, until it is over.
 * It does not wait for desk hours: what comes of it is an entry in a list, which wakes nobody.
 */
function answerBy(context: RuleContext, fromMs: number, toMs: number): string {
  const priority = need(ticketOf(context).priority, 'priority');
  const latest = fromMs > context.now ? fromMs : toMs;
  return new Date(Math.min(context.now + ANSWER_WITHIN_MS[priority], latest)).toISOString();
}

function newOffer(
  context: RuleContext,
  trip: Pick<VisitRow, 'emergency' | 'starts_at' | 'ends_at' | 'answer_by'> & {
    readonly technicianId: string;
  },
): Offer {
  const { caller, tools } = context;
  const { technicianId: technician_id, emergency, starts_at, ends_at, answer_by } = trip;
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
    answer_by,
    escalated_at: null,
  };
  return { visit, booking: { visit_id: visit.id, technician_id, starts_at, ends_at } };
}

/** When somebody who has not arrived will not arrive in time any more, in milliseconds since the epoch. */
export function missedAt(visit: VisitRow, option: OptionRow | null): number {
  return Math.max(Date.parse(visit.ends_at), option === null ? 0 : Date.parse(option.window_to));
}

/**
 * The durable timers of a visit that nobody has arrived for: its own end, and while it is on offer the end of that.
 * @param option the agreed time; null for an emergency
 */
export function tripTimers(
  { tools }: RuleContext,
  ticket: TicketRow,
  visit: VisitRow,
  option: OptionRow | null,
): NonNullable<Changes['timers']> {
  const target_id = ticket.id;
  const miss = new Date(missedAt(visit, option)).toISOString();
  const isUnanswered = visit.state === 'OFFERED' && visit.answer_by !== null && visit.escalated_at === null;
  return [
    { id: tools.newId(), kind: 'visit.miss', target_id, due_at: miss },
    ...(isUnanswered
      ? [{ id: tools.newId(), kind: 'visit.escalate' as const, target_id, due_at: visit.answer_by }]
      : []),
  ];
}

/**
 * Time is up for an offer of which nobody was told yet.
 * @throws DispatchError `superseded` for a timer of another offer, and for every moment before
 */
export function requireUnanswered(context: RuleContext, visit: VisitRow): void {
  const due = Date.parse(visit.answer_by ?? '');
  const isDue = visit.escalated_at === null && context.now >= due;
  if (!isDue) refuse('superseded', { detail: 'not due, or told already' });
}
