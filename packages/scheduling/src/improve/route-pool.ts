import { cheapestOnRoute } from '../assign-day.ts';
import { type Board, certifiedStarts, siteStarts, whoCould } from '../board.ts';
import type { RosterState } from '../plan.ts';
import { type Route, type Stop, scheduleRoute } from '../route.ts';
import type { Job } from '../work.ts';

/** Routes among which a solver chooses. */
export interface RoutePool {
  readonly columns: readonly Column[];
  /** Every route that there can be is in it, so the best choice is the best plan. */
  readonly isComplete: boolean;
}

export interface Column {
  /** What the route was before: of each original route at most one column is taken. */
  readonly base: Route;
  readonly route: Route;
  readonly jobIds: readonly string[];
}

/** 7 jobs are 13,700 orders for each route; 8 are 110,000. */
const MAX_JOBS_ENUMERATED = 7;
const MAX_COLUMNS = 20_000;
/** Routes that a job is tried on beside its own. */
const NEIGHBOURS = 4;

/** Jobs that may go on a route of this technician, as stops. */
type StopsFor = (route: Route) => readonly Stop[];

/** @param state the plan to improve, whose routes are always in the pool */
export function routePool(board: Board, jobs: readonly Job[], state: RosterState): RoutePool {
  const stopsFor = createStopsFor(board, jobs);
  const bases = board.crew.flatMap((crew) => crew.routes);
  const current = state.all();
  const isComplete = jobs.length <= MAX_JOBS_ENUMERATED;
  const routes = isComplete
    ? bases.map((base) => [
        ...current.filter((one) => one.tour === base.tour),
        ...everyRoute(base, stopsFor(base)),
      ])
    : neighbourRoutes(current, bases, stopsFor);
  const columns = bases.flatMap((base, at) => (routes[at] ?? []).map((route) => columnOf(base, route)));
  return { columns: columns.slice(0, MAX_COLUMNS), isComplete: isComplete && columns.length <= MAX_COLUMNS };
}

function createStopsFor(board: Board, jobs: readonly Job[]): StopsFor {
  const byTechnician = new Map<string, Stop[]>();
  for (const job of jobs) {
    const starts = siteStarts(board, job);
    for (const { technician } of whoCould(board, job)) {
      const { minutes, place } = job;
      const stop = { place, minutes, starts: certifiedStarts(technician, job, starts), job };
      byTechnician.set(technician.id, [...(byTechnician.get(technician.id) ?? []), stop]);
    }
  }
  return (route) => byTechnician.get(route.tour.technician.id) ?? [];
}

function columnOf(base: Route, route: Route): Column {
  return { base, route, jobIds: route.stops.flatMap(({ job }) => (job === null ? [] : [job.id])) };
}

/** The cheapest order of every set of jobs that fits. */
function everyRoute(base: Route, candidates: readonly Stop[]): readonly Route[] {
  const cheapest = new Map<string, Route>();
  /** Each further job comes after the one added before it, so every order is met once. */
  const extend = (route: Route, from: number, used: ReadonlySet<Stop>): void => {
    for (const stop of candidates) {
      if (used.has(stop)) continue;
      for (let at = from; at <= route.stops.length; at += 1) {
        const longer = scheduleRoute(route.tour, route.stops.toSpliced(at, 0, stop));
        if (longer === null) continue;
        const now = new Set([...used, stop]);
        const key = [...now]
          .map((one) => one.job?.id)
          .sort()
          .join(' ');
        const known = cheapest.get(key);
        if (known === undefined || longer.cost < known.cost) cheapest.set(key, longer);
        extend(longer, at + 1, now);
      }
    }
  };
  extend(base, 0, new Set());
  return [...cheapest.values()];
}

/** What stands, each with one visit less, with one more, and with one in place of another. */
function neighbourRoutes(
  current: readonly Route[],
  bases: readonly Route[],
  stopsFor: StopsFor,
): readonly (readonly Route[])[] {
  const shorter = current.map((route) => [
    route,
    ...route.stops.flatMap((stop) => {
      const less =
        stop.job &&
        scheduleRoute(
          route.tour,
          route.stops.filter((one) => one !== stop),
        );
      return less === null ? [] : [less];
    }),
  ]);
  const longer = shorter.map((): Route[] => []);
  for (const stop of new Map(
    current.flatMap((route) => stopsFor(route)).map((s) => [s.job?.id, s]),
  ).values()) {
    const tries = current.flatMap((route, at) => {
      const own = stopsFor(route).find((one) => one.job === stop.job);
      if (own === undefined || route.stops.some((one) => one.job === stop.job)) return [];
      const better = (shorter[at] ?? []).flatMap((one) => {
        const found = own.job && cheapestOnRoute(one, own.job, own.starts, Infinity);
        return found ? [{ route: found.route, adds: found.adds, at }] : [];
      });
      return better.length === 0 ? [] : [{ at, better, adds: Math.min(...better.map((one) => one.adds)) }];
    });
    for (const { at, better } of tries.sort((a, b) => a.adds - b.adds || a.at - b.at).slice(0, NEIGHBOURS)) {
      longer[at]?.push(...better.map((one) => one.route));
    }
  }
  return bases.map((base) => {
    const at = current.findIndex((route) => route.tour === base.tour);
    return [...(shorter[at] ?? []), ...(longer[at] ?? [])];
  });
}
