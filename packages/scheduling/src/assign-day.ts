import { refuse } from '@deadlatch/kernel';
import { type Board, type Crew, certifiedStarts, siteStarts, whoCould } from './board.ts';
import { COST_UNSERVED, costOfLoad, costOfTravel, sharesOfStop, total } from './factors.ts';
import type { Interval } from './interval.ts';
import { type DayPlan, openRosters, type RosterState, toPlan } from './plan.ts';
import { detour, firstStart, lastStart, type Route, roomAt, type Stop, scheduleRoute } from './route.ts';
import type { Job } from './work.ts';

export interface AssignOptions {
  /** How often every visit is taken out and put where it costs least. */
  readonly rounds: number;
}

const URGENCY = { EMERGENCY: 0, URGENT: 1, ROUTINE: 2 } as const;

/** A job and where it could go. */
interface Candidate {
  readonly job: Job;
  /** By technician: when it may begin. */
  readonly choices: readonly { readonly crew: Crew; readonly starts: readonly Interval[] }[];
}

/** The cheapest way to add one job, and what it adds. */
interface Insertion {
  readonly at: Route;
  readonly route: Route;
  readonly adds: number;
}

/**
 * Jobs to technicians within the board's horizon: each job, the most pressing first, where it adds least; then every
 * visit is taken out and put back where it costs least, `rounds` times.
 * @returns the same plan for the same jobs and technicians, whatever order they come in
 * @throws DispatchError `schema_mismatch` for a job that is none, or twice
 * @invariant nothing that is agreed moves; every visit of the plan passes `eligibility` beside all others
 */
export function assignDay(
  board: Board,
  jobs: readonly Job[],
  { rounds }: AssignOptions = { rounds: 2 },
): DayPlan {
  if (new Set(jobs.map((job) => job.id)).size !== jobs.length) {
    refuse('schema_mismatch', { detail: 'a job twice' });
  }
  const candidates = jobs.map((job) => candidateOf(board, job)).sort((a, b) => byPressure(a.job, b.job));
  const state = openRosters(board);
  for (const candidate of candidates) insert(state, candidate, COST_UNSERVED[candidate.job.priority]);
  for (let round = 0; round < rounds; round += 1) {
    let isBetter = false;
    for (const candidate of candidates) if (reinsert(state, candidate)) isBetter = true;
    if (!isBetter) break;
  }
  return toPlan(board, jobs, state);
}

function candidateOf(board: Board, job: Job): Candidate {
  const starts = siteStarts(board, job);
  return {
    job,
    choices: whoCould(board, job).map((crew) => ({
      crew,
      starts: certifiedStarts(crew.technician, job, starts),
    })),
  };
}

function byPressure(a: Job, b: Job): number {
  return (
    URGENCY[a.priority] - URGENCY[b.priority] ||
    (a.due_at ?? Infinity) - (b.due_at ?? Infinity) ||
    b.minutes - a.minutes ||
    (a.id < b.id ? -1 : 1)
  );
}

/** @param below only when it adds less than this */
function insert(state: RosterState, candidate: Candidate, below: number): boolean {
  const best = cheapestInsertion(state, candidate, below);
  if (best === null) return false;
  state.replace(best.at, best.route);
  state.placed.set(candidate.job.id, best.route);
  return true;
}

/** Takes a visit out and puts it where it adds least. @returns whether the plan is cheaper now */
function reinsert(state: RosterState, candidate: Candidate): boolean {
  const { job } = candidate;
  const from = state.placed.get(job.id);
  if (from === undefined) return insert(state, candidate, COST_UNSERVED[job.priority]);
  const without = scheduleRoute(
    from.tour,
    from.stops.filter((stop) => stop.job !== job),
  );
  // Without a stop on the way the rest may come too late, where a way round is longer than two ways.
  if (without === null) return false;
  const saves = from.cost - without.cost;
  state.replace(from, without);
  if (insert(state, candidate, Math.min(saves, COST_UNSERVED[job.priority]))) return true;
  if (saves > COST_UNSERVED[job.priority]) {
    state.placed.delete(job.id);
    return true;
  }
  state.replace(without, from);
  return false;
}

function cheapestInsertion(state: RosterState, candidate: Candidate, below: number): Insertion | null {
  let best: Insertion | null = null;
  let most = below;
  for (const { crew, starts } of candidate.choices) {
    for (const route of state.routesOf(crew)) {
      const found = cheapestOnRoute(route, candidate.job, starts, most);
      if (found === null) continue;
      best = found;
      most = found.adds;
    }
  }
  return best;
}

/** The cheapest place on one route, if it adds less than `below`. */
export function cheapestOnRoute(
  route: Route,
  job: Job,
  starts: readonly Interval[],
  below: number,
): Insertion | null {
  let best: Insertion | null = null;
  const { minutes, place } = job;
  const load = costOfLoad(route.workMinutes + minutes) - costOfLoad(route.workMinutes);
  for (let at = 0; at <= route.stops.length; at += 1) {
    const room = roomAt(route, at, place, minutes);
    if (room.from >= room.to) continue;
    const start = firstStart(starts, room.from);
    const latest = lastStart(starts, room.to - 1);
    if (start === null || latest === null || start > latest) continue;
    const timing = { start, latest, shiftEnds: route.tour.segment.to };
    const own = load + costOfTravel(detour(route, at, place));
    // What it adds by itself; what it does to the others comes on top.
    if (own >= (best?.adds ?? below)) continue;
    if (own + total(sharesOfStop(route.tour.technician, job, timing)) >= (best?.adds ?? below)) continue;
    const stop: Stop = { place, minutes, starts, job };
    const longer = scheduleRoute(route.tour, route.stops.toSpliced(at, 0, stop));
    if (longer === null) continue;
    const adds = longer.cost - route.cost;
    if (adds < (best?.adds ?? below)) best = { at: route, route: longer, adds };
  }
  return best;
}
