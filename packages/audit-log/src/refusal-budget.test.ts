import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import {
  type CountedRefusals,
  countedDetails,
  createRefusalBudget,
  type RefusalKind,
} from './refusal-budget.ts';

const KIND: RefusalKind = { service: 'web', subject: 'nobody', code: 'unauthenticated' };
const START = Date.parse('2026-11-22T10:00:00.000Z');

function fixture(options: { perMinute?: number; capacity?: number } = { perMinute: 3 }) {
  let at = START;
  const budget = createRefusalBudget<string>({ now: () => at, ...options });
  const written: CountedRefusals<string>[] = [];
  const write = async (counted: CountedRefusals<string>) => void written.push(counted);
  return { budget, written, write, pass: (ms: number) => (at += ms) };
}

describe('refusals', () => {
  test('are written one by one up to the budget, then counted into one', async () => {
    verifies('F.6');
    const { budget, written, write, pass } = fixture();
    const admitted = ['a', 'b', 'c', 'd', 'e'].map((name) => budget.admit(KIND, name));
    assert.deepEqual(admitted, [true, true, true, false, false]);
    await budget.drain(write);
    assert.deepEqual(written, [], 'the window is not over');
    pass(59_999);
    await budget.drain(write);
    assert.deepEqual(written, []);
    pass(1);
    await budget.drain(write);
    await budget.drain(write);
    assert.deepEqual(written, [{ ...KIND, count: 2, from: START, until: START + 60_000, last: 'e' }]);
    assert.deepEqual(written.map(countedDetails)[0], {
      count: 2,
      service: 'web',
      subject: 'nobody',
      window: '2026-11-22T10:00:00.000Z/2026-11-22T10:01:00.000Z',
    });
  });

  test('within the budget leave no count, and a new minute has a new budget', async () => {
    const { budget, written, write, pass } = fixture();
    for (let minute = 0; minute < 3; minute += 1) {
      assert.deepEqual(
        [1, 2, 3].map(() => budget.admit(KIND, '')),
        [true, true, true],
      );
      pass(60_000);
    }
    await budget.drain(write, 'all');
    assert.deepEqual(written, []);
  });

  test('of another service, subject or code have a budget of their own', () => {
    const { budget } = fixture({ perMinute: 1 });
    const others: readonly RefusalKind[] = [
      KIND,
      { ...KIND, service: 'cli' },
      { ...KIND, subject: 'staff:x' },
      { ...KIND, code: 'not_found' },
    ];
    for (const kind of others) assert.equal(budget.admit(kind, ''), true);
    for (const kind of others) assert.equal(budget.admit(kind, ''), false);
  });

  test('that were counted before a pause are told although none follows in their window', async () => {
    const { budget, written, write, pass } = fixture({ perMinute: 1 });
    for (const name of ['a', 'b']) budget.admit(KIND, name);
    pass(3_600_000);
    assert.equal(budget.admit(KIND, 'c'), true);
    assert.equal(budget.admit(KIND, 'd'), false);
    await budget.drain(write);
    assert.deepEqual(
      written.map(({ count, last }) => [count, last]),
      [[1, 'b']],
    );
    await budget.drain(write, 'all');
    assert.deepEqual(
      written.map(({ count, last }) => [count, last]),
      [
        [1, 'b'],
        [1, 'd'],
      ],
    );
  });

  test('that could not be written are kept, joined with what came since, and written once', async () => {
    verifies('C.6');
    const { budget, written, write, pass } = fixture({ perMinute: 1 });
    for (const name of ['a', 'b', 'c']) budget.admit(KIND, name);
    pass(60_000);
    await assert.rejects(
      budget.drain(() => Promise.reject(new Error('no database'))),
      /no database/,
    );
    for (const name of ['d', 'e']) budget.admit(KIND, name);
    pass(60_000);
    await Promise.all([budget.drain(write), budget.drain(write)]);
    assert.deepEqual(written, [{ ...KIND, count: 3, from: START, until: START + 120_000, last: 'e' }]);
  });

  test('of more kinds than fit share one per service and code: memory stays bounded', async () => {
    const { budget, written, write } = fixture({ perMinute: 1, capacity: 2 });
    const admitted = Array.from({ length: 50 }, (_, n) => budget.admit({ ...KIND, subject: `s:${n}` }, ''));
    assert.equal(admitted.filter(Boolean).length, 3);
    await budget.drain(write, 'all');
    assert.deepEqual(
      written.map(({ subject, count }) => [subject, count]),
      [['others', 47]],
    );
  });

  test('are admitted or counted, each exactly once, however they come', async () => {
    verifies('F.6');
    const steps = fc.array(fc.record({ kind: fc.nat(4), wait: fc.nat(40_000), drains: fc.boolean() }), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (given, perMinute) => {
        const { budget, written, write, pass } = fixture({ perMinute, capacity: 3 });
        let admitted = 0;
        for (const { kind, wait, drains } of given) {
          pass(wait);
          if (budget.admit({ ...KIND, subject: `s:${kind}` }, '')) admitted += 1;
          if (drains) await budget.drain(write);
        }
        await budget.drain(write, 'all');
        const counted = written.reduce((sum, { count }) => sum + count, 0);
        assert.equal(admitted + counted, given.length);
        assert.ok(written.every(({ count }) => count > 0));
      }),
    );
  });
});
