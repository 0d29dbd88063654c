import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { createZones } from './zone.ts';

const ZONES = createZones();
const MINUTE = 60_000;
const dayOf = (date: string) => Date.parse(`${date}T00:00:00Z`) / (24 * 60 * MINUTE);
const text = (at: number) => new Date(at * MINUTE).toISOString().slice(0, 16);

/** What the wall shows, read off the Swedish form: another way than the package takes. */
function createWall(zone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  return (at) => format.format(at * MINUTE);
}

/** Two nights each that are known to change the hour, or the day. */
const CHANGES: readonly (readonly [string, string])[] = [
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Europe/Berlin', '2026-03-29'],
  ['Europe/Berlin', '2026-10-25'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['America/Sao_Paulo', '2018-11-04'],
  ['America/Sao_Paulo', '2018-02-18'],
  ['Asia/Beirut', '2026-03-29'],
  ['Africa/Casablanca', '2026-02-15'],
  ['Africa/Casablanca', '2026-03-22'],
  ['America/St_Johns', '2006-04-02'],
  ['Pacific/Apia', '2011-12-30'],
  ['Asia/Kathmandu', '2026-05-05'],
];

test('an hour that is skipped is reached when it is skipped, one that comes twice when it comes first', () => {
  const newYork = ZONES.get('America/New_York');
  const spring = dayOf('2026-03-08');
  assert.equal(text(newYork.instantOf(spring, 119)), '2026-03-08T06:59');
  for (const minute of [120, 150, 179, 180]) {
    assert.equal(text(newYork.instantOf(spring, minute)), '2026-03-08T07:00', String(minute));
  }
  assert.equal(text(newYork.instantOf(spring, 181)), '2026-03-08T07:01');
  const autumn = dayOf('2026-11-01');
  assert.equal(text(newYork.instantOf(autumn, 60)), '2026-11-01T05:00');
  assert.equal(text(newYork.instantOf(autumn, 119)), '2026-11-01T05:59');
  // 01:00 to 02:00 comes again in between.
  assert.equal(text(newYork.instantOf(autumn, 120)), '2026-11-01T07:00');
  // Midnight did not exist there that day; on this one no minute did.
  assert.equal(text(ZONES.get('America/Sao_Paulo').instantOf(dayOf('2018-11-04'), 0)), '2018-11-04T03:00');
  const apia = ZONES.get('Pacific/Apia');
  assert.equal(text(apia.instantOf(dayOf('2011-12-30'), 0)), '2011-12-30T10:00');
  assert.equal(text(apia.instantOf(dayOf('2011-12-30'), 1439)), '2011-12-30T10:00');
  assert.equal(text(apia.instantOf(dayOf('2011-12-31'), 0)), '2011-12-30T10:00');
});

test('around every change: the first moment at which the wall has got there, as found by walking', () => {
  for (const [name, date] of CHANGES) {
    const zone = ZONES.get(name);
    const day = dayOf(date);
    const walk = Array.from({ length: 5 * 24 * 60 }, (_, index) => (day - 2) * 1440 + index);
    const shown = walk.map(createWall(name));
    for (let minute = -720; minute <= 2160; minute += 10) {
      const wanted = text(day * 1440 + minute).replace('T', ' ');
      const first = walk[shown.findIndex((one) => one >= wanted)];
      assert.equal(zone.instantOf(day, minute), first, `${name} ${wanted}`);
    }
  }
});

test('the day is the one that the wall shows, and time on the wall never makes time go back', () => {
  const anyZone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
  const anyDay = fc.integer({ min: dayOf('2001-01-01'), max: dayOf('2060-01-01') });
  fc.assert(
    fc.property(anyZone, anyDay, fc.nat(1439), fc.nat(1440), (name, day, minute, more) => {
      const zone = ZONES.get(name);
      const at = zone.instantOf(day, minute);
      assert.ok(at <= zone.instantOf(day, minute + more));
      const wall = createWall(name);
      const shown = wall(at);
      // Later than asked only where what was asked is skipped.
      const wanted = text(day * 1440 + minute).replace('T', ' ');
      assert.ok(shown >= wanted && wall(at - 1) < wanted, `${name} ${wanted}: ${shown}`);
      assert.equal(zone.dayOf(at), dayOf(shown.slice(0, 10)));
    }),
    { numRuns: 3_000 },
  );
});

test('what is not the name of a zone is refused', () => {
  for (const name of [
    '',
    'Mars/Olympus',
    '+05:00',
    'constructor',
    '__proto__',
    'Europe/Berlin\n',
    'a'.repeat(500),
    null,
    7,
  ]) {
    assert.throws(
      () => ZONES.get(name as string),
      (error) => error instanceof DispatchError && error.code === 'schema_mismatch',
      String(name),
    );
  }
});
