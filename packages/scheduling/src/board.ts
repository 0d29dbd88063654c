import { refuse } from '@deadlatch/kernel';
import { whatIsLacking } from './eligibility.ts';
import {
  type Interval,
  intersect,
  MINUTES_PER_DAY,
  merge,
  overlaps,
  requireInterval,
  subtract,
} from './interval.ts';
import type { OpenHours } from './open-hours.ts';
import { agreedStop, type Route, scheduleRoute } from './route.ts';
import type { TravelModel } from './travel.ts';
import { type Calendar, type Commitment, type Job, NOT_KEPT, requireJob, type Technician } from './work.ts';

/** One technician as the database knows them. */
export interface RosterEntry {
  readonly technician: Technician;
  readonly shifts: OpenHours;
  readonly absences: readonly Interval[];
  readonly commitments: readonly Commitment[];
}

/** Everybody's time within a horizon, laid out once and asked many times. Nothing in it changes. */
export interface Board {
  readonly horizon: Interval;
  readonly travel: TravelModel;
  readonly crew: readonly Crew[];
}

export interface Crew {
  readonly technician: Technician;
  readonly calendar: Calendar;
  /** One for each stretch of shift, with what is agreed in it. */
  readonly routes: readonly Route[];
}

const MAX_HORIZON_MINUTES = 31 * MINUTES_PER_DAY;

/**
 * Lays out who is where and when. @param roster in any order
 * @throws DispatchError `schema_mismatch` for a horizon that is none or longer than 31 days, somebody twice, ranges that
 * are none, somebody who is in two places already
 */
export function openBoard(horizon: Interval, travel: TravelModel, roster: readonly RosterEntry[]): Board {
  requireInterval(horizon, 'horizon');
  if (horizon.to - horizon.from > MAX_HORIZON_MINUTES) {
    refuse('schema_mismatch', { detail: 'a horizon that is too long' });
  }
  if (new Set(roster.map((one) => one.technician.id)).size !== roster.length) {
    refuse('schema_mismatch', { detail: 'a technician twice' });
  }
  // By id, so that the same people in another order make the same plans.
  const inOrder = [...roster].sort((a, b) => (a.technician.id < b.technician.id ? -1 : 1));
  return { horizon, travel, crew: inOrder.map((entry) => layOut(horizon, travel, entry)) };
}

function layOut(horizon: Interval, travel: TravelModel, entry: RosterEntry): Crew {
  const { technician } = entry;
  const absences = merge(entry.absences.map((one) => requireInterval(one, 'absence')));
  const commitments = [...entry.commitments]
    .map((one) => {
      requireInterval(one, 'commitment');
      return one;
    })
    .sort((a, b) => a.from - b.from);
  if (commitments.some((one, at) => at > 0 && one.from < (commitments[at - 1]?.to ?? 0))) {
    refuse('schema_mismatch', { detail: 'somebody in two places' });
  }
  const shifts = entry.shifts.openBetween(horizon);
  const routes = subtract(shifts, absences).map((segment) => {
    const agreed = commitments.filter((one) => overlaps(one, segment));
    const before = commitments.filter((one) => one.to <= segment.from).at(-1) ?? null;
    const after = commitments.find((one) => one.from >= segment.to) ?? null;
    const route = scheduleRoute({ technician, segment, before, after, travel }, agreed.map(agreedStop));
    return route ?? refuse('unavailable', { detail: 'agreed visits without a time' });
  });
  return { technician, routes, calendar: { horizon, shifts, absences, commitments, travel } };
}

/** Those whom no time of day would make eligible are left out; `eligibility` is asked about the others. */
export function whoCould(board: Board, job: Job): readonly Crew[] {
  return board.crew.filter(({ technician }) => whatIsLacking(technician, job).length === 0);
}

/** When the work may begin as far as the site and the horizon are concerned, merged. */
export function siteStarts(board: Board, job: Job): readonly Interval[] {
  requireJob(job);
  const { horizon } = board;
  const wanted = intersect([job.starts_within], [horizon]);
  if (job.priority === 'EMERGENCY' || job.site_hours === NOT_KEPT) return wanted;
  // From a day before: what is open now may have opened then, and only the rest of it counts.
  const open = job.site_hours.openBetween(horizon);
  const starts = open
    .map(({ from, to }) => ({ from, to: to - job.minutes + 1 }))
    .filter((one) => one.from < one.to);
  return intersect(wanted, merge(starts));
}

/** Those of `starts` at which the technician's certifications last for all of the job. */
export function certifiedStarts(
  { certifications }: Technician,
  job: Job,
  starts: readonly Interval[],
): readonly Interval[] {
  return job.certifications.reduce((left, name) => {
    const valid = certifications
      .filter((one) => one.name === name)
      .map(({ valid: { from, to } }) => ({
        from,
        to: to - job.minutes + 1,
      }));
    return intersect(left, merge(valid.filter((one) => one.from < one.to)));
  }, starts);
}
