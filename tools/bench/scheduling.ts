/**
 * What scheduling costs, on made-up but seeded data and one core: options for one ticket, a day for everybody, and how
 * far from the best plan the heuristic ends up where the best can be known.
 * `node tools/bench/scheduling.ts` runs it alone; it needs no database.
 */
import { pathToFileURL } from 'node:url';
import {
  assignDay,
  type Commitment,
  createGreatCircleTravel,
  createZones,
  type Interval,
  improvePlan,
  type Job,
  openBoard,
  optionsFor,
  type RosterEntry,
} from '@deadlatch/scheduling';
import { quantile, type Results, rounded, table } from './report.ts';
import {
  anyJob,
  anyTechnician,
  compileRoster,
  MONDAY,
  type PlainTechnician,
  seeded,
  siteHours,
} from './scheduling-world.ts';

const DAY = 24 * 60;
const TECHNICIANS = 200;
const VISITS = 2_000;
const WEEK: Interval = { from: MONDAY, to: MONDAY + 7 * DAY };
const MONDAY_ONLY: Interval = { from: MONDAY, to: MONDAY + DAY };
const ASKS = 300;
const SMALL_CASES = 20;
const SMALL_JOBS = 7;
const LIMITS = { solverMs: 30_000, overheadMs: 30_000 };

const TRAVEL = createGreatCircleTravel({
  kmPerHour: 40,
  detourPercent: 130,
  overheadMinutes: 5,
  unknownMinutes: { within: 45, across: 90 },
});

export async function measureScheduling(): Promise<Results> {
  const week = fillWeek();
  return { ...optionLatency(week), ...dayAssignment(), ...(await distanceFromBest()) };
}

/** 200 technicians whose week already holds 2,000 visits, planned by the engine itself. */
function fillWeek(): readonly PlainTechnician[] {
  const random = seeded(1);
  const zones = createZones();
  const plain = Array.from({ length: TECHNICIANS }, (_, index) => anyTechnician(random, index));
  const hours = siteHours(zones);
  const commitments = new Map<string, Commitment[]>();
  let open = 0;
  for (let day = 0; day < 5; day += 1) {
    const within = { from: MONDAY + day * DAY, to: MONDAY + (day + 1) * DAY };
    // More than a fifth, since some find nobody.
    const jobs = Array.from({ length: VISITS / 4 }, (_, at) =>
      anyJob(random, day * 1000 + at, hours, within),
    );
    const places = new Map(jobs.map((job) => [job.id, job.place]));
    const board = openBoard(within, TRAVEL, compileRoster(plain, zones));
    for (const { job_id, technician_id, visit } of assignDay(board, jobs, { rounds: 0 }).visits) {
      const place = places.get(job_id);
      if (place === undefined || open === VISITS) continue;
      open += 1;
      commitments.set(technician_id, [...(commitments.get(technician_id) ?? []), { ...visit, place }]);
    }
  }
  if (open < VISITS) throw new Error(`only ${open} visits`);
  return plain.map(({ entry, shifts }) => ({
    shifts,
    entry: { ...entry, commitments: commitments.get(entry.technician.id) ?? [] },
  }));
}

/** Each ask goes all the way from rows: calendars are compiled, the board is laid out, options are chosen. */
function optionLatency(plain: readonly PlainTechnician[]): Results {
  const random = seeded(2);
  // A service keeps its zones: they are names, and the world has a few hundred.
  const zones = createZones();
  const hours = siteHours(zones);
  const jobs = Array.from({ length: ASKS }, (_, at) => anyJob(random, at, hours, WEEK));
  const whole: number[] = [];
  const laidOut: number[] = [];
  const computed: number[] = [];
  let withThree = 0;
  const ask = (job: Job) => {
    const cpu = process.cpuUsage();
    const from = performance.now();
    const board = openBoard(WEEK, TRAVEL, compileRoster(plain, zones));
    const ready = performance.now();
    const options = optionsFor(board, job);
    const end = performance.now();
    whole.push(end - from);
    laidOut.push(end - ready);
    computed.push(cpuMs(cpu));
    if (options.length === 3) withThree += 1;
  };
  jobs.slice(0, 20).forEach(ask);
  whole.length = 0;
  laidOut.length = 0;
  computed.length = 0;
  withThree = 0;
  jobs.forEach(ask);
  return {
    options_p99_ms_200x2000: quantile(whole, 0.99),
    options_p50_ms_200x2000: quantile(whole, 0.5),
    options_p99_cpu_ms_200x2000: quantile(computed, 0.99),
    options_on_open_board_p99_ms: quantile(laidOut, 0.99),
    options_share_with_three: withThree / ASKS,
  };
}

/** Of all threads of this process, the collector's too: what a machine that does nothing else would need at most. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { system, user } = process.cpuUsage(since);
  return (system + user) / 1000;
}

/** 2,000 jobs for 200 technicians on one empty day. */
function dayAssignment(): Results {
  const random = seeded(3);
  const zones = createZones();
  const plain = Array.from({ length: TECHNICIANS }, (_, index) => anyTechnician(random, index));
  const hours = siteHours(zones);
  const jobs = Array.from({ length: VISITS }, (_, at) => anyJob(random, at, hours, MONDAY_ONLY));
  const board = openBoard(MONDAY_ONLY, TRAVEL, compileRoster(plain, zones));
  const cpu = process.cpuUsage();
  const from = performance.now();
  const plan = assignDay(board, jobs);
  const ms = performance.now() - from;
  return {
    day_assignment_ms: ms,
    day_assignment_cpu_ms: cpuMs(cpu),
    day_assignment_served: plan.visits.length,
  };
}

/** Three technicians and seven jobs: every route there can be, and HiGHS choosing among them, is the best plan. */
async function distanceFromBest(): Promise<Results> {
  const distances: number[] = [];
  for (let seed = 0; seed < SMALL_CASES; seed += 1) {
    const random = seeded(100 + seed);
    const zones = createZones();
    const roster: RosterEntry[] = compileRoster(
      [0, 1, 2].map((index) => anyTechnician(random, index)),
      zones,
    );
    const hours = siteHours(zones);
    const jobs = Array.from({ length: SMALL_JOBS }, (_, at) => ({
      ...anyJob(random, at, hours, MONDAY_ONLY),
      // Long enough that not everything fits anywhere, asked of anybody who works there.
      minutes: 45 + Math.floor(random() * 120),
      skills: ['locksmith'],
      certifications: [],
    }));
    const board = openBoard(MONDAY_ONLY, TRAVEL, roster);
    const plan = assignDay(board, jobs);
    const best = await improvePlan(board, jobs, plan, LIMITS);
    if (!best.isBest) throw new Error(`the solver has no best plan: ${best.outcome}`);
    distances.push((plan.cost - best.plan.cost) / best.plan.cost);
  }
  return {
    distance_from_best_small: distances.reduce((sum, one) => sum + one, 0) / distances.length,
    distance_from_best_small_max: Math.max(...distances),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(table(rounded(await measureScheduling())));
}
