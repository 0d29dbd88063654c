import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import type { PublicationRow } from './publication-facts.ts';
import { inForceAt, scheduledAfter } from './publications.ts';

const at = (hour: number) => Date.UTC(2026, 2, 1, hour);
const row = (number: number, version: number, hour: number): PublicationRow => ({
  number,
  version,
  effective_from: new Date(at(hour)).toISOString(),
});

const HOURS = [1, 2, 3];
const ONE = HOURS.flatMap((hour) => [1, 2].map((version) => ({ hour, version })));
type Published = (typeof ONE)[number];

/** Every history of up to three publications, in the order in which they were decided. */
const HISTORIES: readonly (readonly Published[])[] = [0, 1, 2, 3].flatMap((length) =>
  Array.from({ length }).reduce<readonly (readonly Published[])[]>(
    (all) => all.flatMap((history) => ONE.map((one) => [...history, one])),
    [[]],
  ),
);

/** The same again, told as a clock would: hour by hour, decision by decision, the last one that begins holds. */
function naive(history: readonly Published[], now: number): number | null {
  let version: number | null = null;
  for (let hour = 0; hour <= now; hour += 1) {
    for (const one of history) if (one.hour === hour) version = one.version;
  }
  return version;
}

test('every history of three publications at every moment: the later start holds, and of one start the later decision', () => {
  verifies('I.3');
  assert.equal(HISTORIES.length, 1 + 6 + 36 + 216);
  for (const history of HISTORIES) {
    const rows = history.map(({ version, hour }, i) => row(i + 1, version, hour));
    for (let now = 0; now <= 4; now += 1) {
      const expected = naive(history, now);
      const label = `${JSON.stringify(history)} at ${now}`;
      // In whatever order the rows come.
      for (const shown of [rows, rows.toReversed(), [...rows.slice(1), ...rows.slice(0, 1)]]) {
        assert.equal(inForceAt(shown, at(now))?.version ?? null, expected, label);
      }
      // Nothing begins a moment too early.
      assert.equal(inForceAt(rows, at(now) + 1)?.version ?? null, expected, label);
      assert.equal(inForceAt(rows, at(now) - 1)?.version ?? null, naive(history, now - 1), label);
      const planned = scheduledAfter(rows, at(now));
      for (const { effective_from, version } of planned) {
        assert.equal(naive(history, new Date(effective_from).getUTCHours()), version, label);
      }
      const later = new Set(history.map(({ hour }) => hour).filter((hour) => hour > now));
      assert.equal(planned.length, later.size, label);
    }
  }
});

test('going back is publishing the older version again, and what was planned is taken back at its own moment', () => {
  const rows = [row(1, 1, 0), row(2, 2, 5), row(3, 1, 7), row(4, 2, 9), row(5, 1, 9)];
  const versions = [0, 4, 5, 6, 7, 8, 9, 10].map((hour) => inForceAt(rows, at(hour))?.version);
  assert.deepEqual(versions, [1, 1, 2, 2, 1, 1, 1, 1]);
  assert.deepEqual(
    scheduledAfter(rows, at(6)).map(({ number }) => number),
    [3, 5],
  );
  assert.deepEqual(scheduledAfter(rows, at(9)), []);
});

test('without a row that has begun, or without a time, nothing is in force', () => {
  verifies('C.8');
  assert.equal(inForceAt([], at(1)), null);
  assert.equal(inForceAt([row(1, 2, 3)], at(2)), null);
  assert.equal(inForceAt([row(1, 2, 3)], Number.NaN), null);
  const torn = { number: 2, version: 1, effective_from: 'soon' };
  assert.equal(inForceAt([torn], at(3)), null);
  assert.equal(inForceAt([row(1, 2, 3), torn], at(3))?.version, 2);
});
