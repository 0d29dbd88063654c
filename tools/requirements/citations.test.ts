import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { guardsAgainst, MISTAKES } from '../../test/mistakes.ts';
import { REQUIREMENTS, type Requirement, verifies } from '../../test/requirements.ts';
import { citationsIn, coverageProblems, unguarded } from './citations.ts';

const requirement = (id: string, due: Requirement['due']): Requirement => ({
  id,
  level: 'S',
  text: 'text',
  due,
  open: due === 'later' ? 'reason' : null,
});
const LIST = [requirement('X.1', 'now'), requirement('X.2', 'later')];
const cite = (id: string | null) => [{ file: 'a.test.ts', id }];

describe('citationsIn', () => {
  it('finds literal ids and nothing in comments, strings and other calls', () => {
    const source = `
      // verifies('X.9')
      const text = "verifies('X.8')";
      it('x', () => { verifies('X.1', "X.2"); other('X.7'); a.verifies('X.6'); });
    `;
    assert.deepEqual(
      citationsIn('a.test.ts', source).map((c) => c.id),
      ['X.1', 'X.2'],
    );
  });

  it('reports what cannot be read without running', () => {
    for (const call of ['verifies(id)', 'verifies(...ids)', 'verifies(`X.1`)', 'verifies()']) {
      assert.deepEqual(
        citationsIn('a.test.ts', call).map((c) => c.id),
        [null],
        call,
      );
    }
  });
});

describe('coverageProblems', () => {
  it('is silent when exactly what is due is cited', () => {
    assert.deepEqual(coverageProblems(LIST, cite('X.1')), []);
  });

  it('names what is due and not cited', () => {
    assert.match(coverageProblems(LIST, []).join(), /X\.1 is due and no test cites it/);
  });

  it('names unknown, postponed and unreadable citations', () => {
    const both = (id: string | null) => coverageProblems(LIST, [...cite('X.1'), ...cite(id)]).join();
    assert.match(both('X.3'), /no such requirement: X\.3/);
    assert.match(both('X.2'), /X\.2 is postponed but proven/);
    assert.match(both(null), /literal ids/);
    assert.match(both('constructor'), /no such requirement/);
  });
});

describe('the list', () => {
  it('has every id once, and a reason for every postponed one', () => {
    assert.equal(new Set(REQUIREMENTS.map((r) => r.id)).size, REQUIREMENTS.length);
    assert.equal(REQUIREMENTS.length, 78);
    for (const r of REQUIREMENTS) {
      assert.match(r.id, /^(T[1-5]|[AIFCR])\.\d+[a-d]?$/);
      if (r.due === 'later') assert.ok(r.open, r.id);
    }
  });

  it('makes a test fail that cites an unknown id or none', () => {
    assert.throws(() => verifies('T9.9'), /no such requirement: T9\.9/);
    assert.throws(() => verifies('constructor'), /no such requirement/);
    assert.throws(() => verifies(), /at least one/);
  });
});

describe('mistakes of comparable systems', () => {
  const TWO = MISTAKES.slice(0, 2);
  const guard = (id: string | null) => ({ file: 'a.test.ts', id });

  it('are 35, each once', () => {
    assert.equal(new Set(MISTAKES.map(({ text }) => text)).size, 35);
    assert.deepEqual(
      MISTAKES.map(({ number }) => number),
      Array.from({ length: 35 }, (_, at) => at + 1),
    );
  });

  it('are cited by literal numbers, and by nothing that is read as one', () => {
    const source = `guardsAgainst(1, 2); guardsAgainst('3'); guardsAgainst(n); guardsAgainst(-4); guardsAgainst();
      verifies('X.1'); // guardsAgainst(5)`;
    assert.deepEqual(
      citationsIn('a.test.ts', source, 'guardsAgainst').map((c) => c.id),
      ['1', '2', null, null, null, null],
    );
  });

  it('fail the build when one is guarded against by no test, unknown, or unreadable', () => {
    assert.deepEqual(unguarded(TWO, [guard('1'), guard('2')]), []);
    assert.match(unguarded(TWO, [guard('1')]).join(), /no test guards against mistake 2:/);
    assert.match(unguarded(TWO, [guard('1'), guard('2'), guard('3')]).join(), /no such mistake: 3/);
    assert.match(unguarded(TWO, [guard('1'), guard('2'), guard(null)]).join(), /literal numbers/);
    assert.equal(unguarded(MISTAKES, []).length, 35);
  });

  it('make a test fail that cites an unknown one or none', () => {
    for (const number of [0, 36, 1.5, Number.NaN]) {
      assert.throws(() => guardsAgainst(number), /no such mistake/);
    }
    assert.throws(() => guardsAgainst(), /at least one/);
  });
});
