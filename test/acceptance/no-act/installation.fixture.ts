import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopOrphan } from '@deadlatch/postgres';
import { asOperator, type Operator } from '../../../apps/cli/src/operator.ts';
import { type RunFile, readRunFile } from '../../../apps/cli/src/run-file.ts';
import { stateDirAt } from '../../../apps/cli/src/up/state-dir.ts';
import { until } from '../../scenario/browser.ts';
import { freePortBase, startSystem } from '../../support/system.ts';
import { untilWhole } from '../survival/casualties.ts';
import { assertVerified, compare, drained, openBooks } from '../survival/ledger.ts';
import { type Crew, enter, type Known, knowNothing, type People, prepare, text } from '../survival/load.ts';
import type { Attempt } from '../survival/persistent-client.ts';
import { assertResolved } from '../survival/receipts.ts';

const BACK_WITHIN_MS = 60_000;

/** A whole system from which something is taken away while it works. */
export interface Installation<Who extends People = People> {
  readonly stateDir: string;
  readonly run: RunFile;
  readonly people: Who;
  readonly known: Known;
  /** What happens while everybody works; then each waits for the answer to the last thing they sent. */
  during<T>(load: (who: Who, stop: AbortSignal) => Promise<void>, happen: () => Promise<T>): Promise<T>;
  /** One try, of which nobody asks again. */
  attempt(slug: string, command: string, targetId: string | null, input: object): Promise<Attempt>;
  /** Waits until the dispatcher's commands are accepted. */
  untilAccepted(): Promise<void>;
  asOperator<T>(work: (operator: Operator) => Promise<T>): Promise<T>;
  /**
   * Waits until all is at rest, then demands that what was accepted, the events and the effects are the same, that
   * the log holds all of it, and that every receipt that anybody got resolves.
   */
  settle(): Promise<void>;
  close(): Promise<void>;
}

interface Options<Who> {
  /** who is signed in, with what work */
  readonly people: (run: RunFile, known: Known) => Promise<Who>;
  /** the command that the system is started by, before its own */
  readonly within?: (stateDir: string) => readonly string[];
}

/** Everybody signed in, two of them with a ticket in progress. */
export const startAtWork = (options: Omit<Options<Crew>, 'people'> = {}): Promise<Installation<Crew>> =>
  startInstallation({ ...options, people: prepare });

/** Everybody signed in, and nothing begun. */
export const startIdle = (): Promise<Installation> => startInstallation({ people: enter });

async function startInstallation<Who extends People>(options: Options<Who>): Promise<Installation<Who>> {
  const stateDir = await mkdtemp(join(tmpdir(), 'deadlatch-no-act-'));
  const within = options.within?.(stateDir) ?? [];
  const system = await startSystem({ stateDir, portBase: await freePortBase(), within });
  const close = async () => {
    await system.stop();
    await stopOrphan(join(stateDir, 'postgres'));
    await rm(stateDir, { recursive: true, force: true });
  };
  try {
    return { ...(await open(stateDir, within.length > 0, options.people)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open<Who extends People>(
  stateDir: string,
  isElsewhere: boolean,
  peopleOf: Options<Who>['people'],
): Promise<Omit<Installation<Who>, 'close'>> {
  const run = await readRunFile(stateDir);
  // What is mounted for the system alone is seen through its own eyes.
  const seen = isElsewhere ? join('/proc', String(run.pid), 'root', stateDir) : stateDir;
  const known = knowNothing();
  const people = await peopleOf(run, known);
  await drained(seen);
  const kept = await readFile(join(stateDirAt(seen).log, 'checkpoint'));
  const once = new Map<string, Awaited<ReturnType<People['counter']['enter']>>>();
  const attempt: Installation['attempt'] = async (slug, command, targetId, input) => {
    const send = once.get(slug) ?? (await people.counter.enter(slug));
    once.set(slug, send);
    return send(command, targetId, input, randomUUID());
  };
  return {
    stateDir: seen,
    run,
    people,
    known,
    attempt,
    async during(load, happen) {
      const over = new AbortController();
      const working = Promise.all([load(people, over.signal), text(run, known, over.signal)]);
      // Told of a failure at the end, not while something is still taken away.
      working.catch(() => undefined);
      try {
        return await happen();
      } finally {
        over.abort();
        await working;
      }
    },
    untilAccepted: async () => {
      await until(
        'a command to be accepted',
        async () => ((await attempt(...OPEN_TICKET(run))).ok ? true : undefined),
        BACK_WITHIN_MS,
      );
    },
    asOperator: (work) => asOperator(seen, work),
    async settle() {
      await untilWhole(seen);
      await drained(seen);
      const books = await asOperator(seen, openBooks);
      compare(books, known);
      await assertVerified(seen, { otherCheckpoints: [kept], receipts: known.receipts });
      await assertResolved(seen, known.receipts);
      assert.ok(known.receipts.length > 10, 'there was something to speak of');
    },
  };
}

/** What a dispatcher can always do. */
export const OPEN_TICKET = (run: RunFile) =>
  ['dana-dispatcher', 'ticket.create', null, { site_id: run.site_id }] as const;

/** What the authority wrote: two that are equal mean that nothing was done between them. */
async function authorityState({ client }: Operator): Promise<Readonly<Record<string, string>>> {
  const { rows: tables } = await client.query<{ name: string }>(
    // Delivery of what was decided before goes on.
    `select schemaname || '.' || tablename as name from pg_tables
      where schemaname in ('dispatch', 'context') and tablename <> 'outbox' order by 1`,
  );
  const sources = [
    ...tables.map(({ name }) => ({ name, rows: name })),
    { name: 'effects', rows: 'audit.effects' },
    { name: 'events', rows: `(select * from audit.events where origin = 'dispatch')` },
  ];
  const { rows } = await client.query<{ name: string; held: string }>(
    sources
      .map(
        (from) =>
          `select '${from.name}' as name,
                  count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') as held
             from ${from.rows} t`,
      )
      .join(' union all '),
  );
  return Object.fromEntries(rows.map(({ name, held }) => [name, held]));
}

/** Demands that everything that is tried is refused as an outage, and that nothing is done meanwhile. */
export async function assertNothingDone(
  { asOperator: look, attempt, run }: Pick<Installation, 'asOperator' | 'attempt' | 'run'>,
  more: readonly (readonly [string, string, string | null, object])[] = [],
): Promise<void> {
  const before = await look(authorityState);
  for (let round = 0; round < 3; round += 1) {
    for (const tried of [OPEN_TICKET(run), ...more]) {
      const answer = await attempt(...tried);
      assert.deepEqual([tried[1], answer.ok, codeOf(answer)], [tried[1], false, 'unavailable']);
    }
    await sleep(300);
  }
  assert.deepEqual(await look(authorityState), before);
}

const codeOf = (answer: Attempt) => (answer.ok ? 'accepted' : answer.code);
