import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arguments, EXIT, UsageError } from '../arguments.ts';
import { KINDS, linesOnFile } from '../import/kinds.ts';
import { readDirectory } from '../import/read-directory.ts';
import { writeTable } from '../import/write-table.ts';
import { asPerson } from '../person-session.ts';
import { readRunFile } from '../run-file.ts';

/**
 * `deadlatch export DIRECTORY --as PERSON`: what is in force of accounts, sites, equipment and technicians, in the files
 * that `import` takes. Contacts are people: their names and numbers stay in the vault.
 */
export async function exportFiles(args: Arguments): Promise<number> {
  const [directory, ...more] = args.words;
  if (directory === undefined || more.length > 0 || !args.as)
    throw new UsageError('export DIRECTORY --as PERSON');
  const run = await readRunFile(args.stateDir);
  const onFile = await asPerson(run, args.as, (session) => readDirectory(session.read));
  const lines = linesOnFile(onFile);
  await mkdir(directory, { recursive: true });
  for (const kind of KINDS) {
    await writeNew(join(directory, `${kind}.csv`), writeTable(kind, lines[kind]));
  }
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, lines[kind].length]));
  const sentence = KINDS.map((kind) => `${lines[kind].length} ${kind}`).join(', ');
  process.stdout.write(`${args.json ? JSON.stringify(counts) : `${sentence} in ${directory}`}\n`);
  return EXIT.done;
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
