/**
 * `npm run bench [-- --json FILE]`: how much a command costs, in one run on the embedded PostgreSQL.
 * Floor, road and HTTP take turns in short rounds, because a busy machine must slow all three alike.
 * What each key means stands in docs/operate/benchmarks.md.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { provenWithoutSignature } from './bench/command.ts';
import { rateOf } from './bench/in-parallel.ts';
import { measureMerkle } from './bench/merkle.ts';
import { type Job, type Place, preparePlace } from './bench/place.ts';
import { measurePure } from './bench/pure.ts';
import { median, quantile, type Results, rounded, table } from './bench/report.ts';
import { createRoad, createTools, factsOf, premadeCommits } from './bench/road.ts';
import { measureScheduling } from './bench/scheduling.ts';
import { measureSequencing } from './bench/sequencing.ts';
import { type Service, startService } from './bench/service.ts';

const ROUNDS = 5;
const CLIENTS = 16;
/** Aim of one phase; counts of calls follow from the rate of the round before. */
const PHASE_S = 1.8;
const SINGLE_S = 1;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'string' } } });
  const directory = await mkdtemp(join(tmpdir(), 'deadlatch-bench-'));
  const closing: (() => Promise<void>)[] = [() => rm(directory, { recursive: true, force: true })];
  const interrupted = () => void closeAll(closing).then(() => process.exit(1));
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    // PostgreSQL may run as another user and has to walk through.
    await chmod(directory, 0o711);
    console.log('preparing a database with 1,000 technicians on site …');
    const portBase = await freePort();
    const place = await preparePlace(join(directory, 'postgres'), await freePort());
    closing.unshift(() => place.close());
    const service = await startService(place, join(directory, 'state'), portBase - 10);
    closing.unshift(() => service.close());
    const commands = await measure(place, service);
    console.log('sequencing …');
    const log = await measureSequencing(place, createTools(), join(directory, 'log'));
    console.log('scheduling …');
    const plans = await measureScheduling();
    const results = rounded({ ...commands, ...log, ...plans });
    console.log(table(results));
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
    return 0;
  } finally {
    await closeAll(closing);
  }
}

async function measure(place: Place, service: Service): Promise<Results> {
  const tools = createTools();
  const road = createRoad(place.path, tools);
  const jobs = takeTurns(place.jobs);
  const seen = { floor: [] as number[], road: [] as number[], http: [] as number[], single: [] as number[] };
  const latencies = { many: [] as number[], single: [] as number[] };

  const floorRound = async (count: number) => {
    const premade = await premadeCommits(place, tools, jobs(count));
    const texts = premade.map((commit) => JSON.stringify(commit));
    return await rateOf(CLIENTS, count, (at) =>
      place.pool.query({
        name: 'commit_decision',
        text: 'select dispatch.commit_decision($1::jsonb) as answer',
        values: [texts[at]],
      }),
    );
  };
  const roadRound = async (count: number) => {
    const calls = jobs(count).map((job, at) => provenWithoutSignature(place.tenantId, job, at));
    return await rateOf(CLIENTS, count, async (at) => {
      const one = calls[at];
      if (one === undefined) throw new RangeError('no such call');
      await road.run(one.proven, one.call);
    });
  };

  // The first round warms every process and says how many calls fill a phase; it does not count.
  let [floor, inProcess, http, single] = [800, 500, 300, 100];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const isWarm = round > 0;
    const size = (perSecond: number, seconds: number) =>
      isWarm ? Math.max(100, Math.round(perSecond * seconds)) : Math.round(perSecond);
    floor = await floorRound(size(floor, PHASE_S));
    inProcess = await roadRound(size(inProcess, PHASE_S));
    const many = await service.load(CLIENTS, size(http, PHASE_S));
    const alone = await service.load(1, size(single, SINGLE_S));
    http = many.perSecond;
    single = alone.perSecond;
    const line = [floor, inProcess, http, single].map((n) => n.toFixed(0).padStart(6)).join('');
    console.log(`${isWarm ? `round ${round}` : 'warm-up'}  floor, road, http, http of one: ${line}`);
    if (!isWarm) continue;
    seen.floor.push(floor);
    seen.road.push(inProcess);
    seen.http.push(http);
    seen.single.push(single);
    latencies.many.push(...many.latenciesMs);
    latencies.single.push(...alone.latenciesMs);
  }
  const [job] = place.jobs;
  if (job === undefined) throw new RangeError('no jobs');
  const [commit] = await premadeCommits(place, tools, [job]);
  if (commit === undefined) throw new RangeError('no commit');
  const floorPerS = median(seen.floor);
  return {
    floor_per_s_16: floorPerS,
    road_per_s_16: median(seen.road),
    http_per_s_16: median(seen.http),
    http_per_s_1: median(seen.single),
    ratio_road_16: median(seen.road) / floorPerS,
    ratio_http_16: median(seen.http) / floorPerS,
    p50_ms_1: quantile(latencies.single, 0.5),
    p99_ms_1: quantile(latencies.single, 0.99),
    p50_ms_16: quantile(latencies.many, 0.5),
    p99_ms_16: quantile(latencies.many, 0.99),
    ...measurePure(tools, place.tenantId, job, await factsOf(place, job)),
    ...measureMerkle(commit.event.body),
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

async function closeAll(closing: (() => Promise<void>)[]): Promise<void> {
  for (let close = closing.shift(); close !== undefined; close = closing.shift()) await close();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject()));
    });
  });
}

process.exitCode = await main();
