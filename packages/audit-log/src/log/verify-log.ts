import { DispatchError, refuse } from '@deadlatch/kernel';
import { type SignedCheckpoint, verifyCheckpoint, verifyLogSignature } from './checkpoint.ts';
import { compareLeaves } from './compare-leaves.ts';
import type { Cosignature } from './cosignature.ts';
import { checkEventTimes } from './event-times.ts';
import { type LogProblem, problemAt } from './log-problem.ts';
import type { NoteKey } from './note-keys.ts';
import {
  type LogSource,
  NO_HASH,
  type OnEvent,
  readExport,
  readTiles,
  type ShownLog,
} from './read-shown-log.ts';
import { type HashList, recomputeRoot } from './recomputed-tree.ts';
import type { WitnessPolicy } from './witness-policy.ts';

/** What is shown to the verifier. None of it is trusted. */
export interface LogEvidence {
  readonly source: LogSource;
  /** the checkpoint note that the log is held against */
  readonly checkpoint: Uint8Array;
  /** other checkpoint notes of this log, older or newer, from anywhere: each must fit */
  readonly otherCheckpoints: readonly Uint8Array[];
  /** events that must be in the log, by receipts that the caller has verified */
  readonly receipts: readonly ShownReceipt[];
  readonly onEvent?: OnEvent;
}

/** What a receipt promises. */
export interface ShownReceipt {
  readonly eventId: string;
  readonly leafHash: Uint8Array;
  /** of the event, milliseconds since the epoch */
  readonly timeMs: number;
}

/**
 * How long an event may take into the log: later, acts of authority stop. What is younger than that when a witness saw
 * the log may be missing from it.
 * @source design 03: a late witness (deadline 60 s)
 */
export const SEQUENCED_WITHIN_MS = 60_000;

/** What the verifier holds by itself. */
export interface LogTrust {
  /** named as the log's origin */
  readonly logKey: NoteKey;
  readonly policy: WitnessPolicy;
  /** how far an event's time may lie behind that of an earlier event, or ahead of its cosignature */
  readonly slackMs: number;
}

export interface LogReport {
  readonly origin: string;
  /** of the checkpoint; null when there is none that the log signed */
  readonly size: number | null;
  /** base64, as in the checkpoint */
  readonly root: string | null;
  /** events shown */
  readonly events: number;
  readonly cosignatures: readonly Cosignature[];
  /** receipts of events that may still have been on their way into the log when it was cosigned */
  readonly awaited: number;
  /** one sentence for each check that ran on everything and found nothing */
  readonly checked: readonly string[];
  readonly problems: readonly LogProblem[];
}

/**
 * Verifies a log from what is shown, the pinned keys and the witness policy; no database, and nothing that appending
 * computed is believed. It recomputes every leaf and the root, and names the index, or the range, of what is wrong.
 *
 * What an attacker recomputed throughout cannot be named more closely than other evidence allows: tiles, older
 * checkpoints and receipts narrow it down.
 * @throws DispatchError `unavailable` when the trust given is unusable: no slack, a log that is its own witness
 * @invariant a report without problems means that a checkpoint signed by this log and cosigned under the policy
 *   covers exactly the events shown, and that every other check ran; what is absent is a problem
 * @source F.4
 */
export function verifyLog(evidence: LogEvidence, trust: LogTrust): LogReport {
  // Compared with a number that is none, every time would fit.
  if (!(trust.slackMs >= 0)) refuse('unavailable', { detail: 'slack_unusable' });
  const problems: LogProblem[] = [];
  const { head, cosignatures } = readHead(evidence.checkpoint, trust, problems);
  const { source } = evidence;
  const { onEvent } = evidence;
  const shown =
    source.kind === 'export'
      ? readExport(source.lines, onEvent)
      : readTiles(source.read, head?.size ?? 0, onEvent);
  problems.push(...shown.problems);
  const others = readOthers(evidence.otherCheckpoints, trust.logKey, problems);
  problems.push(...checkStated(shown, head));
  if (head) {
    problems.push(...checkViews([...others, head]), ...checkShrinking(head.size, others));
    problems.push(...checkTree(shown, head, others));
  }
  const { due, awaited } = sortReceipts(shown, evidence.receipts, cosignatures);
  problems.push(...checkTimes(shown, cosignatures, trust.slackMs), ...checkReceipts(shown, due));
  const report = {
    origin: trust.logKey.name,
    size: head?.size ?? null,
    root: head ? Buffer.from(head.root).toString('base64') : null,
    events: shown.recomputed.count(),
    cosignatures,
    awaited,
    problems: inOrder(problems),
  };
  return { ...report, checked: problems.length > 0 ? [] : sentences(report, shown, evidence, trust, others) };
}

interface Head {
  readonly head: SignedCheckpoint | undefined;
  readonly cosignatures: readonly Cosignature[];
}

