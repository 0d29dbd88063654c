import { DEFAULT_WORK, type Priority } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import {
  type Board,
  type Commitment,
  type Crew,
  compileHours,
  createGreatCircleTravel,
  type Eligibility,
  eligibility,
  type Ineligible,
  type IneligibleReason,
  type Interval,
  isInterval,
  type Job,
  MINUTE_MS,
  MINUTES_PER_DAY,
  NOT_KEPT,
  type OpenHours,
  openBoard,
  outwards,
  type Place,
  type Recommendations,
  type RosterEntry,
  recommend,
  type WorkingHours,
} from '@deadlatch/scheduling';
import { typeOf } from './evidence-list.ts';
import type { Facts } from './facts.ts';
import { need } from './need.ts';
import type { RuleContext } from './rule.ts';
import type { PlaceFacts, TechnicianFacts } from './schedule-facts.ts';

/** What a question about somebody's time is asked from; every rule's context is one. */
export type Asking = Pick<RuleContext, 'facts' | 'tools' | 'now'>;

/** When somebody would be on the visit, in milliseconds since the epoch. */
export interface VisitTime {
  readonly startsMs: number;
  readonly endsMs: number;
}

/** Nothing is planned further ahead; `dispatch.technician_facts` reads no further either. */
const HORIZON_DAYS = 14;
/** Who is on duty now came from somewhere: what ended a day ago is known too. */
const BACK_DAYS = 1;

/** Roads of a town. Where a position is not on file, somebody of the same territory is near. */
const TRAVEL = createGreatCircleTravel({
  kmPerHour: 40,
  detourPercent: 130,
  overheadMinutes: 5,
  unknownMinutes: { within: 20, across: 60 },
});

const LAST = Number.MAX_SAFE_INTEGER;

/** By when somebody is promised to begin, in hours from the report; ROUTINE: five working days in a week. */
const ARRIVE_HOURS: Readonly<Record<Priority, number>> = { EMERGENCY: 4, URGENT: 24, ROUTINE: 7 * 24 };

/**
 * The technician, if they may be sent to the ticket's site for exactly this time, travel included. The database has the
 * last word on "free".
 * @throws DispatchError `not_found` for somebody else than was asked for; `double_booking` when only their time is
 * taken; `not_eligible` with every reason
 * @invariant nobody is sent by any other way than `eligibility`
 */
export function requireEligible(asking: Asking, id: string, time: VisitTime): TechnicianFacts {
  const facts = namedTechnician(asking, id);
  const { board, job } = boardFor(asking, [facts]);
  const answer = eligibleFor(need(board.crew[0], 'technician'), job, time);
  return answer.eligible === true ? facts : notEligible(answer.reasons);
}

/** The hours that an emergency is booked for hold the way there too. */
function eligibleFor({ calendar, technician }: Crew, job: Job, time: VisitTime): Eligibility {
  const window = outwards(time.startsMs, time.endsMs);
  const minutes = window.to - window.from;
  return eligibility(technician, { ...job, minutes }, window, { ...calendar, travel: NOT_KEPT });
}

/**
 * When the technician can do the ticket's work within an arrival window: as agreed if it was agreed with them, else as
 * well as it fits into their day.
 * @param agreed what the window was agreed for, when it was agreed with this technician
 * @throws DispatchError as `requireEligible`
 */
export function timeWithin(
  asking: Asking,
  id: string,
  window: Interval,
  agreed: Interval | null,
): { readonly technician: TechnicianFacts; readonly visit: Interval } {
  const technician = namedTechnician(asking, id);
  const now = Math.ceil(asking.now / MINUTE_MS);
  const rest = { from: Math.max(window.from, now), to: window.to };
  if (rest.from >= rest.to) refuse('not_eligible', { extra: { reasons: ['window_over'] } });
  const { board, job } = boardFor(asking, [technician]);
  const crew = need(board.crew[0], 'technician');
  if (agreed !== null && agreed.from >= now) {
    const answer = eligibility(crew.technician, job, agreed, crew.calendar);
    if (answer.eligible === true) return { technician, visit: agreed };
  }
  const { ranked, refused } = recommend(board, job, rest);
  const best = ranked[0];
  return best === undefined ? notEligible(refused[0]?.reasons ?? []) : { technician, visit: best.visit };
}

/** Everybody for the ticket's work within a window, and why or why not. @throws DispatchError `unavailable` */
export function recommendWithin(asking: Asking, window: Interval): Recommendations {
  const { board, job } = boardFor(asking, asking.facts.roster);
  return recommend(board, job, window);
}

/**
 * Everybody who may be sent at once, in the order of the engine, and why nobody else may.
 * @invariant ranked is exactly whom `requireEligible` lets pass for the same time
 */
