/**
 * `npm run bench [-- --json FILE] [--only commands|tickets] [--tickets N,N,…]`: how much a command costs, and a page of
 * the queue and a timeline at several numbers of tickets, in one run on the embedded PostgreSQL.
 * Floor, road and HTTP take turns in short rounds, because a busy machine must slow all three alike.
 * What each key means stands in docs/operate/benchmarks.md.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DecisionTools } from '@deadlatch/decision';
import { measureCommands } from './bench/commands.ts';
import { measureManyTickets } from './bench/many-tickets.ts';
import { measureMerkle } from './bench/merkle.ts';
import { type Place, preparePlace } from './bench/place.ts';
import { measurePure } from './bench/pure.ts';
import { type Results, rounded, table } from './bench/report.ts';
import { createTools, factsOf, premadeCommits } from './bench/road.ts';
import { measureScheduling } from './bench/scheduling.ts';
import { measureSequencing } from './bench/sequencing.ts';
import { startService } from './bench/service.ts';

type Closing = (() => Promise<void>)[];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: 'string' },
      only: { type: 'string' },
      tickets: { type: 'string', default: '1000,100000,1000000' },
    },
  });
  const sizes = values.tickets.split(',').map(Number);
  const isKnown = values.only === undefined || values.only === 'commands' || values.only === 'tickets';
  if (!isKnown || sizes.some((size) => !Number.isSafeInteger(size) || size < 100 || size > 5_000_000)) {
    console.error('--only takes commands or tickets; --tickets takes numbers from 100 to 5000000');
    return 2;
  }
  const directory = await mkdtemp(join(tmpdir(), 'deadlatch-bench-'));
  const closing: Closing = [() => rm(directory, { recursive: true, force: true })];
  // Once: what is broken off fails too, and the folder goes only after the server in it.
  let ending: Promise<void> | undefined;
  const end = () => {
    ending ??= closeAll(closing);
    return ending;
  };
  const interrupted = () => void end().then(() => process.exit(1));
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    // PostgreSQL may run as another user and has to walk through.
    await chmod(directory, 0o711);
    const commands = values.only === 'tickets' ? {} : await measureAllOfCommands(directory, closing);
    const many = { directory: join(directory, 'many'), port: await freePort(), sizes, closing };
    const tickets = values.only === 'commands' ? {} : await measureManyTickets(many);
    const results = rounded({ ...commands, ...tickets });
    console.log(table(results));
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
    return 0;
  } finally {
    await end();
  }
}

async function measureAllOfCommands(directory: string, closing: Closing): Promise<Results> {
  console.log('preparing a database with 1,000 technicians on site …');
  const portBase = await freePort();
  const place = await preparePlace(join(directory, 'postgres'), await freePort());
  closing.unshift(() => place.close());
  const service = await startService(place, {
    directory: join(directory, 'state'),
    portBase: portBase - 10,
    mtls: 'on',
  });
  closing.unshift(() => service.close());
  const plain = await startService(place, {
    directory: join(directory, 'state-without-tls'),
    portBase: (await freePort()) - 10,
    mtls: 'mesh',
  });
  closing.unshift(() => plain.close());
  const tools = createTools();
  const commands = await measureCommands(place, { service, plain }, tools);
  const parts = await measureParts(place, tools);
  console.log('sequencing …');
  const log = await measureSequencing(place, createTools(), join(directory, 'log'));
  console.log('scheduling …');
  return { ...commands, ...parts, ...log, ...(await measureScheduling()) };
}

/** One core alone: what needs no database, on the command that is measured. */
async function measureParts(place: Place, tools: DecisionTools): Promise<Results> {
  const [job] = place.jobs;
  if (job === undefined) throw new RangeError('no jobs');
  const [commit] = await premadeCommits(place, tools, [job]);
  if (commit === undefined) throw new RangeError('no commit');
  return {
    ...measurePure(tools, place.tenantId, job, await factsOf(place, job)),
    ...measureMerkle(commit.event.body),
  };
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