/** The checkpoint. One that lacks cosignatures is a problem, but still says what the log itself claims. */
function readHead(note: Uint8Array, { logKey, policy }: LogTrust, problems: LogProblem[]): Head {
  const complain = (error: unknown) => {
    if (!(error instanceof DispatchError) || error.code !== 'unauthenticated') throw error;
    problems.push(problemAt('checkpoint', null, `the checkpoint does not count: ${error.detail}`));
  };
  try {
    const head = verifyCheckpoint(note, logKey, policy);
    return { head, cosignatures: head.cosignatures };
  } catch (error) {
    complain(error);
  }
  try {
    return { head: verifyLogSignature(note, logKey), cosignatures: [] };
  } catch {
    // Said already.
    return { head: undefined, cosignatures: [] };
  }
}

function readOthers(
  notes: readonly Uint8Array[],
  logKey: NoteKey,
  problems: LogProblem[],
): SignedCheckpoint[] {
  return notes
    .flatMap((note, at) => {
      try {
        return [verifyLogSignature(note, logKey)];
      } catch (error) {
        if (!(error instanceof DispatchError) || error.code !== 'unauthenticated') throw error;
        problems.push(
          problemAt('checkpoint', null, `other checkpoint ${at} does not count: ${error.detail}`),
        );
        return [];
      }
    })
    .sort((a, b) => a.size - b.size);
}

/** Two roots for one size: the log showed different things to different people. */
function checkViews(checkpoints: readonly SignedCheckpoint[]): LogProblem[] {
  const first = new Map<number, SignedCheckpoint>();
  return checkpoints.flatMap((checkpoint) => {
    const { size } = checkpoint;
    const other = first.get(size);
    if (!other) first.set(size, checkpoint);
    const isSame = !other || Buffer.compare(other.root, checkpoint.root) === 0;
    return isSame
      ? []
      : [
          problemAt(
            'split_view',
            Math.max(0, size - 1),
            `the log signed two different trees of size ${size}`,
          ),
        ];
  });
}

/** Holds the events against the signed root, and the signed root against the other checkpoints. */
function checkTree(
  shown: ShownLog,
  head: SignedCheckpoint,
  others: readonly SignedCheckpoint[],
): LogProblem[] {
  const { recomputed, stated } = shown;
  const { size } = head;
  const isHead = (list: HashList) =>
    list.count() === size && recomputeRoot(list, size).equals(Buffer.from(head.root));
  if (isHead(recomputed)) return [...checkPrefixes(recomputed, size, others).problems];
  if (isHead(stated)) {
    return [...compareLeaves(recomputed, stated), ...checkPrefixes(stated, size, others).problems];
  }
  const prefixes = checkPrefixes(recomputed, size, others);
  const count = checkCount(recomputed.count(), size);
  const isExplained = count.length > 0 || shown.problems.length > 0 || differences(shown).length > 0;
  if (isExplained) return [...count, ...prefixes.problems];
  const through = prefixes.problems[0]?.through ?? size - 1;
  const reason = 'the root over the events shown is not the one that was signed';
  return [
    ...prefixes.problems,
    problemAt('rebuilt', prefixes.good, reason, Math.max(prefixes.good, through)),
  ];
}

function checkCount(events: number, size: number): LogProblem[] {
  if (events < size)
    return [
      problemAt('truncated', events, `${events} events are shown, the checkpoint has ${size}`, size - 1),
    ];
  if (events > size)
    return [problemAt('uncovered', size, 'events are shown that no checkpoint covers', events - 1)];
  return [];
}

/** A log that was larger once lost its end. */
function checkShrinking(size: number, others: readonly SignedCheckpoint[]): LogProblem[] {
  const largest = others.at(-1)?.size ?? 0;
  const reason = `the log had ${largest} events at another checkpoint, now ${size}`;
  return largest > size ? [problemAt('truncated', size, reason, largest - 1)] : [];
}

/** Holds each hash that the source states against its event. */
function checkStated(shown: ShownLog, head: SignedCheckpoint | undefined): LogProblem[] {
  const { recomputed, stated } = shown;
  const { root } = head ?? {};
  const count = head?.size ?? -1;
  const is = (list: HashList) =>
    root !== undefined && list.count() === count && recomputeRoot(list, count).equals(Buffer.from(root));
  const found = differences(shown);
  // The usual case costs nothing; and where the stated hashes are the logged ones, the comparison names what was done.
  if (found.length === 0 || is(stated)) return [];
  return is(recomputed)
    ? found.map((at) =>
        problemAt('forged_hash', at, 'the hash stated is not that of the event that was logged'),
      )
    : found.map((at) => problemAt('altered', at, 'the hash stated is not that of the event'));
}

interface Prefixes {
  /** how many events the last checkpoint that fits covers */
  readonly good: number;
  readonly problems: readonly LogProblem[];
}

