import type { Priority } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import {
  type Hold,
  type HoldRefusal,
  holdOptions,
  type Interval,
  isHeld,
  MINUTE_MS,
  MINUTES_PER_DAY,
  optionsFor,
  outwards,
  type Recommendations,
  recommend,
} from '@deadlatch/scheduling';
import { type Asking, boardFor, notEligible, recommendNow, recommendWithin } from './eligible.ts';
import { need } from './need.ts';
import type { ChoiceRow, OptionRow } from './schedule-facts.ts';

/** Nobody is offered a time that begins before an answer can be read and somebody be sent. */
const LEAD_MINUTES: Readonly<Record<Priority, number>> = { ROUTINE: 120, URGENT: 60, EMERGENCY: 30 };
/** How long an emergency books its technician. */
export const EMERGENCY_BOOKING_MS = 4 * 60 * 60 * 1000;
/** Within the days that the calendar knows of. */
const OFFERED_DAYS = 10;

/**
 * One to three times for the ticket, held for its requester.
 * @throws DispatchError `double_booking` or `not_eligible` with the reasons when nobody can come; `unavailable`
 * @invariant chosen by the engine from facts: nothing of a time comes from a caller
 */
export function newOptions(asking: Asking): readonly OptionRow[] {
  const ticket = need(asking.facts.ticket, 'ticket');
  const priority = need(ticket.priority, 'priority');
  const { board, job } = boardFor(asking, asking.facts.roster);
  const starts_within = offeredWithin(asking, priority);
  const options = optionsFor(board, { ...job, starts_within });
  if (options.length === 0) {
    const { refused } = recommend(board, job, starts_within);
    notEligible(refused.flatMap(({ reasons }) => reasons).filter(isFirst));
  }
  const proposal = {
    ticket_id: ticket.id,
    contact_id: ticket.requester_id,
    priority,
    now: asking.now,
    newId: asking.tools.newId,
  };
  return holdOptions(options, proposal).map(toRow);
}

function isFirst<T extends { readonly reason: string }>(one: T, at: number, all: readonly T[]): boolean {
  return all.findIndex(({ reason }) => reason === one.reason) === at;
}

function toRow(hold: Hold): OptionRow {
  return {
    id: hold.option_id,
    ticket_id: hold.ticket_id,
    number: hold.number,
    window_from: instantOf(hold.window.from),
    window_to: instantOf(hold.window.to),
    technician_id: hold.technician_id,
    visit_from: instantOf(hold.visit.from),
    visit_to: instantOf(hold.visit.to),
    asked_contact_id: hold.asked_contact_id,
    proposed_at: new Date(hold.proposed_at).toISOString(),
    held_until: new Date(hold.held_until).toISOString(),
    confirmed_at: null,
  };
}

/** The same as the engine knows it. */
export function toHold(row: OptionRow): Hold {
  return {
    option_id: row.id,
    ticket_id: row.ticket_id,
    technician_id: row.technician_id,
    number: row.number,
    window: windowOf(row),
    visit: visitOf(row),
    asked_contact_id: row.asked_contact_id,
    proposed_at: Date.parse(row.proposed_at),
    held_until: Date.parse(row.held_until),
  };
}

export function windowOf(row: OptionRow): Interval {
  return outwards(Date.parse(row.window_from), Date.parse(row.window_to));
}

export function visitOf(row: OptionRow): Interval {
  return outwards(Date.parse(row.visit_from), Date.parse(row.visit_to));
}

/** When a proposal's times may begin. */
function offeredWithin(asking: Asking, priority: Priority): Interval {
  const from = Math.ceil(asking.now / MINUTE_MS) + LEAD_MINUTES[priority];
  return { from, to: from + OFFERED_DAYS * MINUTES_PER_DAY };
}

/**
 * Who may be sent to the ticket: within the agreed time; at once, when it is an emergency and none is agreed; else
 * within what would be offered.
 * @returns nobody at all when the agreed time is over
 * @throws DispatchError `unavailable` where a fact is missing
 */
export function recommendations(asking: Asking): {
  readonly window: Interval;
  readonly found: Recommendations;
} {
  const { now } = asking;
  const priority = need(need(asking.facts.ticket, 'ticket').priority, 'priority');
  const agreed = agreedOption(asking);
  if (agreed === null && priority === 'EMERGENCY') {
    const time = { startsMs: now, endsMs: now + EMERGENCY_BOOKING_MS };
    return { window: outwards(time.startsMs, time.endsMs), found: recommendNow(asking, time) };
  }
  if (agreed === null) {
    const window = offeredWithin(asking, priority);
    return { window, found: recommendWithin(asking, window) };
  }
  const { from, to } = windowOf(agreed);
  const window = { from: Math.max(from, Math.ceil(now / MINUTE_MS)), to };
  // What was promised is over: nobody is sent into it any more, so nobody is recommended for it.
  if (window.from >= to) return { window: { from, to }, found: { ranked: [], refused: [] } };
  return { window, found: recommendWithin(asking, window) };
}

/** What can still be chosen. */
export function openOptions(options: readonly OptionRow[], now: number): readonly OptionRow[] {
  return options.filter((row) => row.confirmed_at === null && isHeld(toHold(row), now));
}

/** The time that was agreed; null when none is. */
export function agreedOption({ facts }: Pick<Asking, 'facts'>): OptionRow | null {
  return facts.schedule?.options.find((row) => row.confirmed_at !== null) ?? null;
}

/** The choice that the turn's own message holds: what somebody wrote before is no answer to what was asked since. */
export function choiceOfTurn({ facts }: Pick<Asking, 'facts'>): ChoiceRow | null {
  const { schedule, turn } = facts;
  if (turn === null) return null;
  return schedule?.choices.find((row) => row.message_id === turn.message_id) ?? null;
}

/** Of an offer that cannot be taken: what is unknown here, what is over, and who was not asked. */
const CODES = {
  not_proposed: 'not_found',
  no_choice: 'not_found',
  hold_expired: 'superseded',
  choice_consumed: 'superseded',
  choice_too_early: 'superseded',
  not_asked: 'policy_denied',
} as const satisfies Readonly<Record<HoldRefusal, string>>;

export function refuseHold(why: HoldRefusal): never {
  return refuse(CODES[why], { detail: why });
}

export function instantOf(minute: number): string {
  return new Date(minute * MINUTE_MS).toISOString();
}
