import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createHashList,
  EVENT_TIME_SLACK_MS,
  type HashList,
  readEvent,
  recomputeLeaf,
  verifyLogSignature,
} from '@deadlatch/audit-log';
import type pg from 'pg';
import type { Operator } from '../operator.ts';
import { type AuditTrust, auditTrust } from './audit-trust.ts';
import { currentDirectory, currentObjects } from './current-state.ts';
import { readNeeded, readTileIn } from './log-folder.ts';
import { inSnapshot, readRows } from './read-rows.ts';
import { type AuditCheck, type AuditReport, startAudit } from './verify-audit.ts';
import { type Beside, EXPORT_FILES } from './verify-files.ts';

/** The events of the log, for the database to be held against. */
interface Logged {
  readonly indexOf: Map<string, number>;
  readonly leaves: HashList;
}

interface EventRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly at: Date;
  readonly origin: string;
  readonly command: string;
  readonly decision: string;
  readonly correlation_id: string;
  readonly body: Buffer;
  readonly index: string | null;
}

/** From a checkpoint's row to its file, on a busy disk. */
const PUBLISHED_WITHIN_MS = 3_000;

const EVERY_EVENT = `
  select e.tenant_id, e.id, e.at, e.origin, e.command, e.decision, e.correlation_id, e.body, l.index::text as index
    from audit.events e left join audit.log_entries l on l.tenant_id = e.tenant_id and l.event_id = e.id
   order by e.at, e.id`;

/**
 * Verifies a running installation: its tiles and checkpoint as files, then every event, object and row of authority of
 * its database against them. The log comes first and the database is read in one snapshot after it, so whatever is in
 * the log must be in the database.
 * @throws StartError when there is no log
 * @source F.4
 */
export async function verifyInstallation(
  {
    client,
    trust,
    state,
  }: Pick<Operator, 'client' | 'trust'> & { readonly state: Pick<Operator['state'], 'log'> },
  beside: Beside = { otherCheckpoints: [], receipts: [] },
): Promise<AuditReport> {
  const logFolder = state.log;
  const audited = auditTrust(trust);
  const kept = await keptCheckpoints(client);
  const checkpoint = await publishedCheckpoint(logFolder, sizeOf(kept, audited));
  const logged: Logged = { indexOf: new Map(), leaves: createHashList() };
  const check = startAudit(
    {
      ...beside,
      otherCheckpoints: [...beside.otherCheckpoints, ...kept],
      source: { kind: 'tiles', read: readTileIn(logFolder) },
      checkpoint,
      onEvent: (event, at) => {
        const read = readEvent(event);
        if (typeof read === 'object') logged.indexOf.set(read.id, at);
        logged.leaves.push(recomputeLeaf(event));
      },
    },
    audited,
  );
  return inSnapshot(client, async (nowMs) => {
    await checkHead(client, check);
    await checkEvents(client, check, logged, nowMs);
    for await (const object of currentObjects(client)) check.object(object);
    for await (const row of currentDirectory(client)) check.row(row);
    return check.finish(true);
  });
}

/** The newest cosigned checkpoint that the database keeps: another view of the same log, or the same. */
async function keptCheckpoints(client: pg.Client): Promise<Uint8Array[]> {
  const { rows } = await client.query<{ note: Buffer | null }>(
    'select witnessed_note as note from audit.log_head',
  );
  return rows.flatMap(({ note }) => (note === null ? [] : [note]));
}

/** How many events the log had at the newest of these; 0 when the log signed none of them. */
function sizeOf(checkpoints: readonly Uint8Array[], { log }: AuditTrust): number {
  const sizes = checkpoints.map((note) => {
    try {
      return verifyLogSignature(note, log.logKey).size;
    } catch {
      // The check itself says what is wrong with it.
      return 0;
    }
  });
  return Math.max(0, ...sizes);
}

/**
 * The checkpoint of the folder, once it covers what the database keeps: of a log that grows, the sequencer writes the
 * file a moment after the row. A file that never follows is what it looks like, and the check says so.
 */
async function publishedCheckpoint(logFolder: string, size: number): Promise<Uint8Array> {
  const until = Date.now() + PUBLISHED_WITHIN_MS;
  for (;;) {
    const checkpoint = readNeeded(join(logFolder, EXPORT_FILES.checkpoint));
    const written = Number(Buffer.from(checkpoint).toString('latin1').split('\n', 2)[1]);
    if (!(written < size) || Date.now() > until) return checkpoint;
    await sleep(50);
  }
}

/** A database whose log is shorter than its own checkpoint was restored from a backup. */
async function checkHead(client: pg.Client, check: AuditCheck): Promise<void> {
  const { rows } = await client.query<{ size: string }>('select size::text as size from audit.log_head');
  const size = Number(rows[0]?.size ?? 0);
  const signed = check.log.size ?? 0;
  if (size < signed)
    check.found({
      kind: 'database',
      index: size,
      through: signed - 1,
      event_id: null,
      reason: `the database is a restored backup: it knows ${size} entries of the log, which has ${signed}`,
    });
}

async function checkEvents(
  client: pg.Client,
  check: AuditCheck,
  logged: Logged,
  nowMs: number,
): Promise<void> {
  const isThere = new Uint8Array(logged.leaves.count());
  let wrong = 0;
  const found = (index: number | null, row: EventRow, reason: string) => {
    wrong += 1;
    check.found({ kind: 'database', index, event_id: row.id, reason });
  };
  for await (const row of readRows<EventRow>(client, EVERY_EVENT)) {
    const index = logged.indexOf.get(row.id);
    const event = readEvent(row.body);
    if (typeof event === 'string') found(index ?? null, row, `the event in the database is none: ${event}`);
    else if (!isSameRow(row, event)) found(index ?? null, row, 'its columns do not say what the event says');
    if (index === undefined) {
      const since = Math.min(row.at.getTime(), typeof event === 'string' ? Infinity : Date.parse(event.time));
      check.pending(row.body, nowMs - since);
      continue;
    }
    if (isThere[index] === 1) found(index, row, 'the event is in the database twice');
    isThere[index] = 1;
    if (!logged.leaves.at(index).equals(recomputeLeaf(row.body)))
      found(index, row, 'the event in the database is not the one that was logged');
    if (row.index !== String(index)) found(index, row, `the database has it at ${row.index ?? 'no index'}`);
  }
  for (const [from, to] of gaps(isThere)) {
    wrong += 1;
    const reason = 'the event that was logged is not in the database any more';
    check.found({ kind: 'database', index: from, through: to, event_id: null, reason });
  }
  if (wrong === 0) check.checked('every event of the log is in the database, unchanged and at its index');
}

/** Whoever looks events up by a column must not be led past them. */
function isSameRow(row: EventRow, event: Exclude<ReturnType<typeof readEvent>, string>): boolean {
  return (
    row.id === event.id &&
    row.tenant_id === event.tenant &&
    row.origin === event.origin &&
    row.command === event.command &&
    row.decision === event.decision &&
    row.correlation_id === event.correlation_id &&
    // The database wrote one when the transaction began, the event says when its facts were read.
    Math.abs(row.at.getTime() - Date.parse(event.time)) <= EVENT_TIME_SLACK_MS
  );
}

/** Ranges of what is not there. */
function* gaps(isThere: Uint8Array): Generator<readonly [from: number, to: number]> {
  for (let at = isThere.indexOf(0); at >= 0; at = isThere.indexOf(0, at)) {
    const from = at;
    while (at < isThere.length && isThere[at] === 0) at += 1;
    yield [from, at - 1];
  }
}
