import { refuse } from '@deadlatch/kernel';

/** Whole minutes since the epoch (UTC). Everything in this package is counted in them, so sums are exact. */
export type Minute = number;

/** Half-open: `from` belongs to it, `to` does not. */
export interface Interval {
  readonly from: Minute;
  readonly to: Minute;
}

export const MINUTES_PER_DAY = 24 * 60;
export const MINUTE_MS = 60_000;

/** Before 2000 some zones have offsets that are no whole minutes; after 2100 the rules of zones are anybody's guess. */
const EARLIEST = Date.UTC(2000, 0, 1) / MINUTE_MS;
const LATEST = Date.UTC(2100, 0, 1) / MINUTE_MS;

/** Whether it is a range of whole minutes, not empty, between 2000 and 2100. */
export function isInterval(value: Interval): boolean {
  return (
    Number.isSafeInteger(value?.from) &&
    Number.isSafeInteger(value.to) &&
    value.from >= EARLIEST &&
    value.to <= LATEST &&
    value.from < value.to
  );
}

/** Proves it. @throws DispatchError `schema_mismatch` */
export function requireInterval(value: Interval, what: string): Interval {
  return isInterval(value) ? value : refuse('schema_mismatch', { detail: `not a range of time: ${what}` });
}

/** Whole minutes that hold the given instants: never shorter than what was asked. @param startsMs since the epoch */
export function outwards(startsMs: number, endsMs: number): Interval {
  return { from: Math.floor(startsMs / MINUTE_MS), to: Math.ceil(endsMs / MINUTE_MS) };
}

export function overlaps(a: Interval, b: Interval): boolean {
  return a.from < b.to && b.from < a.to;
}

/** The same instants in order, with touching and overlapping ranges made one. */
export function merge(intervals: readonly Interval[]): readonly Interval[] {
  const merged: Interval[] = [];
  for (const next of [...intervals].sort((a, b) => a.from - b.from || a.to - b.to)) {
    const last = merged.at(-1);
    if (last !== undefined && next.from <= last.to) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, next.to) };
    } else merged.push(next);
  }
  return merged;
}

/** What both hold. @param a merged @param b merged */
export function intersect(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  const both: Interval[] = [];
  let [i, j] = [0, 0];
  for (let x = a[i], y = b[j]; x !== undefined && y !== undefined; x = a[i], y = b[j]) {
    const from = Math.max(x.from, y.from);
    const to = Math.min(x.to, y.to);
    if (from < to) both.push({ from, to });
    if (x.to <= y.to) i += 1;
    else j += 1;
  }
  return both;
}

/** What of `intervals` is left without `taken`. @param intervals merged */
export function subtract(intervals: readonly Interval[], taken: readonly Interval[]): readonly Interval[] {
  let left = intervals;
  for (const gone of taken) {
    left = left.flatMap((one) => {
      if (!overlaps(one, gone)) return [one];
      const parts = [
        { from: one.from, to: gone.from },
        { from: gone.to, to: one.to },
      ];
      return parts.filter((part) => part.from < part.to);
    });
  }
  return left;
}

/** Whether one of them holds all of `interval`. @param intervals merged */
export function isCovered(interval: Interval, intervals: readonly Interval[]): boolean {
  return intervals.some((one) => one.from <= interval.from && interval.to <= one.to);
}
