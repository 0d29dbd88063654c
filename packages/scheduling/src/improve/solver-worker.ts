/** Runs HiGHS on one model and answers; in a thread of its own, because it does nothing else until it has. */
import { parentPort, workerData } from 'node:worker_threads';
import highsModule from 'highs';
import type { SolverAnswer, SolverQuestion } from './improve-plan.ts';

const { model, timeLimitMs } = workerData as SolverQuestion;
// Its types describe the CommonJS build, whose function is a member; Node loads the other build, which is the function.
const loadHighs = highsModule as unknown as typeof highsModule.default;
const highs = await loadHighs();
// One seed and one thread: the same model has the same answer, unless the time runs out.
const solution = highs.solve(model, { time_limit: timeLimitMs / 1000, random_seed: 0, mip_rel_gap: 0 });
const answer: SolverAnswer = {
  isOptimal: solution.Status === 'Optimal',
  taken: Object.entries(solution.Columns).flatMap(([name, column]) =>
    'Primal' in column && column.Primal > 0.5 ? [name] : [],
  ),
};
parentPort?.postMessage(answer);
