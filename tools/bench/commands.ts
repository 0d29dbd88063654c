import type { DecisionTools } from '@deadlatch/decision';
import { provenWithoutSignature } from './command.ts';
import { rateOf } from './in-parallel.ts';
import type { Job, Place } from './place.ts';
import { median, quantile, type Results } from './report.ts';
import { createRoad, premadeCommits } from './road.ts';
import type { Service } from './service.ts';

const ROUNDS = 5;
const CLIENTS = 16;
/** Aim of one phase; counts of calls follow from the rate of the round before. */
const PHASE_S = 1.8;
const SINGLE_S = 1;

interface Services {
  readonly service: Service;
  /** The same without TLS. */
  readonly plain: Service;
}

/** What each phase of a round does: `count` calls; answers calls per second. */
interface Phases {
  floor(count: number): Promise<number>;
  road(count: number): Promise<number>;
}

/** Per second, and for HTTP milliseconds of every call. */
interface Round {
  readonly floor: number;
  readonly road: number;
  readonly http: number;
  readonly plain: number;
  readonly single: number;
  readonly latencies: { readonly many: readonly number[]; readonly single: readonly number[] };
}

/** Floor, road, HTTP and HTTP without TLS take turns in short rounds; each result is the median of its rounds. */
export async function measureCommands(
  place: Place,
  services: Services,
  tools: DecisionTools,
): Promise<Results> {
  const phases = createPhases(place, tools);
  // The first round warms every process and says how many calls fill a phase; it does not count.
  let last = await playRound(phases, services, { floor: 800, road: 500, http: 300, single: 100 });
  print('warm-up', last);
  const rounds: Round[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const calls = (perSecond: number, seconds: number) => Math.max(100, Math.round(perSecond * seconds));
    last = await playRound(phases, services, {
      floor: calls(last.floor, PHASE_S),
      road: calls(last.road, PHASE_S),
      http: calls(last.http, PHASE_S),
      single: calls(last.single, SINGLE_S),
    });
    print(`round ${round}`, last);
    rounds.push(last);
  }
  return summary(rounds);
}

function createPhases(place: Place, tools: DecisionTools): Phases {
  const road = createRoad(place.path, tools);
  const jobs = takeTurns(place.jobs);
  return {
    async floor(count) {
      const premade = await premadeCommits(place, tools, jobs(count));
      const texts = premade.map((commit) => JSON.stringify(commit));
      return await rateOf(CLIENTS, count, (at) =>
        place.pool.query({
          name: 'commit_decision',
          text: 'select dispatch.commit_decision($1::jsonb) as answer',
          values: [texts[at]],
        }),
      );
    },
    async road(count) {
      const calls = jobs(count).map((job, at) => provenWithoutSignature(place.tenantId, job, at));
      return await rateOf(CLIENTS, count, async (at) => {
        const one = calls[at];
        if (one === undefined) throw new RangeError('no such call');
        await road.run(one.proven, one.call);
      });
    },
  };
}

async function playRound(
  phases: Phases,
  { service, plain }: Services,
  counts: { readonly floor: number; readonly road: number; readonly http: number; readonly single: number },
): Promise<Round> {
  const floor = await phases.floor(counts.floor);
  const road = await phases.road(counts.road);
  const many = await service.load(CLIENTS, counts.http);
  const withoutTls = await plain.load(CLIENTS, counts.http);
  const alone = await service.load(1, counts.single);
  return {
    floor,
    road,
    http: many.perSecond,
    plain: withoutTls.perSecond,
    single: alone.perSecond,
    latencies: { many: many.latenciesMs, single: alone.latenciesMs },
  };
}

function print(name: string, { floor, road, http, plain, single }: Round): void {
  const line = [floor, road, http, plain, single].map((n) => n.toFixed(0).padStart(6)).join('');
  console.log(`${name}  floor, road, http, http without TLS, http of one: ${line}`);
}

function summary(rounds: readonly Round[]): Results {
  const of = (name: 'floor' | 'road' | 'http' | 'plain' | 'single') => median(rounds.map((r) => r[name]));
  const many = rounds.flatMap((r) => r.latencies.many);
  const single = rounds.flatMap((r) => r.latencies.single);
  return {
    floor_per_s_16: of('floor'),
    road_per_s_16: of('road'),
    http_per_s_16: of('http'),
    http_without_tls_per_s_16: of('plain'),
    http_per_s_1: of('single'),
    ratio_road_16: of('road') / of('floor'),
    ratio_http_16: of('http') / of('floor'),
    ratio_mtls_16: median(rounds.map((r) => r.http / r.plain)),
    mtls_us_per_command: median(rounds.map((r) => 1e6 / r.http - 1e6 / r.plain)),
    p50_ms_1: quantile(single, 0.5),
    p99_ms_1: quantile(single, 0.99),
    p50_ms_16: quantile(many, 0.5),
    p99_ms_16: quantile(many, 0.99),
  };
}

/** Hands out jobs one after the other, so that a ticket's next turn comes when its last is long over. */
function takeTurns(jobs: readonly Job[]): (count: number) => Job[] {
  let cursor = 0;
  return (count) =>
    Array.from({ length: count }, () => {
      const job = jobs[cursor % jobs.length];
      if (job === undefined) throw new RangeError('no jobs');
      cursor += 1;
      return job;
    });
}
