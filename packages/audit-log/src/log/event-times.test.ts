import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkEventTimes } from './event-times.ts';

const found = (times: readonly number[]) =>
  checkEventTimes(times, 10).map(({ kind, index }) => `${kind} ${index}`);

describe('times of events', () => {
  it('may go back as far as the slack, and no further', () => {
    assert.deepEqual(found([]), []);
    assert.deepEqual(found([100, 90, 100, 91]), []);
    assert.deepEqual(found([100, 89]), ['back_dated 1']);
    assert.deepEqual(found([100, 200, 300, 150, 310]), ['back_dated 3']);
    assert.deepEqual(found([100, 200, 150, 160, 170]), ['dated_ahead 1']);
    assert.deepEqual(found([100, 900, 200, 300, 400]), ['dated_ahead 1']);
    assert.deepEqual(found([100, 200, 900, 210, 150, 300]), ['dated_ahead 2', 'back_dated 4']);
    assert.deepEqual(found([100, Number.NaN, 80, 110]), ['back_dated 2']);
  });

  it('find nothing exactly when no event lies further behind an earlier one than the slack', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 })), (times) => {
        const isLate = times.some((time, i) => times.slice(0, i).some((earlier) => time < earlier - 10));
        assert.equal(found(times).length > 0, isLate);
      }),
    );
  });
});
