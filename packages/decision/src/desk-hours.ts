import { refuse } from '@deadlatch/kernel';
import type { ContractFacts } from './directory-rows.ts';

/**
 * Whether `now` lies within the desk's hours at the site, by the site's own clock.
 * @param hours half-open, in minutes of the day; over midnight when `from` is later than `to`; null: always
 * @throws DispatchError `unavailable` when the time zone is unknown
 */
export function isWithinDeskHours(
  hours: ContractFacts['desk_hours'],
  now: number,
  timeZone: string | undefined,
): boolean {
  if (hours === null) return true;
  if (timeZone === undefined) return refuse('unavailable', { detail: 'no time zone' });
  const minute = minuteOfDay(now, timeZone);
  const { from_minute: from, to_minute: to } = hours;
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

function minuteOfDay(now: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  }).formatToParts(new Date(now));
  const value = (type: 'hour' | 'minute') => Number(parts.find((p) => p.type === type)?.value);
  return value('hour') * 60 + value('minute');
}
