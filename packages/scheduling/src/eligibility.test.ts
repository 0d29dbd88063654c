import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openBoard } from './board.ts';
import { type Eligibility, eligibility } from './eligibility.ts';
import { naiveDay } from './testing/naive.fixture.ts';
import {
  anyEntry,
  anyJob,
  at,
  DAY,
  daily,
  job,
  NORTH,
  TRAVEL,
  technician,
} from './testing/worlds.fixture.ts';
import { type Calendar, type Job, NOT_KEPT, type Technician } from './work.ts';

const TEN = { from: at(10), to: at(11) };

function calendar(patch: Partial<Calendar> = {}): Calendar {
  const shifts = [{ from: at(8), to: at(16) }];
  return { horizon: DAY, shifts, absences: [], commitments: [], travel: TRAVEL, ...patch };
}

function said(answer: Eligibility): readonly string[] {
  return answer.eligible ? [] : answer.reasons.map((one) => `${one.dimension}: ${one.reason}`);
}

const ask = (t: Partial<Technician> = {}, j: Partial<Job> = {}, c: Partial<Calendar> = {}, window = TEN) =>
  said(eligibility(technician(t), job(j), window, calendar(c)));

test('whoever has what the job needs and is there may be sent', () => {
  assert.deepEqual(ask(), []);
  assert.deepEqual(ask({}, { certifications: ['fire'] }), []);
});

test('each thing that is missing is a reason of its own, and all of them are given', () => {
  const fire = (from: number, to: number) => [{ name: 'fire', valid: { from, to } }];
  const booked = { from: at(9), to: at(10, 30), place: NORTH };
  const far = { position: { lat_e6: 31_000_000, lon_e6: -97_700_000 }, territory: 'north' };
  const cases: [readonly string[], readonly string[]][] = [
    [ask({ active: false }), ['status: inactive']],
    [ask({ skills: [] }), ['skill: skill_missing']],
    [ask({ certifications: [] }, { certifications: ['fire'] }), ['certification: certification_missing']],
    [
      ask({ certifications: fire(at(0), at(10, 59)) }, { certifications: ['fire'] }),
      ['certification: certification_expired'],
    ],
    [
      ask({ certifications: fire(at(10, 1), at(12)) }, { certifications: ['fire'] }),
      ['certification: certification_expired'],
    ],
    [ask({ territories: [] }), ['territory: outside_territory']],
    [ask({}, {}, { shifts: [{ from: at(10, 1), to: at(16) }] }), ['shift: off_shift']],
    [ask({}, {}, { shifts: [] }), ['shift: off_shift']],
    [ask({}, {}, { absences: [{ from: at(10, 59), to: at(12) }] }), ['shift: absent']],
    [ask({}, { site_hours: daily(601, 1080) }), ['site_hours: site_closed']],
    [ask({}, {}, { commitments: [booked] }), ['time: double_booked']],
    [ask({}, {}, { commitments: [{ from: at(8), to: at(10), place: far }] }), ['travel: too_far']],
    [ask({}, {}, { commitments: [{ from: at(11), to: at(12), place: far }] }), ['travel: too_far']],
    [ask({ home: far }, {}, { shifts: [{ from: at(9), to: at(16) }] }), ['travel: too_far']],
    [ask({ active: false, skills: [] }), ['status: inactive', 'skill: skill_missing']],
  ];
  for (const [actual, expected] of cases) assert.deepEqual(actual, expected);
});

test('ranges are half-open: what ends when another begins is no overlap', () => {
  const here = (from: number, to: number) => [{ from, to, place: NORTH }];
  assert.deepEqual(ask({}, {}, { commitments: here(at(9), at(10)) }), []);
  assert.deepEqual(ask({}, {}, { commitments: here(at(11), at(12)) }), []);
  assert.deepEqual(ask({}, {}, { absences: [{ from: at(11), to: at(12) }] }), []);
  const fire = { certifications: [{ name: 'fire', valid: TEN }] };
  assert.deepEqual(ask(fire, { certifications: ['fire'] }), []);
});

