import { costOfLoad, costOfTravel, sharesOfStop, total } from './factors.ts';
import type { Interval, Minute } from './interval.ts';
import type { Place, TravelModel } from './travel.ts';
import type { Commitment, Job, Technician } from './work.ts';

/** One stretch of a shift that nothing but work interrupts, and what is agreed before and after it. */
export interface Tour {
  readonly technician: Technician;
  readonly segment: Interval;
  readonly before: Commitment | null;
  readonly after: Commitment | null;
  readonly travel: TravelModel;
}

/** A visit on a route: one that is agreed and does not move, or a job that may begin within `starts`. */
export interface Stop {
  readonly place: Place;
  readonly minutes: number;
  readonly starts: readonly Interval[];
  /** null: agreed. */
  readonly job: Job | null;
}

/** Stops in their order, each as early as it can be. */
export interface Route {
  readonly tour: Tour;
  readonly stops: readonly Stop[];
  readonly earliest: readonly Minute[];
  /** By when each must begin at the latest so that all after it still can. */
  readonly latest: readonly Minute[];
  readonly workMinutes: number;
  readonly travelMinutes: number;
  readonly cost: number;
}

export function agreedStop({ from, to, place }: Commitment): Stop {
  return { place, minutes: to - from, starts: [{ from, to: from + 1 }], job: null };
}

/** @returns null when the stops cannot be done in this order */
export function scheduleRoute(tour: Tour, stops: readonly Stop[]): Route | null {
  const earliest = earliestStarts(tour, stops);
  const latest = earliest && latestStarts(tour, stops);
  if (earliest === null || latest === null) return null;
  if (stops.some((stop, at) => stop.job !== null && (earliest[at] ?? 0) > (latest[at] ?? -1))) return null;
  const workMinutes = stops.reduce((sum, stop) => sum + stop.minutes, 0);
  const travelMinutes = stops.reduce((sum, stop, at) => {
    return sum + tour.travel.minutes(stops[at - 1]?.place ?? tour.technician.home, stop.place);
  }, 0);
  let cost = costOfTravel(travelMinutes) + costOfLoad(workMinutes);
  stops.forEach(({ job }, at) => {
    if (job === null) return;
    const timing = { start: earliest[at] ?? 0, latest: latest[at] ?? 0, shiftEnds: tour.segment.to };
    cost += total(sharesOfStop(tour.technician, job, timing));
  });
  return { tour, stops, earliest, latest, workMinutes, travelMinutes, cost };
}

function earliestStarts(tour: Tour, stops: readonly Stop[]): readonly Minute[] | null {
  const earliest: Minute[] = [];
  for (const [at, stop] of stops.entries()) {
    const start =
      stop.job === null
        ? startOf(stop)
        : firstStart(stop.starts, arrival(tour, stops, earliest, at, stop.place));
    if (start === null) return null;
    earliest.push(start);
  }
  return earliest;
}

function latestStarts(tour: Tour, stops: readonly Stop[]): readonly Minute[] | null {
  const latest: Minute[] = new Array(stops.length);
  for (let at = stops.length - 1; at >= 0; at -= 1) {
    const stop = stops[at];
    if (stop === undefined) return null;
    const start =
      stop.job === null
        ? startOf(stop)
        : lastStart(stop.starts, deadline(tour, stops, latest, at + 1, stop.place) - stop.minutes);
    if (start === null) return null;
    latest[at] = start;
  }
  return latest;
}

/** When they can be at `place`, coming from the stop before `at`. */
function arrival(
  { before, segment, technician, travel }: Tour,
  stops: readonly Stop[],
  starts: readonly Minute[],
  at: number,
  place: Place,
): Minute {
  const last = stops[at - 1];
  if (last !== undefined) return (starts[at - 1] ?? 0) + last.minutes + travel.minutes(last.place, place);
  const fromHome = segment.from + travel.minutes(technician.home, place);
  return before === null ? fromHome : Math.max(fromHome, before.to + travel.minutes(before.place, place));
}

/** By when work at `place` must end, so that the stop `at` is reached in time. */
function deadline(
  { after, segment, travel }: Tour,
  stops: readonly Stop[],
  latest: readonly Minute[],
  at: number,
  place: Place,
): Minute {
  const next = stops[at];
  if (next !== undefined) return Math.min(segment.to, (latest[at] ?? 0) - travel.minutes(place, next.place));
  return after === null ? segment.to : Math.min(segment.to, after.from - travel.minutes(place, after.place));
}

/**
 * When something of `minutes` at `place` may begin between the stops before and after `at`, if they move as far as they
 * can. @returns a range of starts, empty (`from >= to`) when there is no room
 */
export function roomAt(route: Route, at: number, place: Place, minutes: number): Interval {
  const from = arrival(route.tour, route.stops, route.earliest, at, place);
  const to = deadline(route.tour, route.stops, route.latest, at, place) - minutes + 1;
  return { from: Math.max(from, route.tour.segment.from), to };
}

/** More minutes on the road when somebody goes by `place` before the stop `at`. */
export function detour({ tour, stops }: Route, at: number, place: Place): number {
  const from = stops[at - 1]?.place ?? tour.technician.home;
  const next = stops[at]?.place;
  const there = tour.travel.minutes(from, place);
  return next === undefined
    ? there
    : there + tour.travel.minutes(place, next) - tour.travel.minutes(from, next);
}

/** The first allowed start not before `at`. */
export function firstStart(starts: readonly Interval[], at: Minute): Minute | null {
  for (const one of starts) if (at < one.to) return Math.max(at, one.from);
  return null;
}

/** The last allowed start not after `at`. */
export function lastStart(starts: readonly Interval[], at: Minute): Minute | null {
  for (let i = starts.length - 1; i >= 0; i -= 1) {
    const one = starts[i];
    if (one !== undefined && at >= one.from) return Math.min(at, one.to - 1);
  }
  return null;
}

function startOf(stop: Stop): Minute | null {
  return stop.starts[0]?.from ?? null;
}
