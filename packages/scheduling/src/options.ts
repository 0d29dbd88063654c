import { refuse } from '@deadlatch/kernel';
import { type Board, siteStarts } from './board.ts';
import type { Share } from './factors.ts';
import { type Interval, intersect, isInterval, MINUTES_PER_DAY, overlaps } from './interval.ts';
import { explained, isAllowed, type Placement, placementsFor } from './placement.ts';
import { type Job, NOT_KEPT } from './work.ts';
import type { Zone } from './zone.ts';

/** What a customer may choose: somebody arrives within `window`. The technician is held for `visit`. */
export interface ScheduleOption {
  /** 1 to 3, in the order of time: what a customer answers with. */
  readonly number: number;
  readonly window: Interval;
  readonly technician_id: string;
  readonly visit: Interval;
  readonly score: number;
  readonly explanation: readonly Share[];
}

export const MAX_OPTIONS = 3;
/** Windows are cut on the wall clock of the site: 08:00 to 10:00, 10:00 to 12:00 and so on. */
export const ARRIVAL_MINUTES = 120;

/**
 * One to three arrival windows for a customer, the cheapest that can be held together; none when nobody can come.
 * Windows never overlap, and no technician is held twice at one time.
 * @throws DispatchError `schema_mismatch` for a job that is none, or whose site has no hours and so no wall clock
 */
export function optionsFor(board: Board, job: Job): readonly ScheduleOption[] {
  if (job.site_hours === NOT_KEPT) return refuse('schema_mismatch', { detail: 'a site without hours' });
  const windows = arrivalWindows(job.site_hours.zone, board.horizon);
  const starts = cut(siteStarts(board, job), windows);
  const chosen: { readonly window: Interval; readonly placement: Placement }[] = [];
  for (const placement of placementsFor(board, job, starts)) {
    if (chosen.length === MAX_OPTIONS) break;
    const { crew, visit } = placement;
    const isTaken = chosen.some(
      ({ window, placement: other }) =>
        (window.from <= visit.from && visit.from < window.to) ||
        (other.crew === crew && overlaps(other.visit, visit)),
    );
    if (isTaken || !isAllowed(placement, job)) continue;
    const window = windows.find((one) => one.from <= visit.from && visit.from < one.to);
    if (window !== undefined) chosen.push({ window, placement });
  }
  return chosen
    .sort((a, b) => a.window.from - b.window.from)
    .map(({ window, placement }, index) => ({
      number: index + 1,
      window,
      technician_id: placement.crew.technician.id,
      visit: placement.visit,
      score: placement.score,
      explanation: explained(placement),
    }));
}

/** Equal parts of each day on the wall; one in which the hour changes is longer or shorter than the others. */
function arrivalWindows(zone: Zone, horizon: Interval): readonly Interval[] {
  const windows: Interval[] = [];
  const last = zone.dayOf(horizon.to);
  for (let day = zone.dayOf(horizon.from); day <= last; day += 1) {
    for (let minute = 0; minute < MINUTES_PER_DAY; minute += ARRIVAL_MINUTES) {
      const window = { from: zone.instantOf(day, minute), to: zone.instantOf(day, minute + ARRIVAL_MINUTES) };
      if (isInterval(window)) windows.push(window);
    }
  }
  return windows;
}

/** `starts` in parts, none of which reaches into two windows. */
function cut(starts: readonly Interval[], windows: readonly Interval[]): readonly Interval[] {
  return windows.flatMap((window) => intersect(starts, [window]));
}
