import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { openBoard, type RosterEntry } from './board.ts';
import { FACTORS, type Share } from './factors.ts';
import { overlaps } from './interval.ts';
import { optionsFor } from './options.ts';
import { recommend } from './recommend.ts';
import { naiveDay } from './testing/naive.fixture.ts';
import {
  anyJob,
  anyRoster,
  at,
  boardOf,
  DAY,
  daily,
  entry,
  job,
  NORTH,
  TRAVEL,
  technician,
} from './testing/worlds.fixture.ts';
import { type Job, NOT_KEPT } from './work.ts';

const RUNS = { numRuns: 300 };

function requireExplained(score: number, explanation: readonly Share[]): void {
  assert.deepEqual(
    explanation.map((one) => one.factor),
    [...FACTORS],
  );
  assert.equal(
    explanation.reduce((sum, one) => sum + one.contribution, 0),
    score,
  );
  for (const { contribution, value } of explanation)
    assert.ok(Number.isInteger(value) && Number.isInteger(contribution));
}

/** Every minute at which this technician may begin, by the second implementation. */
function minutesOf(who: RosterEntry, what: Job): readonly number[] {
  const naive = naiveDay(who, what);
  const { from, to } = what.starts_within;
  return Array.from({ length: to - from }, (_, index) => from + index).filter(naive.mayBegin);
}

test('three windows on the wall clock of the site, in the order of time', () => {
  const options = optionsFor(boardOf(entry()), job({ place: { ...NORTH, position: null } }));
  assert.deepEqual(
    options.map(({ number, visit, window }) => [number, window, visit.from]),
    [
      // 08:00 with 20 minutes on the way.
      [1, { from: at(8), to: at(10) }, at(8, 20)],
      [2, { from: at(10), to: at(12) }, at(10)],
      [3, { from: at(12), to: at(14) }, at(12)],
    ],
  );
});

test('windows are as long as the clock makes them where the hour changes', () => {
  // 8 March 2026, New York: 02:00 to 04:00 is one hour long.
  const sunday = Date.UTC(2026, 2, 8) / 60_000;
  const within = { from: sunday, to: sunday + 24 * 60 };
  const night = daily(0, 6 * 60, 'America/New_York');
  const board = openBoard(within, TRAVEL, [entry({ shifts: night })]);
  const valid = { ...job({ site_hours: night, starts_within: within, minutes: 30 }) };
  const windows = optionsFor(board, valid).map(({ window }) => window.to - window.from);
  assert.ok(windows.includes(60), windows.join(' '));
});

test('options are there exactly when somebody can come; each can be booked, and all of them held together', () => {
  let offered = 0;
  fc.assert(
    fc.property(anyRoster, anyJob(), (roster, what) => {
      const options = optionsFor(openBoard(DAY, TRAVEL, roster), what);
      const possible = new Map(roster.map((who) => [who.technician.id, new Set(minutesOf(who, what))]));
      assert.equal(
        options.length > 0,
        [...possible.values()].some((minutes) => minutes.size > 0),
      );
      assert.ok(options.length <= 3);
      options.forEach(({ explanation, number, score, technician_id, visit, window }, index) => {
        offered += 1;
        assert.equal(number, index + 1);
        assert.ok(possible.get(technician_id)?.has(visit.from));
        assert.equal(visit.to - visit.from, what.minutes);
        assert.ok(window.from <= visit.from && visit.from < window.to);
        requireExplained(score, explanation);
        for (const other of options.slice(index + 1)) {
          assert.ok(!overlaps(window, other.window) && window.from < other.window.from);
          assert.ok(technician_id !== other.technician_id || !overlaps(visit, other.visit));
        }
      });
    }),
    RUNS,
  );
  assert.ok(offered > 100);
});

test('everybody is ranked who can begin within the window, and everybody else is refused with reasons', () => {
  let ranked = 0;
  fc.assert(
    fc.property(anyRoster, anyJob(), (roster, what) => {
      const answer = recommend(openBoard(DAY, TRAVEL, roster), what, what.starts_within);
      const able = roster.filter((who) => minutesOf(who, what).length > 0).map((who) => who.technician.id);
      assert.deepEqual(answer.ranked.map((one) => one.technician_id).sort(), able.sort());
      assert.equal(answer.ranked.length + answer.refused.length, roster.length);
      for (const { reasons } of answer.refused) assert.ok(reasons.length > 0);
      answer.ranked.forEach(({ explanation, score, technician_id, visit }, index) => {
        ranked += 1;
        assert.ok(score >= (answer.ranked[index - 1]?.score ?? 0));
        requireExplained(score, explanation);
        const who = roster.find((one) => one.technician.id === technician_id);
        assert.ok(who && naiveDay(who, what).mayBegin(visit.from));
      });
    }),
    RUNS,
  );
  assert.ok(ranked > 100);
});

