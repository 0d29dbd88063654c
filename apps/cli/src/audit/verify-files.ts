import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CurrentObject, DirectoryRow } from '@deadlatch/audit-log';
import { parseStrictJson } from '@deadlatch/kernel';
import { StartError } from '../arguments.ts';
import type { AuditTrust } from './audit-trust.ts';
import { linesOf, readNeeded, readTileIn } from './log-folder.ts';
import { type AuditReport, startAudit } from './verify-audit.ts';

/** The files of an export. */
export const EXPORT_FILES = {
  events: 'events.jsonl',
  checkpoint: 'checkpoint',
  pending: 'pending.jsonl',
  objects: 'objects.jsonl',
  trust: 'trust.json',
  receipts: 'receipts',
} as const;

/** What is given beside the log itself. */
export interface Beside {
  readonly otherCheckpoints: readonly Uint8Array[];
  readonly receipts: readonly string[];
}

/** Verifies the tiles in a folder: the log and the trail in it; no rows are there to be explained. */
export function verifyTiles(folder: string, trust: AuditTrust, beside: Beside): AuditReport {
  const source = { kind: 'tiles' as const, read: readTileIn(folder) };
  const checkpoint = readNeeded(join(folder, EXPORT_FILES.checkpoint));
  return startAudit({ ...beside, source, checkpoint }, trust).finish(false);
}

/** Verifies an export: the log, the trail, what had no place in the log yet, and every object and row of authority. */
export function verifyExport(folder: string, trust: AuditTrust, beside: Beside): AuditReport {
  const path = (name: keyof typeof EXPORT_FILES) => join(folder, EXPORT_FILES[name]);
  for (const name of ['events', 'pending', 'objects'] as const) {
    if (!existsSync(path(name)))
      throw new StartError(`There is no ${path(name)}: what is absent is not verified.`);
  }
  const own = existsSync(path('receipts')) ? readReceiptLines(path('receipts')) : [];
  const check = startAudit(
    {
      ...beside,
      receipts: [...beside.receipts, ...own],
      source: { kind: 'export', lines: linesOf(path('events')) },
      checkpoint: readNeeded(path('checkpoint')),
    },
    trust,
  );
  let line = 0;
  let end: ObjectLine | undefined;
  try {
    for (const bytes of linesOf(path('pending'))) {
      line += 1;
      const { event, age_ms: ageMs } = parseStrictJson(bytes) as { event: string; age_ms: number };
      check.pending(Buffer.from(event), ageMs);
    }
    line = 0;
    for (const bytes of linesOf(path('objects'))) {
      line += 1;
      if (end !== undefined && 'end' in end) throw new Error('a line after the last one');
      const read = parseStrictJson(bytes) as unknown as ObjectLine;
      end = read;
      if ('object' in read) check.object(read);
      else if ('table' in read) check.row(read);
    }
  } catch (cause) {
    throw new StartError(`${folder} is not an export: line ${line} of its objects or pending events.`, {
      cause,
    });
  }
  const report = check.finish(true);
  if (end === undefined || !('end' in end) || end.end !== report.objects + report.rows)
    throw new StartError(`${path('objects')} is cut off: what is absent is not verified.`);
  return report;
}

/** A line of `objects.jsonl`; the last one counts the others. */
export type ObjectLine = CurrentObject | DirectoryRow | { readonly end: number };

/** Receipts as they were answered, one a line. */
export function readReceiptLines(path: string): string[] {
  return Buffer.from(readNeeded(path))
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