test('an emergency does not wait for the site to open, anything else does', () => {
  const closed = { site_hours: daily(0, 60) };
  assert.deepEqual(ask({}, { ...closed, priority: 'EMERGENCY' }), []);
  assert.deepEqual(ask({}, { ...closed, priority: 'URGENT' }), ['site_hours: site_closed']);
});

test('what is not kept is not compared, and what is missing refuses', () => {
  assert.deepEqual(
    ask({}, { site_hours: NOT_KEPT }, { shifts: NOT_KEPT, absences: NOT_KEPT, travel: NOT_KEPT }),
    [],
  );
  const missing: Partial<Record<keyof Calendar, unknown>>[] = [
    { shifts: undefined },
    { shifts: null },
    { absences: undefined },
    { commitments: undefined },
    { travel: undefined },
    { horizon: undefined },
  ];
  for (const patch of missing) {
    assert.ok(ask({}, {}, patch as Partial<Calendar>).includes('status: unknown'), JSON.stringify(patch));
  }
  for (const key of ['active', 'skills', 'territories', 'certifications'] as const) {
    assert.ok(ask({ [key]: undefined } as never, { certifications: ['fire'] }).length > 0, key);
  }
  for (const key of ['place', 'skills', 'certifications', 'site_hours'] as const) {
    assert.ok(ask({}, { [key]: undefined } as never).length > 0, key);
  }
  assert.deepEqual(ask({}, { place: { position: null, territory: null } }), ['territory: outside_territory']);
});

test('a time that is none, or beyond what the calendar knows, is never free', () => {
  const open = { shifts: NOT_KEPT, absences: NOT_KEPT, travel: NOT_KEPT } as const;
  const known = { site_hours: NOT_KEPT } as const;
  for (const window of [
    { from: at(11), to: at(10) },
    { from: at(10), to: at(10) },
    { from: Number.NaN, to: at(10) },
    { from: at(10) + 0.5, to: at(11) },
    { from: at(23), to: at(25) },
    { from: at(10), to: Infinity },
  ]) {
    assert.deepEqual(ask({}, known, open, window), ['status: unknown'], JSON.stringify(window));
  }
});

test('agrees minute by minute with a second implementation', () => {
  let eligible = 0;
  fc.assert(
    fc.property(anyEntry('t0'), anyJob(), (who, what) => {
      const [crew] = openBoard(DAY, TRAVEL, [who]).crew;
      const naive = naiveDay(who, what);
      assert.ok(crew);
      for (let start = DAY.from; start < DAY.to; start += 7) {
        const window = { from: start, to: start + what.minutes };
        const answer = eligibility(who.technician, what, window, crew.calendar);
        assert.equal(answer.eligible, naive.mayBegin(start), `${start - DAY.from}: ${said(answer)}`);
        if (answer.eligible) eligible += 1;
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(eligible > 500);
});

test('less of anything never makes anybody eligible', () => {
  const without = <T>(list: readonly T[], index: number) =>
    list.filter((_, place) => place !== index % Math.max(1, list.length));
  let refusals = 0;
  fc.assert(
    fc.property(anyEntry('t0'), anyJob(), fc.nat(5), fc.nat(1439), (who, what, index, minute) => {
      const [crew] = openBoard(DAY, TRAVEL, [who]).crew;
      assert.ok(crew);
      const t = who.technician;
      const c = crew.calendar;
      const window = { from: DAY.from + minute, to: DAY.from + minute + what.minutes };
      if (eligibility(t, what, window, c).eligible) return;
      refusals += 1;
      const absence = { from: at(index), to: at(index + 4) };
      const less: [Technician, Calendar][] = [
        [{ ...t, skills: without(t.skills, index) }, c],
        [{ ...t, certifications: without(t.certifications, index) }, c],
        [{ ...t, territories: without(t.territories, index) }, c],
        [{ ...t, active: false }, c],
        [t, { ...c, shifts: without(c.shifts === NOT_KEPT ? [] : c.shifts, index) }],
        [t, { ...c, absences: [...(c.absences === NOT_KEPT ? [] : c.absences), absence] }],
      ];
      for (const [who2, then] of less) assert.equal(eligibility(who2, what, window, then).eligible, false);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(refusals > 500);
});
