import type { Priority } from '@deadlatch/catalogue';
import { type Interval, MINUTE_MS } from './interval.ts';
import type { ScheduleOption } from './options.ts';
import type { Place } from './travel.ts';
import type { Commitment } from './work.ts';

/** An option that was proposed, and the technician's time that waits for the answer. */
export interface Hold {
  readonly option_id: string;
  readonly ticket_id: string;
  readonly technician_id: string;
  readonly number: number;
  readonly window: Interval;
  readonly visit: Interval;
  /** The contact who was asked; null: nobody but dispatchers can take it. */
  readonly asked_contact_id: string | null;
  /** Milliseconds since the epoch. */
  readonly proposed_at: number;
  readonly held_until: number;
}

/** How long a proposal waits: an emergency's technician cannot be kept from others for an afternoon. */
export const HOLD_MS: Readonly<Record<Priority, number>> = {
  EMERGENCY: 15 * 60_000,
  URGENT: 60 * 60_000,
  ROUTINE: 4 * 60 * 60_000,
};

/** A choice that deterministic code made from a whole-message number or a tap on a link; each counts once. */
export interface Choice {
  readonly option_id: string;
  readonly contact_id: string;
  readonly made_at: number;
  readonly is_consumed: boolean;
}

/** Who confirms; that the ticket is theirs is the gate's to prove. */
export type Confirming =
  | { readonly as: 'requester'; readonly contact_id: string }
  | { readonly as: 'dispatcher' }
  | { readonly as: 'agent'; readonly choice: Choice | null };

export const HOLD_REFUSALS = [
  'not_proposed',
  'hold_expired',
  'not_asked',
  'no_choice',
  'choice_consumed',
  'choice_too_early',
] as const;
export type HoldRefusal = (typeof HOLD_REFUSALS)[number];

export type Confirmation =
  | { readonly confirmed: Hold; readonly released: readonly Hold[] }
  | { readonly refused: HoldRefusal };

/** Who is asked about which ticket, and when. */
export interface Proposal {
  readonly ticket_id: string;
  readonly contact_id: string | null;
  readonly priority: Priority;
  readonly now: number;
  readonly newId: () => string;
}

/** Holds for all options of one proposal: they end together. */
export function holdOptions(options: readonly ScheduleOption[], proposal: Proposal): readonly Hold[] {
  const { contact_id, newId, now, priority, ticket_id } = proposal;
  return options.map(({ number, technician_id, visit, window }) => ({
    option_id: newId(),
    ticket_id,
    technician_id,
    number,
    window,
    visit,
    asked_contact_id: contact_id,
    proposed_at: now,
    // A time that has begun can no longer be chosen, however long the answer may take.
    held_until: Math.min(now + HOLD_MS[priority], visit.from * MINUTE_MS),
  }));
}

/** @invariant a hold whose end cannot be read is over */
export function isHeld(hold: Hold, now: number): boolean {
  return Number.isFinite(hold.held_until) && now < hold.held_until;
}

/** What live holds take of a technician's time; expired ones take nothing. @param placeOf a ticket's site */
export function heldTime(
  holds: readonly Hold[],
  technicianId: string,
  now: number,
  placeOf: (ticketId: string) => Place,
): readonly Commitment[] {
  return holds
    .filter((hold) => hold.technician_id === technicianId && isHeld(hold, now))
    .map((hold) => ({ ...hold.visit, place: placeOf(hold.ticket_id) }));
}

/**
 * Whether somebody may take one of the options of a ticket: it was proposed for it, it is still held, and whoever
 * takes it was asked, or is a dispatcher, or brings a choice of whoever was asked.
 * @returns the hold that becomes a visit and those that are given back, or why not
 * @invariant an agent without a choice confirms nothing; a choice counts once, and only after the proposal
 * @source the domain: `schedule.confirm`; mistakes 11 and 31
 */
export function confirmHold(
  holds: readonly Hold[],
  asked: { readonly ticket_id: string; readonly option_id: string },
  who: Confirming,
  now: number,
): Confirmation {
  const ofTicket = holds.filter((hold) => hold.ticket_id === asked.ticket_id);
  const hold = ofTicket.find((one) => one.option_id === asked.option_id);
  if (hold === undefined) return { refused: 'not_proposed' };
  if (!isHeld(hold, now)) return { refused: 'hold_expired' };
  const refused = whyNotBy(hold, who, now);
  if (refused !== null) return { refused };
  return { confirmed: hold, released: ofTicket.filter((one) => one !== hold) };
}

function whyNotBy(hold: Hold, who: Confirming, now: number): HoldRefusal | null {
  switch (who.as) {
    case 'dispatcher':
      return null;
    case 'requester':
      return who.contact_id === hold.asked_contact_id ? null : 'not_asked';
    case 'agent': {
      const { choice } = who;
      if (choice === null || choice.option_id !== hold.option_id) return 'no_choice';
      if (choice.contact_id !== hold.asked_contact_id) return 'not_asked';
      if (choice.is_consumed !== false) return 'choice_consumed';
      const isAfter = choice.made_at >= hold.proposed_at && choice.made_at <= now;
      return isAfter ? null : 'choice_too_early';
    }
    default:
      return 'not_asked';
  }
}
