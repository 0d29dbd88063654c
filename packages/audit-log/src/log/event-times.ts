import { type LogProblem, problemAt } from './log-problem.ts';

/**
 * Finds events whose time does not fit between their neighbours'. Times of a log need not increase strictly: events
 * are sequenced after they commit, so they may be off by as much as a commit may take, and not by more.
 * @param timesMs of all events in log order; `NaN` for what could not be read
 * @param slackMs how far a time may lie behind an earlier one
 */
export function checkEventTimes(timesMs: readonly number[], slackMs: number): LogProblem[] {
  const problems: LogProblem[] = [];
  let latest = { index: -1, timeMs: Number.NEGATIVE_INFINITY };
  let before = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < timesMs.length; index += 1) {
    const timeMs = timesMs[index] ?? Number.NaN;
    if (Number.isNaN(timeMs)) continue;
    if (timeMs < latest.timeMs - slackMs && isAhead(timesMs, latest, before, slackMs)) {
      problems.push(problemAt('dated_ahead', latest.index, 'dated later than the events that follow it'));
      latest = { index: -1, timeMs: before };
    }
    if (timeMs < latest.timeMs - slackMs) {
      problems.push(problemAt('back_dated', index, 'dated earlier than the events before it'));
    } else if (timeMs > latest.timeMs) {
      before = latest.timeMs;
      latest = { index, timeMs };
    }
  }
  return problems;
}

/**
 * Whether it is the latest event that is off, and not those behind it: it leapt, and the next two both say so,
 * at least one of them in step with what came before.
 * One alone would be its word against the other's; then the later one is named.
 */
function isAhead(
  timesMs: readonly number[],
  latest: { readonly index: number; readonly timeMs: number },
  before: number,
  slackMs: number,
): boolean {
  const following = timesMs.slice(latest.index + 1, latest.index + 3);
  return (
    latest.index >= 0 &&
    latest.timeMs > before + slackMs &&
    following.length === 2 &&
    following.every((timeMs) => timeMs < latest.timeMs - slackMs) &&
    following.some((timeMs) => timeMs >= before - slackMs)
  );
}
