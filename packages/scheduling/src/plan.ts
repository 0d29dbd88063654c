import type { Board, Crew } from './board.ts';
import { whoCould } from './board.ts';
import { eligibility } from './eligibility.ts';
import { COST_UNSERVED } from './factors.ts';
import type { Interval } from './interval.ts';
import type { Route } from './route.ts';
import type { Commitment, Job } from './work.ts';

export interface PlannedVisit {
  readonly job_id: string;
  readonly technician_id: string;
  readonly visit: Interval;
}

export const UNSERVED_REASONS = ['nobody_eligible', 'no_room'] as const;

export interface DayPlan {
  /** By technician, then by time. */
  readonly visits: readonly PlannedVisit[];
  readonly unserved: readonly {
    readonly job_id: string;
    readonly reason: (typeof UNSERVED_REASONS)[number];
  }[];
  /** What the visits add to what is agreed, and what is left undone. */
  readonly cost: number;
}

/** Routes while they are being filled. */
export interface RosterState {
  routesOf(crew: Crew): readonly Route[];
  all(): readonly Route[];
  replace(route: Route, by: Route): void;
  /** By job: the route it is on. */
  readonly placed: Map<string, Route>;
}

export function openRosters(board: Board): RosterState {
  const byTechnician = new Map(board.crew.map((crew) => [crew.technician.id, [...crew.routes]]));
  const placed = new Map<string, Route>();
  return {
    placed,
    routesOf: ({ technician }) => byTechnician.get(technician.id) ?? [],
    all: () => [...byTechnician.values()].flat(),
    replace: (route, by) => {
      const routes = byTechnician.get(route.tour.technician.id) ?? [];
      routes[routes.indexOf(route)] = by;
      for (const { job } of by.stops) if (job !== null) placed.set(job.id, by);
    },
  };
}

/**
 * The plan that these routes make, held against the one function before anybody sees it.
 * @throws Error when a visit would not be allowed: that is a fault of ours, and no plan
 */
export function toPlan(board: Board, jobs: readonly Job[], state: RosterState): DayPlan {
  const visits = state.all().flatMap(visitsOf);
  const served = new Set(visits.map((one) => one.job_id));
  const left = jobs.filter((job) => !served.has(job.id)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const base = board.crew.flatMap((crew) => crew.routes).reduce((sum, route) => sum + route.cost, 0);
  const cost = state.all().reduce((sum, route) => sum + route.cost, 0) - base;
  const plan: DayPlan = {
    visits,
    unserved: left.map((job) => ({
      job_id: job.id,
      reason: whoCould(board, job).length === 0 ? 'nobody_eligible' : 'no_room',
    })),
    cost: cost + left.reduce((sum, job) => sum + COST_UNSERVED[job.priority], 0),
  };
  requireAllowed(board, jobs, plan);
  return plan;
}

function visitsOf({ earliest, stops, tour }: Route): readonly PlannedVisit[] {
  return stops.flatMap(({ job, minutes }, at) => {
    const from = earliest[at] ?? 0;
    const visit = { from, to: from + minutes };
    return job === null ? [] : [{ job_id: job.id, technician_id: tour.technician.id, visit }];
  });
}

/** Asks `eligibility` about every visit, with all others of that technician as agreed. */
function requireAllowed(board: Board, jobs: readonly Job[], plan: DayPlan): void {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const byTechnician = Map.groupBy(plan.visits, (one) => one.technician_id);
  for (const { calendar, technician } of board.crew) {
    const own = byTechnician.get(technician.id) ?? [];
    for (const one of own) {
      const job = byId.get(one.job_id);
      const others = own.filter((other) => other !== one).map((other) => asCommitment(other, byId));
      const commitments = [...calendar.commitments, ...others].sort((a, b) => a.from - b.from);
      const isAllowed = job && eligibility(technician, job, one.visit, { ...calendar, commitments }).eligible;
      if (isAllowed !== true) throw new Error('a plan with a visit that is not allowed');
    }
  }
}

function asCommitment({ job_id, visit }: PlannedVisit, jobs: ReadonlyMap<string, Job>): Commitment {
  return { ...visit, place: jobs.get(job_id)?.place ?? { position: null, territory: null } };
}
