import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { createGreatCircleTravel, type GreatCircleOptions, type Place } from './travel.ts';

const OPTIONS: GreatCircleOptions = {
  kmPerHour: 40,
  detourPercent: 130,
  overheadMinutes: 5,
  unknownMinutes: { within: 30, across: 60 },
};
const MODEL = createGreatCircleTravel(OPTIONS);
const place = (lat: number, lon: number): Place => ({
  position: { lat_e6: Math.round(lat * 1e6), lon_e6: Math.round(lon * 1e6) },
  territory: null,
});
const anyPlace = fc
  .tuple(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -180, max: 180 }), fc.nat(999), fc.nat(999))
  .map(([lat, lon, a, b]) => place(lat * 0.999 + a / 1e6, lon * 0.999 + b / 1e6));

test('known distances take the minutes that speed, detour and overhead make', () => {
  // One degree of latitude: 111.195 km on a globe of 6,371 km; 144.55 km of road; 216.83 minutes.
  assert.equal(MODEL.minutes(place(30, -97), place(31, -97)), 217 + 5);
  assert.equal(MODEL.minutes(place(0, 179.5), place(0, -179.5)), 217 + 5);
  assert.equal(MODEL.minutes(place(30, -97), place(30, -97)), 0);
  assert.equal(MODEL.minutes(place(30, -97), place(30.000001, -97)), 1 + 5);
});

test('an unknown position takes a constant, more across territories', () => {
  const unknown = (territory: string | null): Place => ({ position: null, territory });
  assert.equal(MODEL.minutes(unknown('north'), unknown('north')), 30);
  assert.equal(MODEL.minutes(unknown('north'), unknown('south')), 60);
  assert.equal(MODEL.minutes(unknown(null), unknown(null)), 60);
  assert.equal(MODEL.minutes(unknown('north'), place(30, -97)), 60);
});

test('whole minutes, the same in both directions, and no stop on the way is a short cut', () => {
  fc.assert(
    fc.property(anyPlace, anyPlace, anyPlace, (a, b, c) => {
      const direct = MODEL.minutes(a, c);
      assert.ok(Number.isInteger(direct) && direct >= 0);
      assert.equal(direct, MODEL.minutes(c, a));
      assert.ok(direct <= MODEL.minutes(a, b) + MODEL.minutes(b, c) + 1);
    }),
  );
});

test('a model that cannot be is refused', () => {
  const garbage: Partial<GreatCircleOptions>[] = [
    { kmPerHour: 0 },
    { kmPerHour: Number.NaN },
    { detourPercent: 99 },
    { detourPercent: Number.NaN },
    { overheadMinutes: -1 },
    { overheadMinutes: 1.5 },
    { unknownMinutes: { within: Infinity, across: 1 } },
  ];
  for (const patch of garbage) {
    assert.throws(
      () => createGreatCircleTravel({ ...OPTIONS, ...patch }),
      DispatchError,
      JSON.stringify(patch),
    );
  }
});