export function recommendNow(asking: Asking, time: VisitTime): Recommendations {
  const { board, job } = boardFor(asking, asking.facts.roster);
  const window = outwards(time.startsMs, time.endsMs);
  const known = new Map(recommend(board, job, window).ranked.map((one) => [one.technician_id, one]));
  const answers = board.crew.map((crew) => ({
    id: crew.technician.id,
    answer: eligibleFor(crew, job, time),
  }));
  const ranked = answers
    .filter(({ answer }) => answer.eligible)
    // Whom the engine would not place in a plan may still be sent, after all others.
    .map(({ id }) => known.get(id) ?? { technician_id: id, visit: window, score: LAST, explanation: [] })
    .sort((a, b) => a.score - b.score);
  const refused = answers.flatMap(({ answer, id }) =>
    answer.eligible ? [] : [{ technician_id: id, reasons: answer.reasons }],
  );
  return { ranked, refused };
}

/**
 * The board and the job of a ticket: the only place that turns facts into arguments of `eligibility`.
 * @throws DispatchError `unavailable` where a fact is missing
 * @invariant no shifts on file are no shifts, and a site without hours is closed
 */
export function boardFor(
  asking: Asking,
  technicians: readonly TechnicianFacts[],
): { readonly board: Board; readonly job: Job } {
  const today = Math.floor(asking.now / MINUTE_MS);
  const horizon = {
    from: today - BACK_DAYS * MINUTES_PER_DAY,
    to: today + HORIZON_DAYS * MINUTES_PER_DAY,
  };
  const roster = technicians.map((facts) => rosterEntry(asking, facts));
  return { board: openBoard(horizon, TRAVEL, roster), job: jobOf(asking, horizon) };
}

function jobOf({ facts, tools }: Asking, horizon: Interval): Job {
  const ticket = need(facts.ticket, 'ticket');
  const priority = need(ticket.priority, 'priority');
  const work = typeOf(ticket).work ?? DEFAULT_WORK;
  const site = need(facts.site, 'site');
  const plan = facts.schedule?.site ?? null;
  const place = { ...placeOf(plan?.place ?? null), territory: site.territory };
  return {
    id: ticket.id,
    priority,
    place,
    minutes: work.minutes,
    skills: work.skills,
    certifications: work.certifications,
    site_hours: openHours(tools, plan?.hours ?? null, site.time_zone),
    starts_within: horizon,
    due_at: minuteOf(ticket.reported_at) + ARRIVE_HOURS[priority] * 60,
  };
}

function rosterEntry({ tools }: Asking, facts: TechnicianFacts): RosterEntry {
  return {
    technician: {
      id: facts.id,
      active: facts.active,
      skills: facts.skills,
      certifications: facts.certifications.map(({ name, valid_from, valid_until }) => ({
        name,
        valid: { from: minuteOf(valid_from), to: minuteOf(valid_until) },
      })),
      territories: facts.territories,
      home: placeOf(facts.home),
    },
    shifts: openHours(tools, facts.shifts, 'UTC'),
    absences: facts.absences.map(({ starts_at, ends_at }) => rangeOf(starts_at, ends_at)),
    commitments: oneAfterTheOther(facts),
  };
}

/** Whole minutes outwards make two that touch overlap; the later one keeps what is left of it. */
function oneAfterTheOther({ commitments }: TechnicianFacts): readonly Commitment[] {
  const ranges = commitments
    .map(({ starts_at, ends_at, place }) => ({ ...rangeOf(starts_at, ends_at), place: placeOf(place) }))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  const apart: Commitment[] = [];
  for (const next of ranges) {
    const from = Math.max(next.from, apart.at(-1)?.to ?? next.from);
    if (from < next.to) apart.push({ ...next, from });
  }
  return apart;
}

function openHours(tools: Asking['tools'], hours: WorkingHours | null, zone: string): OpenHours {
  if (hours !== null) return compileHours(hours, tools.zones);
  return { zone: tools.zones.get(zone), openBetween: () => [] };
}

function placeOf(facts: PlaceFacts | null): Place {
  const { lat_e6 = null, lon_e6 = null, territory = null } = facts ?? {};
  return { position: lat_e6 === null || lon_e6 === null ? null : { lat_e6, lon_e6 }, territory };
}

function rangeOf(startsAt: string, endsAt: string): Interval {
  const range = outwards(Date.parse(startsAt), Date.parse(endsAt));
  // Time that is taken and cannot be read is not free time.
  return isInterval(range) ? range : refuse('unavailable', { detail: 'a range that cannot be read' });
}

function minuteOf(instant: string): number {
  return Math.floor(Date.parse(instant) / MINUTE_MS);
}

function namedTechnician({ facts }: { readonly facts: Facts }, id: string): TechnicianFacts {
  const { technician } = facts;
  return technician !== null && technician.id === id
    ? technician
    : refuse('not_found', { detail: 'technician' });
}

/** @throws DispatchError always */
export function notEligible(found: readonly Ineligible[]): never {
  const reasons: readonly IneligibleReason[] = found.map(({ reason }) => reason);
  const isOnlyTime = reasons.length > 0 && reasons.every((reason) => reason === 'double_booked');
  return refuse(isOnlyTime ? 'double_booking' : 'not_eligible', { extra: { reasons } });
}
