/** Small worlds for property tests: one day, one zone, few people, minutes in steps that make things meet. */
import fc from 'fast-check';
import { type Board, openBoard, type RosterEntry } from '../board.ts';
import type { Interval } from '../interval.ts';
import { compileHours, type OpenHours, type WorkingHours } from '../open-hours.ts';
import { createGreatCircleTravel, type Place } from '../travel.ts';
import type { Certification, Commitment, Job, Technician } from '../work.ts';
import { createZones } from '../zone.ts';

export const ZONES = createZones();
/** Wednesday 4 November 2026, 00:00 UTC. */
export const MIDNIGHT = Date.UTC(2026, 10, 4) / 60_000;
export const DAY: Interval = { from: MIDNIGHT, to: MIDNIGHT + 24 * 60 };
export const at = (hour: number, minute = 0) => MIDNIGHT + hour * 60 + minute;

export const TRAVEL = createGreatCircleTravel({
  kmPerHour: 40,
  detourPercent: 130,
  overheadMinutes: 5,
  unknownMinutes: { within: 20, across: 45 },
});

export function hoursOf(weekly: WorkingHours['weekly'], time_zone = 'UTC'): OpenHours {
  return compileHours({ time_zone, weekly, exceptions: [] }, ZONES);
}

export function daily(from_minute: number, to_minute: number, time_zone = 'UTC'): OpenHours {
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, from_minute, to_minute }));
  return hoursOf(weekly, time_zone);
}

export const NORTH: Place = { position: { lat_e6: 30_300_000, lon_e6: -97_700_000 }, territory: 'north' };
const PLACES: readonly Place[] = [
  NORTH,
  { position: { lat_e6: 30_340_000, lon_e6: -97_700_000 }, territory: 'north' },
  { position: { lat_e6: 30_300_000, lon_e6: -97_800_000 }, territory: 'south' },
  { position: null, territory: 'south' },
];

export function technician(patch: Partial<Technician> = {}): Technician {
  return {
    id: 'tess',
    active: true,
    skills: ['locks'],
    certifications: [{ name: 'fire', valid: { from: at(-24 * 9), to: at(24 * 9) } }],
    territories: ['north'],
    home: NORTH,
    ...patch,
  };
}

export function job(patch: Partial<Job> = {}): Job {
  return {
    id: 'job',
    priority: 'ROUTINE',
    place: NORTH,
    minutes: 60,
    skills: ['locks'],
    certifications: [],
    site_hours: daily(8 * 60, 18 * 60),
    starts_within: DAY,
    due_at: null,
    ...patch,
  };
}

export function entry(patch: Partial<RosterEntry> = {}): RosterEntry {
  return {
    technician: technician(),
    shifts: daily(8 * 60, 16 * 60),
    absences: [],
    commitments: [],
    ...patch,
  };
}

export function boardOf(...roster: readonly RosterEntry[]): Board {
  return openBoard(DAY, TRAVEL, roster);
}

const place = fc.constantFrom(...PLACES);
const ALL_SKILLS = ['locks', 'glass', 'closers'];
const skills = fc.oneof({ weight: 3, arbitrary: fc.constant(ALL_SKILLS) }, fc.subarray(ALL_SKILLS));
const certificates = fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.subarray(['fire', 'auto']));
const range = fc
  .tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 2, max: 16 }))
  .map(([from, length]) => ({ from_minute: from * 60, to_minute: Math.min(24, from + length) * 60 }));
const hours = fc
  .uniqueArray(range, { minLength: 1, maxLength: 2, selector: (one) => one.from_minute })
  .map((list) => hoursOf(list.map((one) => ({ ...one, weekday: 3 }))));

const certification: fc.Arbitrary<Certification> = fc
  .tuple(fc.constantFrom('fire', 'auto'), fc.integer({ min: 10, max: 60 }))
  .map(([name, ends]) => ({ name, valid: { from: at(-100), to: at(ends) } }));

const anyTechnician = (id: string): fc.Arbitrary<Technician> =>
  fc.record({
    id: fc.constant(id),
    active: fc.integer({ min: 0, max: 9 }).map((one) => one > 0),
    skills,
    certifications: fc.array(certification, { maxLength: 3 }),
    territories: fc.constantFrom(['north', 'south'], ['south', 'north'], ['north']),
    home: place,
  });

/** Agreed visits that never overlap: each begins after the one before. */
const commitments: fc.Arbitrary<readonly Commitment[]> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 15, max: 120 }), place), {
    maxLength: 3,
  })
  .map((parts) => {
    let clock = at(4);
    return parts.flatMap(([gap, length, where]) => {
      const from = clock + gap;
      clock = from + length;
      return clock <= DAY.to ? [{ from, to: clock, place: where }] : [];
    });
  });

const absence: fc.Arbitrary<Interval> = fc
  .tuple(fc.integer({ min: 0, max: 22 }), fc.integer({ min: 10, max: 200 }))
  .map(([hour, length]) => ({ from: at(hour), to: at(hour) + length }));

export const anyEntry = (id: string): fc.Arbitrary<RosterEntry> =>
  fc.record({
    technician: anyTechnician(id),
    shifts: hours,
    absences: fc.array(absence, { maxLength: 2 }),
    commitments,
  });

export const anyRoster: fc.Arbitrary<readonly RosterEntry[]> = fc
  .integer({ min: 1, max: 3 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => anyEntry(`t${index}`))));

export const anyJob = (id = 'job'): fc.Arbitrary<Job> =>
  fc.record({
    id: fc.constant(id),
    priority: fc.constantFrom('ROUTINE', 'URGENT', 'EMERGENCY'),
    place,
    minutes: fc.integer({ min: 10, max: 150 }),
    skills: skills.map((list) => list.slice(0, 1)),
    certifications: certificates.map((list) => list.slice(0, 1)),
    site_hours: hours,
    starts_within: fc
      .tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 1, max: 16 }))
      .map(([from, length]) => ({ from: at(from), to: Math.min(DAY.to, at(from + length)) })),
    due_at: fc.option(fc.integer({ min: at(0), max: at(20) })),
  });

export const anyJobs = (max: number): fc.Arbitrary<readonly Job[]> =>
  fc
    .integer({ min: 1, max })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => anyJob(`j${index}`))));
