import { Worker } from 'node:worker_threads';
import { refuse } from '@deadlatch/kernel';
import type { Board } from '../board.ts';
import { certifiedStarts, siteStarts } from '../board.ts';
import { type DayPlan, openRosters, type RosterState, toPlan } from '../plan.ts';
import { type Stop, scheduleRoute } from '../route.ts';
import type { Job } from '../work.ts';
import { chosenColumns, routeModel } from './route-model.ts';
import { type RoutePool, routePool } from './route-pool.ts';

export interface SolverQuestion {
  /** CPLEX LP format. */
  readonly model: string;
  readonly timeLimitMs: number;
}

export interface SolverAnswer {
  readonly isOptimal: boolean;
  /** Variables that are 1. */
  readonly taken: readonly string[];
}

export interface Improvement {
  readonly plan: DayPlan;
  readonly outcome: 'improved' | 'no_better' | 'timed_out' | 'failed';
  /** No plan is cheaper: every route was in the choice, and the solver went through all of it. */
  readonly isBest: boolean;
}

export interface SolverLimits {
  /** For the solver itself. */
  readonly solverMs: number;
  /** For starting the thread, loading WebAssembly and handing the answer over, on top of that. */
  readonly overheadMs: number;
}

const MAX_LIMIT_MS = 10 * 60_000;
const MAX_WORKER_MB = 512;

/**
 * Asks HiGHS for a better choice among routes like those of a plan. Only who calls this loads it, in a thread that ends
 * with the call.
 * @param plan of `assignDay` for the same board and jobs
 * @param limits when they are over the thread is ended, whatever it does
 * @returns never a plan that costs more; whatever goes wrong, the plan that was given
 * @throws DispatchError `schema_mismatch` for limits that are none, or more than ten minutes
 */
export async function improvePlan(
  board: Board,
  jobs: readonly Job[],
  plan: DayPlan,
  limits: SolverLimits,
): Promise<Improvement> {
  requireLimits(limits);
  const pool = routePool(board, jobs, stateOf(board, jobs, plan));
  const answer = await solve({ model: routeModel(pool, jobs), timeLimitMs: limits.solverMs }, limits);
  if (typeof answer === 'string') return { plan, outcome: answer, isBest: false };
  const better = planOf(board, jobs, pool, answer.taken);
  const isBest = answer.isOptimal && pool.isComplete;
  if (better === null) return { plan, outcome: 'failed', isBest: false };
  return better.cost < plan.cost
    ? { plan: better, outcome: 'improved', isBest }
    : { plan, outcome: 'no_better', isBest };
}

/** The routes of a plan. */
function stateOf(board: Board, jobs: readonly Job[], plan: DayPlan): RosterState {
  const state = openRosters(board);
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const byTechnician = Map.groupBy(plan.visits, (one) => one.technician_id);
  for (const { routes, technician } of board.crew) {
    for (const base of routes) {
      const agreed = base.stops.map((stop, at) => ({ stop, from: base.earliest[at] ?? 0 }));
      const planned = (byTechnician.get(technician.id) ?? []).flatMap(({ job_id, visit }) => {
        const job = byId.get(job_id);
        const isHere = base.tour.segment.from <= visit.from && visit.to <= base.tour.segment.to;
        if (job === undefined || !isHere) return [];
        const starts = certifiedStarts(technician, job, siteStarts(board, job));
        const stop: Stop = { place: job.place, minutes: job.minutes, starts, job };
        return [{ stop, from: visit.from }];
      });
      if (planned.length === 0) continue;
      const inOrder = [...agreed, ...planned].sort((a, b) => a.from - b.from).map((one) => one.stop);
      const route = scheduleRoute(base.tour, inOrder);
      if (route !== null) state.replace(base, route);
    }
  }
  return state;
}

/** @returns null for an answer that is no plan */
function planOf(
  board: Board,
  jobs: readonly Job[],
  pool: RoutePool,
  taken: readonly string[],
): DayPlan | null {
  const state = openRosters(board);
  const seen = new Set<object | string>();
  for (const at of chosenColumns(pool, taken)) {
    const column = pool.columns[at];
    if (column === undefined) return null;
    for (const once of [column.base, ...column.jobIds]) {
      if (seen.has(once)) return null;
      seen.add(once);
    }
    state.replace(column.base, column.route);
  }
  try {
    return toPlan(board, jobs, state);
  } catch {
    return null;
  }
}

function requireLimits({ overheadMs, solverMs }: SolverLimits): void {
  const isLimit = (ms: number) => Number.isFinite(ms) && ms > 0 && ms <= MAX_LIMIT_MS;
  if (!isLimit(overheadMs) || !isLimit(solverMs)) refuse('schema_mismatch', { detail: 'not a time limit' });
}

function solve(
  question: SolverQuestion,
  limits: SolverLimits,
): Promise<SolverAnswer | 'timed_out' | 'failed'> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./solver-worker.ts', import.meta.url), {
      workerData: question,
      resourceLimits: { maxOldGenerationSizeMb: MAX_WORKER_MB },
      // The solver talks.
      stdout: true,
    });
    const settle = (answer: SolverAnswer | 'timed_out' | 'failed') => {
      clearTimeout(timer);
      void worker.terminate();
      resolve(answer);
    };
    const timer = setTimeout(() => settle('timed_out'), limits.solverMs + limits.overheadMs);
    worker.once('message', (answer: SolverAnswer) => settle(answer));
    worker.once('error', () => settle('failed'));
    worker.once('exit', () => settle('failed'));
  });
}
