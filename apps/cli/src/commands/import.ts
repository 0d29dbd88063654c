import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInputValidator, type FreeTextRef, findCommand, routeOf } from '@deadlatch/catalogue';
import { DispatchError, type JsonValue, refuse } from '@deadlatch/kernel';
import { type Arguments, EXIT, UsageError } from '../arguments.ts';
import { type Progress, showProgress } from '../audit/progress.ts';
import { type AskedBatch, askForContacts, readWaiting } from '../import/ask-contacts.ts';
import type { RowKind } from '../import/kinds.ts';
import type { ContactBatch } from '../import/plan-contacts.ts';
import { type ImportPlan, placeOf, planImport } from '../import/plan-import.ts';
import { readDirectory } from '../import/read-directory.ts';
import { type ReadTable, readTable } from '../import/read-table.ts';
import { type ImportRun, LineRefused, runImport, type SendCommand } from '../import/run-import.ts';
import { say, tellPlan, tellRefusal, tellWaiting } from '../import/tell-import.ts';
import { asPerson, type PersonSession } from '../person-session.ts';
import { readRunFile } from '../run-file.ts';

/** Tries of one line while a service is busy or away; a second in between. */
const TRIES = 30;
/** Acts that wait for one person at once: each takes a code of its own, within the hour that it waits. */
const ACTS_AT_ONCE = 20;
const LOOK_EVERY_MS = 3_000;

/**
 * `deadlatch import FILE... --as PERSON [--dry-run] [--wait]`: puts accounts, sites, equipment and technicians on file,
 * each line by a command of that person, and asks for contacts, many in one act. Every line of every file is decided
 * first; nothing is done unless all of them can be.
 * @returns 0; 1 when lines are wrong, with every one of them; 3 when the gate refused, or somebody declined what was
 *   waited for; 4 when nobody answered
 */
export async function importFiles(args: Arguments): Promise<number> {
  const { words: paths, as: who } = args;
  if (paths.length === 0 || !who) throw new UsageError('import FILE... --as PERSON [--dry-run] [--wait]');
  if (new Set(paths.map((path) => basename(path))).size < paths.length) {
    throw new UsageError('each kind of file can be given once');
  }
  const tables = await Promise.all(paths.map(async (path) => readTable(path, await bytesOf(path))));
  const run = await readRunFile(args.stateDir);
  return asPerson(run, who, async (session) => {
    const plan = await planned(session, tables);
    if (plan.problems.length > 0 || args.dryRun) return tellPlan(args, plan);
    const notAsked = await refusedToAsk(session, plan);
    if (notAsked !== null) return tellRefusal(args, notAsked, 0);
    const total = plan.steps.length + plan.contacts.batches.reduce((sum, { rows }) => sum + rows.length, 0);
    const progress = showProgress('lines', total, process.stderr.isTTY === true);
    try {
      return await work(args, session, tables, plan, progress);
    } catch (error) {
      progress.end();
      if (!(error instanceof LineRefused)) throw error;
      return tellRefusal(args, error, Math.min(progress.count(), plan.steps.length));
    }
  });
}

/** Whoever may not ask for contacts hands nobody's name to the vault, and has nothing else done either. */
async function refusedToAsk(session: PersonSession, { contacts }: ImportPlan): Promise<LineRefused | null> {
  const [batch] = contacts.batches;
  if (batch === undefined) return null;
  const { roles } = (await session.read('/v1/self')) as { readonly roles?: readonly string[] };
  const mayAsk = findCommand('contact.import')?.who.some(({ role }) => roles?.includes(role) === true);
  const place = { file: batch.file, line: batch.rows[0]?.line ?? 0 };
  return mayAsk === true ? null : new LineRefused(place, new DispatchError('not_granted'));
}

async function planned(session: PersonSession, tables: readonly ReadTable[]): Promise<ImportPlan> {
  return planImport(tables, await readDirectory(session.read), createInputValidator());
}

/** The lines, then the questions; and with `--wait` the rest of the questions, until nothing is left to ask. */
async function work(
  args: Arguments,
  session: PersonSession,
  tables: readonly ReadTable[],
  first: ImportPlan,
  progress: Progress,
): Promise<number> {
  const done = await runImport(first, { send: senderOf(session), onStep: progress.step });
  let plan = first;
  let asked = await ask(session, tables, plan, done, progress);
  progress.end();
  while (args.wait && asked.length > 0) {
    tellWaiting(args, done, plan, asked);
    await until(session, asked);
    const before = asked;
    plan = await planned(session, tables);
    const isLeft = before.some(({ batch }) =>
      plan.contacts.batches.some(({ key }) => key(0) === batch.key(0)),
    );
    if (isLeft) {
      process.stderr.write('It was declined, or nobody confirmed it in time. The same command asks again.\n');
      return EXIT.refused;
    }
    asked = await ask(session, tables, plan, done, showProgress('lines', 0, false));
  }
  if (asked.length > 0) return tellWaiting(args, done, plan, asked);
  // Whoever was confirmed while it was asked for is on file as well.
  const { contacts } = plan.contacts.batches.length > 0 ? await planned(session, tables) : plan;
  const found = done.found + contacts.found;
  say(
    args,
    { made: done.made, found, waiting: [], problems: [] },
    `${done.made} made, ${found} on file already.`,
  );
  return EXIT.done;
}

async function ask(
  session: PersonSession,
  tables: readonly ReadTable[],
  { contacts }: ImportPlan,
  { ids }: ImportRun,
  progress: Progress,
): Promise<readonly AskedBatch[]> {
  const vault = session.clientOf('vault');
  const isOnFile = async ({ key }: ContactBatch) => {
    const now = await planned(session, tables);
    return !now.contacts.batches.some((left) => left.key(0) === key(0));
  };
  return askForContacts(contacts.batches.slice(0, ACTS_AT_ONCE), {
    idOf: (kind: RowKind, name: string) =>
      ids.get(placeOf(kind, name)) ?? refuse('unavailable', { detail: 'a line before was not done' }),
    send: senderOf(session),
    seal: async (text, idempotencyKey) =>
      (await persistently(() =>
        vault.write('/v1/texts', { text }, { idempotencyKey }),
      )) as unknown as FreeTextRef,
    readActs: () => persistently(() => session.read('/v1/acts')),
    isOnFile,
    onStep: progress.step,
  });
}

/** Until none of these waits any more: confirmed, declined, or lapsed after an hour. */
async function until(session: PersonSession, asked: readonly AskedBatch[]): Promise<void> {
  const ids = new Set(asked.map(({ actId }) => actId));
  for (;;) {
    const waiting = readWaiting(await persistently(() => session.read('/v1/acts')));
    if (!waiting.some(({ id }) => ids.has(id))) return;
    await sleep(LOOK_EVERY_MS);
  }
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch {
    throw new UsageError(`${path} cannot be read`);
  }
}

function senderOf(session: PersonSession): SendCommand {
  return async (command, body, key) => {
    const entry = findCommand(command);
    if (entry === undefined) throw new DispatchError('unknown_command');
    return persistently(() => session.write(routeOf(entry), body, key));
  };
}

/** A service that is busy or starts again is asked again: the key makes the second request the first one. */
async function persistently(send: () => Promise<JsonValue>): Promise<JsonValue> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await send();
    } catch (error) {
      const isPassing =
        error instanceof DispatchError && (error.code === 'unavailable' || error.code === 'rate_limited');
      if (!isPassing || left <= 1) throw error;
      await sleep(1_000);
    }
  }
}
