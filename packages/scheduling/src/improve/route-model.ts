import { COST_UNSERVED } from '../factors.ts';
import type { Job } from '../work.ts';
import type { RoutePool } from './route-pool.ts';

/** Variables of one line of the model: readers of the format have limits on what a line holds. */
const TERMS_PER_LINE = 20;

/**
 * Set partitioning in CPLEX LP format: of every original route at most one column, every job on one column or undone.
 * `x<n>` is column n of the pool, `u<n>` job n undone.
 */
export function routeModel({ columns }: RoutePool, jobs: readonly Job[]): string {
  const byJob = new Map<string, string[]>(jobs.map((job) => [job.id, []]));
  const byBase = new Map<object, string[]>();
  columns.forEach(({ base, jobIds }, at) => {
    const name = `x${at}`;
    byBase.set(base, [...(byBase.get(base) ?? []), name]);
    for (const id of jobIds) byJob.get(id)?.push(name);
  });
  const costs = [
    ...columns.map(({ base, route }, at) => term(route.cost - base.cost, `x${at}`)),
    ...jobs.map((job, at) => term(COST_UNSERVED[job.priority], `u${at}`)),
  ];
  const names = [...columns.map((_, at) => `x${at}`), ...jobs.map((_, at) => `u${at}`)];
  return [
    'Minimize',
    ` cost: ${lines(costs)}`,
    'Subject To',
    ...jobs.map((job, at) => ` j${at}: ${lines([...(byJob.get(job.id) ?? []), `u${at}`].map(plus))} = 1`),
    ...[...byBase.values()].map((own, at) => ` r${at}: ${lines(own.map(plus))} <= 1`),
    'Binary',
    ` ${lines(names)}`,
    'End',
    '',
  ].join('\n');
}

/** The columns that an answer takes. @param taken names of variables that are 1 */
export function chosenColumns(pool: RoutePool, taken: readonly string[]): readonly number[] {
  return taken.flatMap((name) => {
    const at = /^x\d+$/.test(name) ? Number(name.slice(1)) : -1;
    return at >= 0 && at < pool.columns.length ? [at] : [];
  });
}

function plus(name: string): string {
  return `+ ${name}`;
}

function term(cost: number, name: string): string {
  return `${cost < 0 ? '-' : '+'} ${Math.abs(cost)} ${name}`;
}

function lines(terms: readonly string[]): string {
  return terms.map((one, at) => (at > 0 && at % TERMS_PER_LINE === 0 ? `\n  ${one}` : one)).join(' ');
}
