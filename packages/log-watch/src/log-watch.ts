import type { TrustBundle } from '@deadlatch/http';
import { type JsonValue, refuse } from '@deadlatch/kernel';
import type { Logger } from '@deadlatch/telemetry';
import { readSeenNote } from './seen-notes.ts';

/** The log as the database tells it, in one read. */
export interface LogState {
  /** how many entries it has */
  readonly size: number;
  /** the newest cosigned checkpoint that it keeps, as a note; null when there is none */
  readonly note: Uint8Array | null;
  /** database time of the read, milliseconds since the epoch */
  readonly nowMs: number;
  /** when the oldest event began that has no place in the log yet; null when none waits */
  readonly oldestWaitingMs: number | null;
}

/**
 * Watches, for a service that writes events, whether somebody outside sees the log grow, and whether the database is
 * the one that was seen.
 */
export interface LogWatch {
  /** Looks once, then again and again. Never throws: what cannot be seen is late. */
  start(): Promise<void>;
  /** Returns when nothing of it runs any more. */
  stop(): Promise<void>;
  /** How many entries the log is known to have had. Take it before a read whose size is to be compared. */
  seenSize(): number;
  /**
   * @param logSize of the log, as the database says now; @param seenSize as it was before that was read
   * @throws DispatchError `unavailable`, detail `restored_backup`, when the log was longer once
   */
  assertCurrent(logSize: number, seenSize: number): void;
  /** As `assertCurrent`, by the last look. */
  assertServing(): void;
  /** Whether, within the deadline, a witness has seen the log and no event was left waiting. Acts of authority ask. */
  isTimely(): boolean;
}

/** Why the log is not timely. Closed: what is logged is one of these words. */
type LateReason =
  | 'unread'
  | 'behind'
  | 'events_waiting'
  | 'never_witnessed'
  | 'witnessed_long_ago'
  | 'clocks_differ';

/** How late a witness may be, and an event. @source design 03 */
const DEADLINE_MS = 60_000;
const LOOK_MS = 2_000;
/** A look that is older says nothing about now. */
const UNREAD_MS = 10_000;
/** How far the clocks of witness and database may be apart. */
const SKEW_MS = 5_000;

export interface LogWatchParts {
  readonly readState: () => Promise<LogState>;
  /** `GET /v1/checkpoint` of the witness */
  readonly readWitness: () => Promise<JsonValue>;
  readonly trust: () => Pick<TrustBundle, 'log' | 'witnesses'>;
  /** milliseconds of a clock that is never set */
  readonly steady: () => number;
  readonly logger: Pick<Logger, 'event'>;
  readonly deadlineMs?: number;
}

/**
 * @invariant a size that was seen once is never forgotten, and only signatures of the pinned keys make one be seen
 * @invariant ages are counted in database time: this process's own clock, and whoever sets it, decides nothing
 * @source F.8, R.6, design 03
 */
export function createLogWatch(parts: LogWatchParts): LogWatch {
  const { steady, logger, deadlineMs = DEADLINE_MS } = parts;
  let seen = 0;
  let witnessedAtMs: number | null = null;
  /** What the last look found, and how many entries were known of by then. */
  let last: { readonly state: LogState; readonly at: number; readonly seen: number } | undefined;
  let said: LateReason | null | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let isStopped = false;

  /** @returns when enough witnesses had seen what the note is about, or null */
  const take = (note: Uint8Array | null): number | null => {
    const found = note === null ? undefined : readSeenNote(note, parts.trust());
    seen = Math.max(seen, found?.size ?? 0);
    return found?.witnessedAtMs ?? null;
  };

  const look = async (): Promise<void> => {
    try {
      // First the witness, then the database, which must have whatever the witness had seen by then.
      const shown = take(await parts.readWitness().then(noteIn, () => null));
      const state = await parts.readState();
      const kept = take(state.note);
      last = { state, at: steady(), seen };
      // What is dated ahead would look fresh for long.
      const times = [witnessedAtMs, shown, kept].filter((at) => at !== null && at <= state.nowMs + SKEW_MS);
      witnessedAtMs = times.reduce((a, b) => Math.max(a ?? 0, b ?? 0), null);
    } catch {
      // Said below: what was read before goes stale.
    }
    tell(lateReason());
  };

  const tell = (reason: LateReason | null): void => {
    if (reason === said) return;
    if (reason === 'behind')
      logger.event('log.restored_backup', { size: last?.state.size, seen: last?.seen });
    else if (reason !== null) logger.event('log.late', { reason });
    else if (said !== undefined) logger.event('log.timely', {});
    said = reason;
  };

  const lateReason = (): LateReason | null => {
    const elapsed = last === undefined ? Number.NaN : steady() - last.at;
    if (last === undefined || !(elapsed >= 0 && elapsed <= UNREAD_MS)) return 'unread';
    const { state } = last;
    if (state.size < last.seen) return 'behind';
    const nowMs = state.nowMs + elapsed;
    if (state.oldestWaitingMs !== null && !(nowMs - state.oldestWaitingMs <= deadlineMs))
      return 'events_waiting';
    if (witnessedAtMs === null) return state.size === 0 ? null : 'never_witnessed';
    const age = nowMs - witnessedAtMs;
    if (!(age >= -SKEW_MS)) return 'clocks_differ';
    return age <= deadlineMs ? null : 'witnessed_long_ago';
  };

  const again = () => {
    looking = look().finally(() => {
      if (!isStopped) timer = setTimeout(again, LOOK_MS);
    });
    return looking;
  };

  const assertCurrent = (logSize: number, seenSize: number): void => {
    // Not `<`: what is no number is not current either.
    if (!(logSize >= seenSize)) {
      refuse('unavailable', { detail: 'restored_backup', extra: { reason: 'restored_backup' } });
    }
  };

  return {
    start: again,
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await looking;
    },
    seenSize: () => seen,
    assertCurrent,
    assertServing: () => {
      // Not with what was seen since: the log grows, and the next look is only under way.
      if (last !== undefined) assertCurrent(last.state.size, last.seen);
    },
    isTimely: () => lateReason() === null,
  };
}

/** The note in a witness's answer, or null. */
function noteIn(answer: JsonValue): Uint8Array | null {
  const isObject = answer !== null && typeof answer === 'object' && !Array.isArray(answer);
  const note = isObject ? answer.note : null;
  return typeof note === 'string' ? Buffer.from(note) : null;
}
