import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DispatchError } from './errors.ts';
import { addCents, cents, formatUsd } from './money.ts';

const refusal = (error: unknown) => error instanceof DispatchError && error.code === 'schema_mismatch';

describe('cents', () => {
  it('are whole and within a thousand million dollars', () => {
    for (const good of [0, 1, -1, 100_000_000_000, -100_000_000_000]) assert.equal(cents(good), good);
    for (const bad of [0.5, Number.NaN, Infinity, -Infinity, 100_000_000_001, -100_000_000_001, 2 ** 53]) {
      assert.throws(() => cents(bad), refusal, String(bad));
    }
  });

  it('add up exactly, or not at all', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { maxLength: 50 }), (amounts) => {
        const exact = amounts.reduce((sum, a) => sum + BigInt(a), 0n);
        assert.equal(BigInt(addCents(...amounts)), exact);
      }),
    );
    assert.equal(addCents(), 0);
    assert.throws(() => addCents(100_000_000_000, 1), refusal);
    assert.throws(() => addCents(0.1, 0.2), refusal);
  });
});

describe('formatUsd', () => {
  it('writes an amount in the one way that people see', () => {
    const cases: [number, string][] = [
      [0, '$0.00'],
      [5, '$0.05'],
      [100, '$1.00'],
      [75_000, '$750.00'],
      [123_450, '$1,234.50'],
      [100_000_000_000, '$1,000,000,000.00'],
      [-5, '-$0.05'],
      [-123_456_789, '-$1,234,567.89'],
    ];
    for (const [amount, text] of cases) assert.equal(formatUsd(amount), text);
  });

  it('can be read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000_000_000, max: 100_000_000_000 }), (amount) => {
        assert.equal(Number(formatUsd(amount).replace(/[$,.]/g, '')) + 0, amount);
      }),
    );
  });
});
