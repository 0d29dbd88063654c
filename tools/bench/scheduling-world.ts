/** A made-up city, the same for the same seed: technicians with shifts, sites with hours, visits and jobs. */
import {
  type Commitment,
  compileHours,
  type Interval,
  type Job,
  type OpenHours,
  type Place,
  type RosterEntry,
  type WorkingHours,
  type Zones,
} from '@deadlatch/scheduling';

const ZONE = 'America/Chicago';
const DAY = 24 * 60;
/** Monday 2 November 2026, the day after the clock went back: 00:00 in Chicago. */
export const MONDAY = Date.UTC(2026, 10, 2, 6) / 60_000;
const TERRITORIES = ['north', 'east', 'south', 'west', 'centre'];
const SKILLS = ['locksmith', 'closers', 'operators', 'glass', 'fire_doors', 'access'];
const CERTIFICATIONS = ['fire_door', 'automatic_door'];
const CITY = { lat_e6: 30_270_000, lon_e6: -97_740_000 };

export type Random = () => number;

/** Numbers from 0 to 1. @source mulberry32, Tommy Ettinger, public domain */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const below = (random: Random, limit: number) => Math.floor(random() * limit);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T;
const some = <T>(random: Random, list: readonly T[], share: number) => list.filter(() => random() < share);

/** Within some 25 km of the middle; the territory follows from the side of the city. */
function anyPlace(random: Random): Place {
  const [north, east] = [random() - 0.5, random() - 0.5];
  const position = {
    lat_e6: CITY.lat_e6 + Math.round(north * 400_000),
    lon_e6: CITY.lon_e6 + Math.round(east * 460_000),
  };
  const isCentre = Math.hypot(north, east) < 0.15;
  const sideways = Math.abs(east) > Math.abs(north);
  const side = sideways ? (east > 0 ? 'east' : 'west') : north > 0 ? 'north' : 'south';
  return { position, territory: isCentre ? 'centre' : side };
}

function weekdays(from: number, to: number, days = [1, 2, 3, 4, 5]): WorkingHours {
  const weekly = days.map((weekday) => ({ weekday, from_minute: from * 60, to_minute: to * 60 }));
  return { time_zone: ZONE, weekly, exceptions: [] };
}

/** As rows would hold it; `compile` is part of what is measured. */
export interface PlainTechnician {
  readonly entry: Omit<RosterEntry, 'shifts'>;
  readonly shifts: WorkingHours;
}

export function anyTechnician(
  random: Random,
  index: number,
  commitments: readonly Commitment[] = [],
): PlainTechnician {
  const home = anyPlace(random);
  const own = home.territory ?? 'centre';
  const valid: Interval = { from: MONDAY - 300 * DAY, to: MONDAY + (20 + below(random, 400)) * DAY };
  const absentDay = MONDAY + below(random, 60) * DAY;
  return {
    shifts: weekdays(pick(random, [6, 7, 8]), pick(random, [16, 17, 18])),
    entry: {
      technician: {
        id: `t${String(index).padStart(4, '0')}`,
        active: true,
        skills: ['locksmith', ...some(random, SKILLS.slice(1), 0.6)],
        certifications: some(random, CERTIFICATIONS, 0.7).map((name) => ({ name, valid })),
        territories: [
          own,
          ...some(
            random,
            TERRITORIES.filter((one) => one !== own),
            0.4,
          ),
        ],
        home,
      },
      absences: [{ from: absentDay, to: absentDay + DAY }],
      commitments,
    },
  };
}

export function compileRoster(plain: readonly PlainTechnician[], zones: Zones): RosterEntry[] {
  return plain.map(({ entry, shifts }) => ({ ...entry, shifts: compileHours(shifts, zones) }));
}

export function siteHours(zones: Zones): readonly OpenHours[] {
  const week = [1, 2, 3, 4, 5, 6, 7];
  return [weekdays(7, 19), weekdays(9, 21, week), weekdays(6, 14), weekdays(0, 24, week)].map((hours) =>
    compileHours(hours, zones),
  );
}

export function anyJob(random: Random, index: number, hours: readonly OpenHours[], within: Interval): Job {
  const priority = pick(random, ['ROUTINE', 'ROUTINE', 'ROUTINE', 'URGENT', 'URGENT', 'EMERGENCY'] as const);
  return {
    id: `j${String(index).padStart(5, '0')}`,
    priority,
    place: anyPlace(random),
    minutes: pick(random, [20, 25, 30, 30, 40, 45]),
    skills: random() < 0.5 ? ['locksmith'] : [pick(random, SKILLS)],
    certifications: random() < 0.2 ? [pick(random, CERTIFICATIONS)] : [],
    site_hours: pick(random, hours),
    starts_within: within,
    due_at: priority === 'ROUTINE' ? null : within.from + (priority === 'URGENT' ? 24 : 12) * 60,
  };
}