test('the same question has the same answer, in whatever order the roster comes', () => {
  fc.assert(
    fc.property(anyRoster, anyJob(), (roster, what) => {
      const [one, two] = [roster, [...roster].reverse()].map((list) => openBoard(DAY, TRAVEL, list));
      assert.ok(one && two);
      assert.deepEqual(optionsFor(one, what), optionsFor(two, what));
      assert.deepEqual(recommend(one, what, DAY), recommend(two, what, DAY));
    }),
    RUNS,
  );
});

test('a skill, certification, territory or shift less adds no technician and no minute', () => {
  const drop = <T>(list: readonly T[], index: number) =>
    list.filter((_, place) => place !== index % Math.max(1, list.length));
  const asked = fc.tuple(
    anyRoster,
    anyJob(),
    fc.nat(3),
    fc.constantFrom('skills', 'certifications', 'territories', 'shift', 'person'),
  );
  fc.assert(
    fc.property(asked, ([roster, what, index, kind]) => {
      const [first, ...others] = roster;
      assert.ok(first);
      const { shifts, technician: t } = first;
      const half: RosterEntry['shifts'] = {
        zone: shifts.zone,
        openBetween: (range) => shifts.openBetween(range).slice(index % 2, (index % 2) + 1),
      };
      const less: RosterEntry =
        kind === 'shift'
          ? { ...first, shifts: half }
          : {
              ...first,
              technician:
                kind === 'person' ? { ...t, active: false } : { ...t, [kind]: drop<unknown>(t[kind], index) },
            };
      const before = recommend(openBoard(DAY, TRAVEL, roster), what, what.starts_within).ranked;
      const board = openBoard(DAY, TRAVEL, [less, ...others]);
      const after = recommend(board, what, what.starts_within).ranked;
      const names = before.map((one) => one.technician_id);
      assert.ok(after.every((one) => names.includes(one.technician_id)));
      const possible = new Map(roster.map((who) => [who.technician.id, minutesOf(who, what)]));
      for (const { technician_id, visit } of optionsFor(board, what)) {
        assert.ok(
          possible.get(technician_id)?.includes(visit.from),
          'an option that was not possible before',
        );
      }
    }),
    RUNS,
  );
});

test('who is nearer, fitter and freer comes first, and the explanation says by how much', () => {
  const other = { position: { lat_e6: 30_400_000, lon_e6: -97_700_000 }, territory: 'north' };
  const busy = [{ from: at(13), to: at(15), place: NORTH }];
  const board = boardOf(
    entry({ technician: technician({ id: 'busy' }), commitments: busy }),
    entry({ technician: technician({ id: 'far', home: other }) }),
    entry({ technician: technician({ id: 'near' }) }),
    entry({ technician: technician({ id: 'spare', skills: ['locks', 'glass'] }) }),
  );
  const { ranked } = recommend(board, job(), { from: at(10), to: at(11) });
  assert.deepEqual(
    ranked.map((one) => one.technician_id),
    ['near', 'spare', 'busy', 'far'],
  );
  const shares = Object.fromEntries(
    ranked.map(({ explanation, technician_id }) => [
      technician_id,
      Object.fromEntries(
        explanation.map(({ contribution, factor, value }) => [factor, [value, contribution]]),
      ),
    ]),
  );
  assert.deepEqual(shares.near, {
    skill: [0, 0],
    certification: [365, 0],
    territory: [0, 0],
    travel: [0, 0],
    shift: [300, 0],
    slack: [59, 0],
    load: [60, 3],
    wait: [0, 0],
    late: [0, 0],
  });
  assert.deepEqual(shares.spare?.skill, [1, 3]);
  assert.deepEqual(shares.busy?.load, [180, 18]);
  // 11.12 km, 1.3 times as long by road, at 40 km/h, and 5 minutes.
  assert.deepEqual(shares.far?.travel, [27, 54]);
});

test('garbage is refused, not planned with', () => {
  const refused = (ask: () => unknown, name: string) =>
    assert.throws(ask, (error) => error instanceof DispatchError && error.code === 'schema_mismatch', name);
  const board = boardOf(entry());
  for (const patch of [
    { minutes: 0 },
    { minutes: 1.5 },
    { minutes: Number.NaN },
    { due_at: Number.NaN },
    { starts_within: { from: at(9), to: at(9) } },
  ]) {
    refused(() => optionsFor(board, job(patch)), JSON.stringify(patch));
  }
  refused(() => optionsFor(board, job({ site_hours: NOT_KEPT })), 'no wall clock');
  refused(() => recommend(board, job(), { from: at(9), to: at(8) }), 'window');
  refused(() => boardOf(entry(), entry()), 'somebody twice');
  refused(() => boardOf(entry({ absences: [{ from: at(9), to: at(8) }] })), 'absence');
  const twice = [
    { from: at(9), to: at(11), place: NORTH },
    { from: at(10), to: at(12), place: NORTH },
  ];
  refused(() => boardOf(entry({ commitments: twice })), 'in two places');
  refused(() => openBoard({ from: at(0), to: at(24 * 32) }, TRAVEL, []), 'horizon');
});
