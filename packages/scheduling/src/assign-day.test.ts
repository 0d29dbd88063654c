import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { assignDay } from './assign-day.ts';
import { type Board, openBoard, type RosterEntry } from './board.ts';
import { COST_UNSERVED } from './factors.ts';
import { improvePlan } from './improve/improve-plan.ts';
import type { DayPlan } from './plan.ts';
import { type Route, scheduleRoute } from './route.ts';
import { naiveDay } from './testing/naive.fixture.ts';
import {
  anyJobs,
  anyRoster,
  at,
  boardOf,
  DAY,
  daily,
  entry,
  job,
  TRAVEL,
  technician,
} from './testing/worlds.fixture.ts';
import type { Job } from './work.ts';

const LIMITS = { solverMs: 20_000, overheadMs: 30_000 };

/** Each visit beside all others of its technician, by the second implementation. */
function requireFeasible(roster: readonly RosterEntry[], jobs: readonly Job[], plan: DayPlan): void {
  const jobOf = (id: string) => jobs.find((one) => one.id === id) ?? assert.fail(id);
  for (const { job_id, technician_id, visit } of plan.visits) {
    const who = roster.find((one) => one.technician.id === technician_id);
    assert.ok(who);
    const others = plan.visits
      .filter((one) => one.technician_id === technician_id && one.job_id !== job_id)
      .map((one) => ({ ...one.visit, place: jobOf(one.job_id).place }));
    const what = jobOf(job_id);
    assert.equal(visit.to - visit.from, what.minutes);
    assert.ok(what.starts_within.from <= visit.from && visit.from < what.starts_within.to);
    assert.ok(naiveDay(who, what, others).mayBegin(visit.from), `${job_id} by ${technician_id}`);
  }
  const named = [...plan.visits, ...plan.unserved].map((one) => one.job_id);
  assert.deepEqual(named.sort(), jobs.map((one) => one.id).sort());
}

test('every job is done once, by somebody who may, or is named as undone', () => {
  let served = 0;
  fc.assert(
    fc.property(anyRoster, anyJobs(6), fc.integer({ min: 0, max: 3 }), (roster, jobs, rounds) => {
      const plan = assignDay(openBoard(DAY, TRAVEL, roster), jobs, { rounds });
      requireFeasible(roster, jobs, plan);
      served += plan.visits.length;
    }),
    { numRuns: 300 },
  );
  assert.ok(served > 100);
});

test('a job that anybody could do on an empty day is done, alone', () => {
  fc.assert(
    fc.property(anyRoster, anyJobs(1), (roster, jobs) => {
      const [what] = jobs;
      assert.ok(what);
      const able = roster.filter((who) => {
        const naive = naiveDay(who, what);
        const { from, to } = what.starts_within;
        return Array.from({ length: to - from }, (_, index) => from + index).some(naive.mayBegin);
      });
      const plan = assignDay(openBoard(DAY, TRAVEL, roster), jobs);
      // Later than promised by so much that it costs more than not to come.
      const isHopeless = what.due_at !== null && plan.visits.length === 0;
      if (!isHopeless) assert.equal(plan.visits.length, able.length > 0 ? 1 : 0);
    }),
    { numRuns: 300 },
  );
});

test('the same plan for the same work, in whatever order it comes', () => {
  fc.assert(
    fc.property(anyRoster, anyJobs(6), (roster, jobs) => {
      const plan = assignDay(openBoard(DAY, TRAVEL, roster), jobs);
      const turned = assignDay(openBoard(DAY, TRAVEL, [...roster].reverse()), [...jobs].reverse());
      assert.deepEqual(turned, plan);
    }),
    { numRuns: 200 },
  );
});

test('more rounds never cost more', () => {
  fc.assert(
    fc.property(anyRoster, anyJobs(6), (roster, jobs) => {
      const board = openBoard(DAY, TRAVEL, roster);
      const costs = [0, 1, 2, 4].map((rounds) => assignDay(board, jobs, { rounds }).cost);
      assert.deepEqual(
        costs,
        [...costs].sort((a, b) => b - a),
      );
    }),
    { numRuns: 200 },
  );
});

test('what presses comes first when there is no room for all', () => {
  const jobs = [
    job({ id: 'a', minutes: 240 }),
    job({ id: 'b', minutes: 240, priority: 'EMERGENCY' }),
    job({ id: 'c', minutes: 240, priority: 'URGENT' }),
  ];
  const plan = assignDay(boardOf(entry()), jobs);
  assert.deepEqual(
    plan.visits.map((one) => [one.job_id, one.visit.from]),
    [
      ['b', at(8)],
      ['c', at(12)],
    ],
  );
  assert.deepEqual(plan.unserved, [{ job_id: 'a', reason: 'no_room' }]);
  const nobody = assignDay(boardOf(entry({ technician: technician({ skills: [] }) })), jobs.slice(0, 1));
  assert.deepEqual(nobody.unserved, [{ job_id: 'a', reason: 'nobody_eligible' }]);
  assert.equal(nobody.cost, COST_UNSERVED.ROUTINE);
});

test('a job twice is refused', () => {
  assert.throws(() => assignDay(boardOf(entry()), [job(), job()]), DispatchError);
});

