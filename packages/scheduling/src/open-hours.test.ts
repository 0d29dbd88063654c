import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { compileHours, type WorkingHours } from './open-hours.ts';
import { createZones } from './zone.ts';

const ZONES = createZones();
const minute = (text: string) => Date.parse(`${text}:00Z`) / 60_000;
const WEEK = { from: minute('2026-10-26T00:00'), to: minute('2026-11-09T00:00') };

function hours(patch: Partial<WorkingHours>): WorkingHours {
  const weekly = [{ weekday: 1, from_minute: 480, to_minute: 960 }];
  return { time_zone: 'America/New_York', weekly, exceptions: [], ...patch };
}

function open(patch: Partial<WorkingHours>, range = WEEK): readonly string[] {
  return compileHours(hours(patch), ZONES)
    .openBetween(range)
    .map(({ from, to }) => `${stamp(from)} ${stamp(to)}`);
}

const stamp = (at: number) => new Date(at * 60_000).toISOString().slice(5, 16);

test('hours follow the wall of their place over the change of the hour', () => {
  // The clock goes back on Sunday 1 November: 08:00 is 12:00Z before and 13:00Z after.
  assert.deepEqual(open({}), ['10-26T12:00 10-26T20:00', '11-02T13:00 11-02T21:00']);
});

test('a night shift goes on into the next day, and an hour longer when that hour comes twice', () => {
  const weekly = [{ weekday: 6, from_minute: 22 * 60, to_minute: 30 * 60 }];
  assert.deepEqual(open({ weekly }), ['11-01T02:00 11-01T11:00', '11-08T03:00 11-08T11:00']);
  // Asked from the middle of it, it has begun already.
  const later = { from: minute('2026-11-01T05:00'), to: minute('2026-11-01T06:00') };
  assert.deepEqual(open({ weekly }, later), ['11-01T05:00 11-01T06:00']);
});

test('hours that were all skipped do not open, and those half skipped open for the rest', () => {
  const spring = { from: minute('2026-03-07T00:00'), to: minute('2026-03-09T00:00') };
  const sunday = (from_minute: number, to_minute: number) => ({
    weekly: [{ weekday: 7, from_minute, to_minute }],
  });
  assert.deepEqual(open(sunday(125, 175), spring), []);
  assert.deepEqual(open(sunday(90, 150), spring), ['03-08T06:30 03-08T07:00']);
  assert.deepEqual(open(sunday(150, 240), spring), ['03-08T07:00 03-08T08:00']);
});

test('around the clock is one stretch, and an exception replaces its day', () => {
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, from_minute: 0, to_minute: 1440 }));
  const range = { from: minute('2026-11-03T05:00'), to: minute('2026-11-06T05:00') };
  assert.deepEqual(open({ weekly }, range), ['11-03T05:00 11-06T05:00']);
  const closed = [{ date: '2026-11-04', ranges: [] }];
  assert.deepEqual(open({ weekly, exceptions: closed }, range), [
    '11-03T05:00 11-04T05:00',
    '11-05T05:00 11-06T05:00',
  ]);
  const short = [{ date: '2026-11-04', ranges: [{ from_minute: 600, to_minute: 720 }] }];
  assert.ok(open({ weekly, exceptions: short }, range).includes('11-04T15:00 11-04T17:00'));
});

test('what is open on the wall is open, minute by minute, whatever the hours and wherever the place', () => {
  verifies('C.0');
  const range = fc
    .tuple(fc.integer({ min: 1, max: 7 }), fc.nat(1439), fc.integer({ min: 1, max: 1440 }))
    .map(([weekday, from_minute, length]) => ({ weekday, from_minute, to_minute: from_minute + length }));
  const zones = fc.constantFrom('America/New_York', 'Asia/Kolkata', 'Pacific/Auckland', 'UTC');
  fc.assert(
    fc.property(
      zones,
      fc.array(range, { minLength: 1, maxLength: 4 }),
      fc.nat(6),
      (time_zone, weekly, shift) => {
        // A week in which none of these changes the hour.
        const from = minute('2026-06-01T00:00') + shift * 1440;
        const opened = compileHours(hours({ time_zone, weekly }), ZONES).openBetween({
          from,
          to: from + 2880,
        });
        for (let at = from; at < from + 2880; at += 13) {
          const wall = new Date(at * 60_000).toLocaleString('sv-SE', { timeZone: time_zone });
          const day = Date.parse(`${wall.slice(0, 10)}T00:00Z`) / 86_400_000;
          const now = Number(wall.slice(11, 13)) * 60 + Number(wall.slice(14, 16));
          const isOn = (back: number) =>
            weekly.some((one) => {
              const weekday = new Date((day - back) * 86_400_000).getUTCDay() || 7;
              const then = now + back * 1440;
              return one.weekday === weekday && one.from_minute <= then && then < one.to_minute;
            });
          assert.equal(
            opened.some((one) => one.from <= at && at < one.to),
            isOn(0) || isOn(1),
            wall,
          );
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('hours that open nothing, or that nobody can read, are refused', () => {
  const range = { weekday: 1, from_minute: 480, to_minute: 960 };
  const garbage: Record<string, Partial<Record<keyof WorkingHours, unknown>>> = {
    'no hours': { weekly: [] },
    'no hours but on a day': { weekly: [], exceptions: [{ date: '2026-11-04', ranges: [range] }] },
    'hours not said': { weekly: undefined },
    'exceptions not said': { exceptions: undefined },
    'no zone': { time_zone: '' },
    'not a zone': { time_zone: 'Mars/Olympus' },
    'no weekday': { weekly: [{ ...range, weekday: 0 }] },
    'an eighth weekday': { weekly: [{ ...range, weekday: 8 }] },
    'ends when it begins': { weekly: [{ ...range, to_minute: 480 }] },
    'ends before': { weekly: [{ ...range, to_minute: 100 }] },
    'begins before the day': { weekly: [{ ...range, from_minute: -1 }] },
    'begins after the day': { weekly: [{ ...range, from_minute: 1440, to_minute: 1500 }] },
    'longer than a day': { weekly: [{ ...range, to_minute: 480 + 1441 }] },
    'half a minute': { weekly: [{ ...range, from_minute: 0.5 }] },
    'not a number': { weekly: [{ ...range, from_minute: Number.NaN }] },
    'text for a number': { weekly: [{ ...range, from_minute: '480' }] },
    'too many': { weekly: Array.from({ length: 51 }, () => range) },
    'not a day': { exceptions: [{ date: '2026-02-30', ranges: [] }] },
    'not a date': { exceptions: [{ date: 'tomorrow', ranges: [] }] },
    'one day twice': {
      exceptions: [
        { date: '2026-11-04', ranges: [] },
        { date: '2026-11-04', ranges: [range] },
      ],
    },
    'a day with garbage': { exceptions: [{ date: '2026-11-04', ranges: [{ ...range, to_minute: 1 }] }] },
  };
  for (const [name, patch] of Object.entries(garbage)) {
    assert.throws(
      () => compileHours({ ...hours({}), ...patch } as WorkingHours, ZONES),
      (error) => error instanceof DispatchError && error.code === 'schema_mismatch',
      name,
    );
  }
});
