import type { Board, Crew } from './board.ts';
import { certifiedStarts, whoCould } from './board.ts';
import { eligibility } from './eligibility.ts';
import { inOrder, type Share, shareOfLoad, shareOfTravel, sharesOfStop, total } from './factors.ts';
import type { Interval } from './interval.ts';
import { detour, type Route, roomAt } from './route.ts';
import type { Job } from './work.ts';

/** A job at one place of one route of one technician, beside what is agreed. */
export interface Placement {
  readonly crew: Crew;
  /** When the work is done. */
  readonly visit: Interval;
  readonly score: number;
  /** What the score is the sum of. Made again when it is asked for: thousands are scored and three are shown. */
  readonly shares: () => readonly Share[];
}

/**
 * For each technician and each gap between agreed visits: the job as early as it can begin in each of `slots`.
 * @param slots ranges of starts, in order, none overlapping another
 * @returns the best first; ties by time, then by id, so the same question has the same answer
 */
export function placementsFor(board: Board, job: Job, slots: readonly Interval[]): readonly Placement[] {
  const found: Placement[] = [];
  for (const crew of whoCould(board, job)) {
    const starts = certifiedStarts(crew.technician, job, slots);
    for (const route of crew.routes) {
      for (let at = 0; at <= route.stops.length; at += 1) addAt(found, crew, route, at, job, starts);
    }
  }
  return found.sort(compare);
}

function addAt(
  found: Placement[],
  crew: Crew,
  route: Route,
  at: number,
  job: Job,
  slots: readonly Interval[],
): void {
  const room = roomAt(route, at, job.place, job.minutes);
  if (room.from >= room.to) return;
  const more = shareOfTravel(detour(route, at, job.place));
  const load = shareOfLoad(route.workMinutes, route.workMinutes + job.minutes);
  for (const slot of slots) {
    if (slot.to <= room.from) continue;
    if (slot.from >= room.to) break;
    const start = Math.max(slot.from, room.from);
    const latest = Math.min(slot.to, room.to) - 1;
    const timing = { start, latest, shiftEnds: route.tour.segment.to };
    const shares = () => [more, load, ...sharesOfStop(crew.technician, job, timing)];
    const visit = { from: start, to: start + job.minutes };
    found.push({ crew, visit, score: total(shares()), shares });
  }
}

/** The one function has the last word on every placement that anybody is shown. */
export function isAllowed({ crew, visit }: Placement, job: Job): boolean {
  return eligibility(crew.technician, job, visit, crew.calendar).eligible;
}

/** The shares of its score, in the order of `FACTORS`. */
export function explained(placement: Placement): readonly Share[] {
  return inOrder(placement.shares());
}

function compare(a: Placement, b: Placement): number {
  return (
    a.score - b.score ||
    a.visit.from - b.visit.from ||
    (a.crew.technician.id < b.crew.technician.id ? -1 : a.crew.technician.id > b.crew.technician.id ? 1 : 0)
  );
}
