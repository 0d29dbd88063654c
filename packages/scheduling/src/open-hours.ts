import { refuse } from '@deadlatch/kernel';
import { type Interval, intersect, MINUTES_PER_DAY, merge } from './interval.ts';
import type { Zone, Zones } from './zone.ts';

/** Minutes of the day on the wall, half-open; `to` beyond 1440 lies in the next day. */
export interface DayRange {
  readonly from_minute: number;
  readonly to_minute: number;
}

export interface WeeklyRange extends DayRange {
  /** 1 Monday to 7 Sunday (ISO 8601): of the day on which it begins. */
  readonly weekday: number;
}

/** A holiday or an extra day: these ranges instead of the weekday's; none means closed. */
export interface DayException {
  /** YYYY-MM-DD */
  readonly date: string;
  readonly ranges: readonly DayRange[];
}

/** Shifts of a technician, or hours of a site: as people write them. */
export interface WorkingHours {
  readonly time_zone: string;
  readonly weekly: readonly WeeklyRange[];
  readonly exceptions: readonly DayException[];
}

/** The same as instants. */
export interface OpenHours {
  readonly zone: Zone;
  /** What is open within `range`, merged. */
  openBetween(range: Interval): readonly Interval[];
}

const MAX_WEEKLY = 50;
const MAX_EXCEPTIONS = 400;
/** 1970-01-01 was a Thursday. */
const weekdayOf = (day: number) => ((((day + 3) % 7) + 7) % 7) + 1;

/**
 * Proves working hours and makes them ask-able. Ranges of one day may overlap: open is what any of them opens.
 * @throws DispatchError `schema_mismatch` for hours that open nothing in any week, for a zone that there is not, for a
 * day that there is not, for a day with two exceptions, for ranges that end before they begin
 */
export function compileHours(hours: WorkingHours, zones: Zones): OpenHours {
  const zone = zones.get(hours.time_zone);
  const { weekly, exceptions } = hours;
  if (!Array.isArray(weekly) || weekly.length === 0) garbage('hours that open nothing');
  if (!Array.isArray(exceptions) || exceptions.length > MAX_EXCEPTIONS || weekly.length > MAX_WEEKLY) {
    garbage('too many ranges');
  }
  const byWeekday = new Map<number, DayRange[]>();
  for (const range of weekly) {
    const { weekday } = requireRange(range);
    if (!Number.isInteger(weekday) || weekday < 1 || weekday > 7) garbage('not a weekday');
    byWeekday.set(weekday, [...(byWeekday.get(weekday) ?? []), range]);
  }
  const byDay = new Map<number, readonly DayRange[]>();
  for (const { date, ranges } of exceptions) {
    const day = dayOfDate(date);
    if (byDay.has(day)) garbage('a day with two exceptions');
    if (!Array.isArray(ranges) || ranges.length > MAX_WEEKLY) garbage('too many ranges');
    byDay.set(day, ranges.map(requireRange));
  }
  const rangesOf = (day: number) => byDay.get(day) ?? byWeekday.get(weekdayOf(day)) ?? [];
  return { zone, openBetween: (range) => expand(zone, rangesOf, range) };
}

function expand(zone: Zone, rangesOf: (day: number) => readonly DayRange[], range: Interval) {
  const open: Interval[] = [];
  // A range that began the day before may still be open.
  const last = zone.dayOf(range.to);
  for (let day = zone.dayOf(range.from) - 1; day <= last; day += 1) {
    for (const { from_minute, to_minute } of rangesOf(day)) {
      const from = zone.instantOf(day, from_minute);
      const to = zone.instantOf(day, to_minute);
      // All of it may lie in an hour that was skipped.
      if (from < to) open.push({ from, to });
    }
  }
  return intersect(merge(open), [range]);
}

function requireRange<Range extends DayRange>(range: Range): Range {
  const { from_minute: from, to_minute: to } = range;
  const isWhole = Number.isInteger(from) && Number.isInteger(to);
  if (!isWhole || from < 0 || from >= MINUTES_PER_DAY || to <= from || to > from + MINUTES_PER_DAY) {
    garbage('not a range of the day');
  }
  return range;
}

function dayOfDate(date: string): number {
  const ms = /^2\d{3}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00.000Z`) : Number.NaN;
  // The 30th of February parses as the 2nd of March in some readers and not at all in others.
  if (!Number.isFinite(ms) || new Date(ms).toISOString().slice(0, 10) !== date) garbage('not a date');
  return ms / (MINUTES_PER_DAY * 60_000);
}

function garbage(detail: string): never {
  return refuse('schema_mismatch', { detail });
}
