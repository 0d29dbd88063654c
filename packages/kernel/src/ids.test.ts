import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DispatchError } from './errors.ts';
import { createIdMaker, isUuid, parseId } from './ids.ts';

/** A clock that plays the given times in order and then stands still. */
function clockOf(times: readonly number[]): () => number {
  let at = 0;
  return () => times[Math.min(at++, times.length - 1)] ?? 0;
}

const filled = (byte: number) => (n: number) => new Uint8Array(n).fill(byte);
const timeOf = (id: string) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

describe('createIdMaker', () => {
  it('writes the time, the version and the variant where RFC 9562 wants them', () => {
    // The instant of RFC 9562 appendix A.6.
    const now = () => 1_645_557_742_000;
    const make = createIdMaker(now, filled(0));
    assert.equal(make(), '017f22e2-79b0-7000-8000-000000000000');
    assert.equal(createIdMaker(now, filled(0xff))(), '017f22e2-79b0-77ff-bfff-ffffffffffff');
  });

  it('increases, whatever the clock and the random source do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 ** 41 }), { minLength: 1, maxLength: 50 }),
        fc.integer({ min: 0, max: 255 }),
        (times, byte) => {
          const make = createIdMaker(clockOf(times), filled(byte));
          const ids = times.map(() => make());
          assert.deepEqual(ids, [...ids].sort());
          assert.equal(new Set(ids).size, ids.length);
          assert.ok(ids.every(isUuid));
        },
      ),
    );
  });

  it('goes on from the latest time when the clock steps back', () => {
    const make = createIdMaker(clockOf([5_000, 1_000, 1_000, 6_000]), filled(7));
    const times = [make(), make(), make(), make()].map(timeOf);
    assert.deepEqual(times, [5_000, 5_000, 5_000, 6_000]);
  });

  it('moves into the next millisecond when one has used up its counter', () => {
    const make = createIdMaker(() => 5_000, filled(0xff));
    const ids = Array.from({ length: 5_000 }, () => make());
    assert.equal(new Set(ids).size, 5_000);
    assert.deepEqual(ids, [...ids].sort());
    assert.equal(timeOf(ids.at(-1) ?? ''), 5_001);
  });
});

describe('parseId', () => {
  it('proves a lower-case UUID and refuses anything else', () => {
    const good = '0199a1b2-0000-7000-8000-000000000001';
    assert.equal(parseId<'ticket'>(good), good);
    const bad = [
      '',
      good.toUpperCase(),
      `${good}\n`,
      ` ${good}`,
      good.replaceAll('-', ''),
      '0199a1b2-0000-0000-8000-000000000001',
      '0199a1b2-0000-7000-c000-000000000001',
      `{${good}}`,
      'constructor',
    ];
    for (const text of bad) {
      assert.equal(isUuid(text), false, text);
      assert.throws(
        () => parseId(text),
        (error) => error instanceof DispatchError && error.code === 'schema_mismatch',
        text,
      );
    }
  });
});
