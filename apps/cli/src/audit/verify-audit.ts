import {
  type CurrentObject,
  createTrailCheck,
  type DirectoryRow,
  type LogProblemKind,
  type LogReport,
  type LogSource,
  type OnEvent,
  readEvent,
  SEQUENCED_WITHIN_MS,
  type ShownReceipt,
  type TrailReport,
  verifyLog,
} from '@deadlatch/audit-log';
import { DispatchError } from '@deadlatch/kernel';
import type { AuditTrust } from './audit-trust.ts';

/** One finding, named by index where it has one, and by its reason in any case. */
export interface AuditProblem {
  readonly kind: LogProblemKind | 'trail' | 'state' | 'not_sequenced' | 'receipt' | 'database';
  readonly index: number | null;
  readonly through: number | null;
  readonly event_id: string | null;
  readonly reason: string;
}

/** An event that has no place in the log yet. */
export interface PendingEvent {
  readonly event_id: string;
  readonly age_ms: number;
}

export interface AuditReport {
  readonly events: number;
  readonly size: number | null;
  readonly root: string | null;
  readonly signatures: number;
  readonly unasked: number;
  readonly effects: number;
  readonly objects: number;
  readonly rows: number;
  readonly pending: readonly PendingEvent[];
  /** Sentences: what ran on everything and found nothing. Empty when anything was found. */
  readonly checked: readonly string[];
  readonly problems: readonly AuditProblem[];
  /** Milliseconds that hashing and comparing took, and checking each event with its signatures. */
  readonly took_ms: { readonly log: number; readonly trail: number };
}

export interface ShownFiles {
  readonly source: LogSource;
  readonly checkpoint: Uint8Array;
  readonly otherCheckpoints: readonly Uint8Array[];
  /** compact JWS each */
  readonly receipts: readonly string[];
  readonly onEvent?: OnEvent;
}

/** A verification of which the log is done, and which goes on with what the log does not cover. */
export interface AuditCheck {
  readonly log: LogReport;
  /** An event that is not in the log. @param ageMs since it was written */
  pending(body: Uint8Array, ageMs: number): void;
  object(current: CurrentObject): void;
  row(current: DirectoryRow): void;
  found(problem: Omit<AuditProblem, 'through'> & { readonly through?: number }): void;
  /** A sentence about a check of the caller's that ran on everything. */
  checked(sentence: string): void;
  finish(isStateShown: boolean): AuditReport;
}

/**
 * Verifies the log, and the trail over the very bytes that the log covers.
 * @invariant a report without problems means that every check ran; see `verifyLog` and `verifyTrail`
 * @source F.4
 */
export function startAudit(shown: ShownFiles, trust: AuditTrust): AuditCheck {
  const trail = createTrailCheck(trust.trail);
  const problems: AuditProblem[] = [];
  const waiting: PendingEvent[] = [];
  const sentences: string[] = [];
  let trailMs = 0;
  const timed = (work: () => void) => {
    const from = performance.now();
    work();
    trailMs += performance.now() - from;
  };
  const found: AuditCheck['found'] = (problem) =>
    problems.push({ ...problem, through: problem.through ?? problem.index });
  const begun = performance.now();
  const log = verifyLog(
    {
      source: shown.source,
      checkpoint: shown.checkpoint,
      otherCheckpoints: shown.otherCheckpoints,
      receipts: readReceipts(shown.receipts, trust, found),
      onEvent: (event, at) => {
        timed(() => trail.event(event, at));
        shown.onEvent?.(event, at);
      },
    },
    trust.log,
  );
  const logMs = performance.now() - begun - trailMs;
  problems.push(...log.problems.map((problem) => ({ ...problem, event_id: null })));
  return {
    log,
    found,
    checked: (sentence) => sentences.push(sentence),
    pending: (body, ageMs) => {
      const event = readEvent(body);
      const eventId = typeof event === 'string' ? null : event.id;
      // Who sets a clock back must not make it young: its own time counts too.
      const isLate = !(ageMs <= SEQUENCED_WITHIN_MS);
      waiting.push({ event_id: eventId ?? '-', age_ms: Math.round(ageMs) });
      if (isLate)
        found({
          kind: 'not_sequenced',
          index: null,
          event_id: eventId,
          reason: `is not in the log after ${Math.round(ageMs / 1000)} s`,
        });
      timed(() => trail.event(body, null));
    },
    object: (current) => trail.object(current),
    row: (current) => trail.row(current),
    finish: (isStateShown) => {
      const report = trail.finish(isStateShown);
      const ofTrail = report.problems.map(({ index, eventId, reason }) => ({
        kind: index === null && eventId === null ? ('state' as const) : ('trail' as const),
        index,
        through: index,
        event_id: eventId,
        reason,
      }));
      const all = [...problems, ...ofTrail];
      const { events, signatures, unasked, effects, objects, rows } = report;
      return {
        ...{ events, size: log.size, root: log.root, signatures, unasked, effects, objects, rows },
        pending: waiting,
        checked:
          all.length > 0 ? [] : [...log.checked, ...sentencesOf(report, waiting, isStateShown), ...sentences],
        problems: all,
        took_ms: { log: Math.round(logMs), trail: Math.round(trailMs) },
      };
    },
  };
}

function readReceipts(
  receipts: readonly string[],
  trust: AuditTrust,
  found: AuditCheck['found'],
): ShownReceipt[] {
  return receipts.flatMap((receipt, at) => {
    try {
      return [trust.readReceipt(receipt)];
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error;
      const reason = `receipt ${at + 1} is none: ${error.detail ?? error.code}`;
      found({ kind: 'receipt', index: null, event_id: null, reason });
      return [];
    }
  });
}

function sentencesOf(
  { signatures, unasked, effects, objects, rows }: TrailReport,
  waiting: readonly PendingEvent[],
  isStateShown: boolean,
): string[] {
  const oldest = Math.max(0, ...waiting.map(({ age_ms }) => age_ms));
  return [
    `${signatures} events are backed by a signature of their own: of the service that asked, over the user's token where there is one, or of the operator`,
    `${unasked} events tell what a browser or an operator's program did at identity or vault; for those there is no request to check`,
    `${effects} effects follow the table of states, each from where the one before left its object`,
    isStateShown
      ? `${objects} objects and ${rows} rows of authority stand as the last event about each says, and none is missing`
      : 'no rows were given to hold against the events',
    waiting.length > 0
      ? `${waiting.length} events have no place in the log yet, the oldest for ${Math.round(oldest / 1000)} s`
      : 'no event waits for its place in the log',
  ];
}
