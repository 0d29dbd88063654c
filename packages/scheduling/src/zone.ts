import { refuse } from '@deadlatch/kernel';
import { MINUTE_MS, MINUTES_PER_DAY, type Minute } from './interval.ts';

/** The wall clock of one IANA time zone. Days are counted from 1 January 1970 on that wall. */
export interface Zone {
  readonly name: string;
  /**
   * The first moment at which the wall clock has reached `minute` of `day`: an hour that is skipped is reached when it
   * is skipped, an hour that comes twice when it comes first. Never goes back when day or minute goes on, so ranges
   * that touch on the wall touch in time.
   * @param minute of the day, 1440 and more in the days after
   */
  instantOf(day: number, minute: number): Minute;
  /** The day that the wall shows. */
  dayOf(at: Minute): number;
}

/** Zones by name; each is made once, because making one costs a thousand look-ups. */
export interface Zones {
  /** @throws DispatchError `schema_mismatch` for what is not the name of a zone */
  get(name: string): Zone;
}

const NAME = /^[A-Za-z][A-Za-z0-9_+-]{0,29}(\/[A-Za-z0-9_+-]{1,29}){0,2}$/;

/** An empty book of zones, with a memory of its own. */
export function createZones(): Zones {
  const known = new Map<string, Zone>();
  return {
    get: (name) => {
      const zone = known.get(name) ?? createZone(name);
      known.set(name, zone);
      return zone;
    },
  };
}

/** @throws DispatchError `schema_mismatch` */
function createZone(name: string): Zone {
  const offsetAt = createOffsets(name);
  const atMidnight = new Map<number, number>();
  const changes = new Map<string, Minute>();
  /** At midnight UTC of that day. */
  const offsetOf = (day: number): number => {
    const offset = atMidnight.get(day) ?? offsetAt(day * MINUTES_PER_DAY);
    atMidnight.set(day, offset);
    return offset;
  };
  /** Between two midnights with different offsets. */
  const changeBetween = (first: number, last: number): Minute => {
    const key = `${first} ${last}`;
    const change = changes.get(key) ?? findChange(offsetAt, first * MINUTES_PER_DAY, last * MINUTES_PER_DAY);
    changes.set(key, change);
    return change;
  };
  return {
    name,
    instantOf: (day, minute) => {
      const wall = day * MINUTES_PER_DAY + minute;
      // Every zone is within 14 hours of UTC, so the moment lies between these two midnights.
      const first = Math.floor(wall / MINUTES_PER_DAY) - 1;
      const [before, after] = [offsetOf(first), offsetOf(first + 3)];
      if (before === after) return wall - before;
      const change = changeBetween(first, first + 3);
      return wall - before < change ? wall - before : Math.max(change, wall - after);
    },
    dayOf: (at) => {
      const day = Math.floor(at / MINUTES_PER_DAY);
      const [before, after] = [offsetOf(day), offsetOf(day + 1)];
      const offset = before === after || at < changeBetween(day, day + 1) ? before : after;
      return Math.floor((at + offset) / MINUTES_PER_DAY);
    },
  };
}

/** The first minute with the later offset. No zone changes twice within three days. */
function findChange(offsetAt: (at: Minute) => number, from: Minute, to: Minute): Minute {
  const before = offsetAt(from);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** Minutes that the wall is ahead of UTC. */
function createOffsets(name: string): (at: Minute) => number {
  const format = formatOf(name);
  return (at) => {
    const shown = new Map(
      format.formatToParts(at * MINUTE_MS).map((part) => [part.type, Number(part.value)]),
    );
    const of = (type: Intl.DateTimeFormatPartTypes) => shown.get(type) ?? Number.NaN;
    const wall = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute')) / MINUTE_MS;
    if (!Number.isSafeInteger(wall)) refuse('unavailable', { detail: 'a wall clock that cannot be read' });
    return wall - at;
  };
}

function formatOf(name: string): Intl.DateTimeFormat {
  // Offsets such as +05:00 are no places: they know of no change.
  if (typeof name !== 'string' || !NAME.test(name)) {
    return refuse('schema_mismatch', { detail: 'not a time zone' });
  }
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  } catch (cause) {
    return refuse('schema_mismatch', { detail: 'not a time zone', cause });
  }
}
