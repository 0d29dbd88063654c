import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arguments, EXIT, UsageError } from '../arguments.ts';
import {
  CONTACTS_EXPORT,
  contactLines,
  FILE_KINDS,
  type FileLine,
  linesOnFile,
  ROW_KINDS,
} from '../import/kinds.ts';
import { readDirectory } from '../import/read-directory.ts';
import { writeTable } from '../import/write-table.ts';
import { asPerson } from '../person-session.ts';
import { readRunFile } from '../run-file.ts';

/**
 * `deadlatch export DIRECTORY --as PERSON`: what is in force of accounts, sites, equipment and technicians, in the files
 * that `import` takes; and of contacts who may do what where. Their names and numbers stay in the vault.
 * With `--reveal` nothing is written (`assurance_required`): data of everybody at once takes a passkey (L3), and nobody
 *   has one yet. @source T5.5; design 05, bulk reveal is an act of authority
 */
export async function exportFiles(args: Arguments): Promise<number> {
  const [directory, ...more] = args.words;
  if (directory === undefined || more.length > 0 || !args.as)
    throw new UsageError('export DIRECTORY --as PERSON');
  if (args.reveal) return refuseReveal(args);
  const run = await readRunFile(args.stateDir);
  const onFile = await asPerson(run, args.as, (session) => readDirectory(session.read));
  const lines = linesOnFile(onFile);
  const files: readonly (readonly [string, readonly string[], readonly FileLine[]])[] = [
    ...ROW_KINDS.map((kind) => [kind, FILE_KINDS[kind].columns, lines[kind]] as const),
    ['contacts', CONTACTS_EXPORT, contactLines(onFile)],
  ];
  await mkdir(directory, { recursive: true });
  for (const [kind, columns, rows] of files) {
    await writeNew(join(directory, `${kind}.csv`), writeTable(columns, rows));
  }
  const counts = Object.fromEntries(files.map(([kind, , rows]) => [kind, rows.length]));
  const sentence = files.map(([kind, , rows]) => `${rows.length} ${kind}`).join(', ');
  process.stdout.write(`${args.json ? JSON.stringify(counts) : `${sentence} in ${directory}`}\n`);
  return EXIT.done;
}

/** Nothing is asked and nothing is written: there is no proof yet that could be shown. */
function refuseReveal({ json }: Arguments): number {
  const refusal = { code: 'assurance_required', required: 'L3' };
  const sentence =
    'assurance_required: names and numbers of everybody at once take a passkey, and there are none yet.';
  process.stdout.write(`${json ? JSON.stringify(refusal) : sentence}\n`);
  return EXIT.refused;
}

/** Never over a file that is there: it may be one that somebody still wants to bring in. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new UsageError(`${path} is there already`);
  }
}
