import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatExportLine, leafHash, readEvent, verifyCheckpoint } from '@deadlatch/audit-log';
import { DispatchError } from '@deadlatch/kernel';
import { StartError } from '../arguments.ts';
import type { Operator } from '../operator.ts';
import { auditTrust } from './audit-trust.ts';
import { currentDirectory, currentObjects } from './current-state.ts';
import { entriesOf, readNeeded, readTileIn } from './log-folder.ts';
import type { Progress } from './progress.ts';
import { inSnapshot, readRows } from './read-rows.ts';
import { EXPORT_FILES, type ObjectLine } from './verify-files.ts';
import { createLines } from './write-lines.ts';

export interface Exported {
  readonly events: number;
  readonly pending: number;
  readonly objects: number;
}

/** The checkpoint of a log folder, proven. @throws StartError when it does not count: nothing could be shown by it */
export function readCheckpoint({ trust }: Pick<Operator, 'trust'>, logFolder: string) {
  const note = readNeeded(join(logFolder, EXPORT_FILES.checkpoint));
  const { log } = auditTrust(trust);
  try {
    return { note, checkpoint: verifyCheckpoint(note, log.logKey, log.policy) };
  } catch (cause) {
    if (!(cause instanceof DispatchError)) throw cause;
    throw new StartError(`The checkpoint in ${logFolder} does not count: ${cause.detail ?? cause.code}.`, {
      cause,
    });
  }
}

/**
 * Writes the whole trail as files: every event of the log with its index and leaf hash, the cosigned checkpoint, the
 * events that have no place in it yet, and every object and row of authority as it stands. Nothing is held but ids.
 * @throws StartError when the folder is not empty, or the log has no checkpoint that counts
 * @source F.7
 */
export async function exportInstallation(
  operator: Operator,
  logFolder: string,
  out: string,
  options: { readonly receipts: string | undefined; readonly progress: (total: number) => Progress },
): Promise<Exported> {
  await mkdir(out, { recursive: true, mode: 0o700 });
  if ((await readdir(out)).length > 0)
    throw new StartError(`${out} is not empty; an export gets a folder of its own.`);
  const path = (name: keyof typeof EXPORT_FILES) => join(out, EXPORT_FILES[name]);
  const { note, checkpoint } = readCheckpoint(operator, logFolder);
  const ids = new Set<string>();
  const events = await createLines(path('events'));
  const progress = options.progress(checkpoint.size);
  for (const event of entriesOf(readTileIn(logFolder), checkpoint.size)) {
    const read = readEvent(event);
    if (typeof read === 'object') ids.add(read.id);
    await events.write(formatExportLine({ index: progress.count(), leafHash: leafHash(event), event }));
    progress.step();
  }
  await events.close();
  progress.end();
  const rows = await exportRows(operator, ids, path('pending'), path('objects'));
  await writeFile(path('trust'), `${JSON.stringify(operator.trust, null, 2)}\n`, { flag: 'wx' });
  if (options.receipts !== undefined)
    await writeFile(path('receipts'), readNeeded(options.receipts), { flag: 'wx' });
  // Last: a folder without it is an export that was not finished.
  await writeFile(path('checkpoint'), note, { flag: 'wx' });
  return { events: checkpoint.size, ...rows };
}

/** One snapshot, taken after the checkpoint was read: what it has beyond the log is what still waits. */
async function exportRows(
  { client }: Operator,
  logged: ReadonlySet<string>,
  pendingPath: string,
  objectsPath: string,
): Promise<{ readonly pending: number; readonly objects: number }> {
  return inSnapshot(client, async (nowMs) => {
    const waiting: string[] = [];
    const every = readRows<{ id: string }>(client, 'select id from audit.events order by at, id');
    for await (const { id } of every) if (!logged.has(id)) waiting.push(id);
    const pending = await createLines(pendingPath);
    for (const id of waiting) {
      const { rows } = await client.query<{ body: string; at: Date }>(
        "select convert_from(body, 'UTF8') as body, at from audit.events where id = $1",
        [id],
      );
      for (const { body, at } of rows)
        await pending.write(JSON.stringify({ age_ms: nowMs - at.getTime(), event: body }));
    }
    await pending.close();
    const lines = await createLines(objectsPath);
    let end = 0;
    const write = async (line: ObjectLine) => {
      await lines.write(JSON.stringify(line));
      end += 1;
    };
    for await (const object of currentObjects(client)) await write(object);
    for await (const row of currentDirectory(client)) await write(row);
    await lines.write(JSON.stringify({ end } satisfies ObjectLine));
    await lines.close();
    return { pending: waiting.length, objects: end };
  });
}
