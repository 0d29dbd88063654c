import { refuse } from '@deadlatch/kernel';
import type { OptionRow } from './schedule-facts.ts';

const INSTANT = '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z';
const SLOT = new RegExp(`^(${INSTANT})/(${INSTANT})@([A-Za-z][A-Za-z0-9_+/-]{0,59})$`);

/** A window as a message's slot holds it: two instants and the place whose clock tells them. */
export function windowSlot(
  { window_from, window_to }: Pick<OptionRow, 'window_from' | 'window_to'>,
  timeZone: string,
): string {
  return `${window_from}/${window_to}@${timeZone}`;
}

/**
 * As customers read it: `Mon Mar 2, 8:00 AM to 10:00 AM`, on the clock of the site.
 * @throws DispatchError `unavailable` for what is no such slot
 */
export function windowWords(slot: unknown): string {
  const [, from = '', to = '', timeZone = ''] = (typeof slot === 'string' ? SLOT.exec(slot) : null) ?? [];
  const range = [Date.parse(from), Date.parse(to)] as const;
  if (!(range[0] < range[1])) unreadable();
  const [start, end] = range.map((at) => partsOf(at, timeZone)) as [Parts, Parts];
  const day = (parts: Parts) => `${parts.weekday} ${parts.month} ${parts.day}`;
  const time = (parts: Parts) => `${parts.hour}:${parts.minute} ${parts.dayPeriod}`;
  const isSameDay = day(start) === day(end);
  return `${day(start)}, ${time(start)} to ${isSameDay ? '' : `${day(end)}, `}${time(end)}`;
}

type Parts = Readonly<Record<'weekday' | 'month' | 'day' | 'hour' | 'minute' | 'dayPeriod', string>>;

/** Put together here: what a library joins parts with changes between its versions, and not all of it encodes. */
function partsOf(at: number, timeZone: string): Parts {
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      month: 'short',
      day: 'numeric',
      hour: 'numeric',
      minute: '2-digit',
      hour12: true,
    });
    return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value])) as Parts;
  } catch {
    return unreadable();
  }
}

function unreadable(): never {
  return refuse('unavailable', { detail: 'text: window' });
}