test('the solver never makes a plan worse, and what it makes is still allowed', async () => {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(anyRoster, anyJobs(4), async (roster, jobs) => {
      const board = openBoard(DAY, TRAVEL, roster);
      const plan = assignDay(board, jobs, { rounds: 0 });
      const better = await improvePlan(board, jobs, plan, LIMITS);
      outcomes.add(better.outcome);
      assert.ok(better.isBest);
      assert.ok(better.plan.cost <= plan.cost);
      assert.equal(better.outcome === 'improved', better.plan.cost < plan.cost);
      requireFeasible(roster, jobs, better.plan);
    }),
    { numRuns: 15 },
  );
  assert.ok(outcomes.has('no_better'));
});

test('the solver undoes a choice that was best for one job alone', async () => {
  // Four hours each: the first that is placed takes the one technician who could do the second.
  const both = technician({ id: 'both', skills: ['locks', 'glass'], territories: ['north', 'south'] });
  const locks = technician({ id: 'locks', skills: ['locks', 'x', 'y', 'z'] });
  const morning = daily(8 * 60, 12 * 60);
  const roster = [
    entry({ technician: both, shifts: morning }),
    entry({ technician: locks, shifts: morning }),
  ];
  const jobs = [job({ id: 'a', minutes: 240 }), job({ id: 'b', minutes: 240, skills: ['glass'] })];
  const board = boardOf(...roster);
  const plan = assignDay(board, jobs, { rounds: 0 });
  assert.equal(plan.visits.length, 1);
  const better = await improvePlan(board, jobs, plan, LIMITS);
  assert.equal(better.outcome, 'improved');
  assert.deepEqual(
    better.plan.visits.map((one) => [one.technician_id, one.job_id]),
    [
      ['both', 'b'],
      ['locks', 'a'],
    ],
  );
  requireFeasible(roster, jobs, better.plan);
});

/** Every way to share the jobs out and every order of each share, with nothing agreed before; the cheapest. */
function leastCost(board: Board, jobs: readonly Job[]): number {
  const routes = board.crew.flatMap((crew) => crew.routes);
  const base = routes.reduce((sum, route) => sum + route.cost, 0);
  const tryAll = (left: readonly Job[], now: readonly Route[], undone: number): number => {
    const [next, ...rest] = left;
    if (next === undefined) return now.reduce((sum, route) => sum + route.cost, 0) - base + undone;
    let least = tryAll(rest, now, undone + COST_UNSERVED[next.priority]);
    now.forEach((route, index) => {
      for (let place = 0; place <= route.stops.length; place += 1) {
        // As if all of the day were open to it; the cases below leave it so.
        const stop = { place: next.place, minutes: next.minutes, starts: [next.starts_within], job: next };
        const longer = scheduleRoute(route.tour, route.stops.toSpliced(place, 0, stop));
        if (longer !== null) least = Math.min(least, tryAll(rest, now.with(index, longer), undone));
      }
    });
    return least;
  };
  return tryAll(jobs, routes, 0);
}

test('what the solver calls best is what trying every order finds', async () => {
  const minutes = fc.integer({ min: 60, max: 240 });
  const east = fc.integer({ min: 0, max: 8 }).map((step) => -97_700_000 - step * 20_000);
  const due = fc.option(fc.integer({ min: at(8), max: at(12) }));
  const anyDay = fc.array(fc.tuple(minutes, east, due), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(anyDay, async (drawn) => {
      const jobs = drawn.map(([length, lon_e6, due_at], index) =>
        job({
          id: `j${index}`,
          minutes: length,
          place: { position: { lat_e6: 30_300_000, lon_e6 }, territory: 'north' },
          site_hours: daily(0, 24 * 60),
          due_at,
        }),
      );
      const board = boardOf(...['one', 'two'].map((id) => entry({ technician: technician({ id }) })));
      const plan = assignDay(board, jobs);
      const best = await improvePlan(board, jobs, plan, LIMITS);
      assert.ok(best.isBest);
      assert.equal(best.plan.cost, leastCost(board, jobs));
    }),
    { numRuns: 15 },
  );
});

test('a solver that is not given the time leaves the plan as it is, and one without a limit is not started', async () => {
  const board = boardOf(entry());
  const jobs = [job({ id: 'a' }), job({ id: 'b' })];
  const plan = assignDay(board, jobs);
  const same = await improvePlan(board, jobs, plan, { solverMs: 1, overheadMs: 1 });
  assert.deepEqual(same, { plan, outcome: 'timed_out', isBest: false });
  for (const limit of [0, -1, Number.NaN, Infinity]) {
    await assert.rejects(improvePlan(board, jobs, plan, { ...LIMITS, solverMs: limit }), DispatchError);
    await assert.rejects(improvePlan(board, jobs, plan, { ...LIMITS, overheadMs: limit }), DispatchError);
  }
});

test('what a solver may choose from holds more than the plan for many jobs too, and the choice is checked', async () => {
  // Nine jobs are too many to try every order.
  const roster = ['one', 'two'].map((id) => entry({ technician: technician({ id }) }));
  const jobs = Array.from({ length: 9 }, (_, index) =>
    job({
      id: `j${index}`,
      minutes: 40 + index * 5,
      place: {
        position: { lat_e6: 30_300_000 + index * 9_000, lon_e6: -97_700_000 - (index % 3) * 40_000 },
        territory: 'north',
      },
    }),
  );
  const board = boardOf(...roster);
  const plan = assignDay(board, jobs, { rounds: 0 });
  const better = await improvePlan(board, jobs, plan, LIMITS);
  assert.ok(['improved', 'no_better'].includes(better.outcome));
  assert.equal(better.isBest, false);
  assert.ok(better.plan.cost <= plan.cost);
  requireFeasible(roster, jobs, better.plan);
});