/** Each smaller checkpoint must be the root over the first events of this list. Of two views one may; see above. */
function checkPrefixes(list: HashList, size: number, others: readonly SignedCheckpoint[]): Prefixes {
  const smaller = others.filter((older) => older.size < size);
  const isPrefix = (older: SignedCheckpoint) =>
    older.size <= list.count() && recomputeRoot(list, older.size).equals(Buffer.from(older.root));
  const fitting = new Set(smaller.filter(isPrefix).map((older) => older.size));
  let good = 0;
  const problems: LogProblem[] = [];
  for (const older of smaller) {
    if (fitting.has(older.size)) good = older.size;
    else {
      const reason = `does not begin with the tree of size ${older.size} that the log signed`;
      problems.push(problemAt('rebuilt', good, reason, older.size - 1));
    }
  }
  return { good, problems };
}

/** Where the hashes stated are not those of the events, as far as both go. */
function differences({ recomputed, stated }: ShownLog): number[] {
  const found: number[] = [];
  for (let i = 0; i < Math.min(recomputed.count(), stated.count()); i += 1) {
    const hash = stated.at(i);
    // Nothing stated is a finding of its own.
    if (!recomputed.at(i).equals(hash) && !hash.equals(NO_HASH)) found.push(i);
  }
  return found;
}

function checkTimes(shown: ShownLog, cosignatures: readonly Cosignature[], slackMs: number): LogProblem[] {
  const problems = checkEventTimes(shown.timesMs, slackMs);
  const seen = Math.min(...cosignatures.map(({ timeS }) => timeS * 1000 + 999));
  shown.timesMs.forEach((timeMs, index) => {
    if (timeMs > seen + slackMs)
      problems.push(problemAt('dated_ahead', index, 'dated later than a witness saw it'));
  });
  return problems;
}

/** Which receipts the log must honour by now. Without a cosignature nobody knows when "now" was: all of them. */
function sortReceipts(
  shown: ShownLog,
  receipts: readonly ShownReceipt[],
  cosignatures: readonly Cosignature[],
): { readonly due: readonly ShownReceipt[]; readonly awaited: number } {
  const seenMs = Math.max(...cosignatures.map(({ timeS }) => timeS * 1000));
  const youngestMs = cosignatures.length === 0 ? Number.POSITIVE_INFINITY : seenMs - SEQUENCED_WITHIN_MS;
  const due = receipts.filter(({ eventId, timeMs }) => shown.ids.has(eventId) || !(timeMs > youngestMs));
  return { due, awaited: receipts.length - due.length };
}

function checkReceipts(shown: ShownLog, receipts: readonly ShownReceipt[]): LogProblem[] {
  return receipts.flatMap(({ eventId, leafHash }) => {
    const index = shown.ids.get(eventId);
    if (index === undefined)
      return [problemAt('omitted', null, `event ${eventId} has a receipt and is not in the log`)];
    const isSame = shown.recomputed.at(index).equals(Buffer.from(leafHash));
    return isSame ? [] : [problemAt('altered', index, `event ${eventId} is not the one its receipt is for`)];
  });
}

/** By index, what has none first; the same finding about the same place only once. */
function inOrder(problems: readonly LogProblem[]): LogProblem[] {
  const seen = new Set<string>();
  return problems
    .filter(({ kind, index, through }) => {
      const key = `${kind} ${index} ${through}`;
      if (index !== null && seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .sort((a, b) => (a.index ?? -1) - (b.index ?? -1));
}

function sentences(
  report: Omit<LogReport, 'checked'>,
  shown: ShownLog,
  { source, receipts }: LogEvidence,
  { slackMs, policy }: LogTrust,
  others: readonly SignedCheckpoint[],
): string[] {
  const { origin, size, root, events, cosignatures } = report;
  const times = cosignatures.map(
    ({ witness, timeS }) => `${witness} at ${new Date(timeS * 1000).toISOString()}`,
  );
  const sizes = others.map((other) => other.size).join(', ');
  return [
    `${events} events are canonical, and each was hashed again`,
    `their root is ${root}, the one signed by ${origin} for size ${size}`,
    `cosigned by ${times.join(', ')}; the policy asks for ${policy.quorum} of ${policy.witnesses.length}`,
    source.kind === 'tiles'
      ? `every hash of the lowest tiles is that of its event, and ${shown.upperTiles} tiles above agree with those below`
      : 'every index and leaf hash of the export is that of its event',
    `no event id occurs twice, and no event is dated more than ${slackMs} ms before an earlier one or after its cosignature`,
    others.length > 0
      ? `begins with the trees of ${others.length} other checkpoints: ${sizes}`
      : 'no other checkpoint was given',
    receipts.length > 0
      ? `holds the events of ${receipts.length - report.awaited} receipts; ${report.awaited} are of events too young to be in it`
      : 'no receipt was given',
  ];
}
