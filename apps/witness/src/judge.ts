import type { PendingReceipt } from './ledger.ts';

/** How long the log has for merging an event. */
export const MERGE_MS = 5_000;
/** An event that has been promised for this long and was not shown keeps everything after it from being cosigned. */
export const LATE_MS = 60_000;
/**
 * A receipt carries the time at which its event was decided; the event begins to wait when it is committed, up to this
 * much later. Both are the database's times.
 */
const COMMIT_MS = 5_000;

/** What the log said when it did not show an event. */
export interface Answer {
  /** when the oldest event began that is not in the tree asked about, epoch ms of the database; null when none is */
  readonly oldestWaitingMs: number | null;
  /** when the tree asked about was handed in, steady milliseconds; null when that was before the start */
  readonly handedInAt: number | null;
}

/**
 * What to make of an event that was not shown.
 *
 * `omitted`: the log says that nothing as old as this is outside of the tree, and it is not in the tree.
 * `late`: the log says that it is waiting, and handed in a tree without it when its time was over.
 * @param now steady milliseconds
 * @invariant the log's word can only delay a judgement; while it delays, nothing later is cosigned after `LATE_MS`
 */
export function judge(receipt: PendingReceipt, answer: Answer, now: number): 'wait' | 'omitted' | 'late' {
  const { oldestWaitingMs, handedInAt } = answer;
  const mayWait = oldestWaitingMs !== null && oldestWaitingMs <= Date.parse(receipt.time) + COMMIT_MS;
  if (!mayWait) return now - receipt.since >= MERGE_MS ? 'omitted' : 'wait';
  // A log that could not reach the witness is not late for that.
  return handedInAt !== null && handedInAt - receipt.since >= LATE_MS ? 'late' : 'wait';
}
