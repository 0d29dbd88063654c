import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInputValidator, findCommand, routeOf } from '@deadlatch/catalogue';
import { DispatchError, type JsonValue } from '@deadlatch/kernel';
import { type Arguments, EXIT, UsageError } from '../arguments.ts';
import { showProgress } from '../audit/progress.ts';
import { type ImportPlan, planImport } from '../import/plan-import.ts';
import { readDirectory } from '../import/read-directory.ts';
import { type LineProblem, PROBLEM_CODES, readTable } from '../import/read-table.ts';
import { LineRefused, runImport, type SendCommand } from '../import/run-import.ts';
import { asPerson, type PersonSession } from '../person-session.ts';
import { readRunFile } from '../run-file.ts';

/** Tries of one line while a service is busy or away; a second in between. */
const TRIES = 30;
/** Problems that are printed; `--json` has them all. */
const SHOWN = 50;

/**
 * `deadlatch import FILE... --as PERSON [--dry-run]`: puts accounts, sites, equipment and technicians on file, each line
 * by a command of that person. Every line of every file is decided first; nothing is done unless all of them can be.
 * @returns 0; 1 when lines are wrong, with every one of them; 3 when the gate refused; 4 when nobody answered
 */
export async function importFiles(args: Arguments): Promise<number> {
  const { words: paths, as: who } = args;
  if (paths.length === 0 || !who) throw new UsageError('import FILE... --as PERSON [--dry-run]');
  if (new Set(paths.map((path) => basename(path))).size < paths.length) {
    throw new UsageError('each kind of file can be given once');
  }
  const tables = await Promise.all(paths.map(async (path) => readTable(path, await bytesOf(path))));
  const run = await readRunFile(args.stateDir);
  return asPerson(run, who, async (session) => {
    const plan = planImport(tables, await readDirectory(session.read), createInputValidator());
    const toDo = plan.steps.filter(({ id }) => id === null).length;
    if (plan.problems.length > 0 || args.dryRun) return tellPlan(args, plan, toDo);
    const progress = showProgress('lines', plan.steps.length, process.stderr.isTTY === true);
    try {
      const done = await runImport(plan, { send: senderOf(session), onStep: progress.step });
      progress.end();
      say(args, { ...done, problems: [] }, `${done.made} made, ${done.found} on file already.`);
      return EXIT.done;
    } catch (error) {
      progress.end();
      if (!(error instanceof LineRefused)) throw error;
      return tellRefusal(args, error, progress.count());
    }
  });
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch {
    throw new UsageError(`${path} cannot be read`);
  }
}

/** A service that is busy or starts again is asked again: the key makes the second request the first one. */
function senderOf(session: PersonSession): SendCommand {
  return async (command, body, key) => {
    const entry = findCommand(command);
    if (entry === undefined) throw new DispatchError('unknown_command');
    for (let left = TRIES; ; left -= 1) {
      try {
        return await session.write(routeOf(entry), body, key);
      } catch (error) {
        const isPassing =
          error instanceof DispatchError && (error.code === 'unavailable' || error.code === 'rate_limited');
        if (!isPassing || left <= 1) throw error;
        await sleep(1_000);
      }
    }
  };
}

function tellPlan(args: Arguments, { steps, problems }: ImportPlan, toDo: number): number {
  const found = steps.length - toDo;
  if (problems.length === 0) {
    say(
      args,
      { would_make: toDo, found, problems },
      `${toDo} lines would be made, ${found} are on file already.`,
    );
    return EXIT.done;
  }
  const shown = problems.slice(0, SHOWN).map(sentenceOf);
  const more = problems.length > SHOWN ? [`and ${problems.length - SHOWN} more`] : [];
  const total = `Nothing was done: ${problems.length} ${problems.length === 1 ? 'line is' : 'lines are'} wrong.`;
  say(args, { would_make: toDo, found, problems }, [...shown, ...more].join('\n'));
  process.stderr.write(`${total}\n`);
  return EXIT.failed;
}

function sentenceOf({ file, line, column, code }: LineProblem): string {
  const place = [
    file,
    ...(line === null ? [] : [`line ${line}`]),
    ...(column === null ? [] : [`column ${column}`]),
  ];
  return `${place.join(', ')}: ${code} (${PROBLEM_CODES[code]})`;
}

function tellRefusal(args: Arguments, { step, refusal }: LineRefused, done: number): number {
  const { file, line } = step;
  say(
    args,
    { done, file, line, code: refusal.code },
    `${file}, line ${line}: ${refusal.code}. The ${done} lines before it are done; the same command goes on from here.`,
  );
  return refusal.code === 'unavailable' ? EXIT.unreachable : EXIT.refused;
}

function say(args: Arguments, json: object, sentence: string): void {
  process.stdout.write(`${args.json ? JSON.stringify(json as JsonValue) : sentence}\n`);
}
