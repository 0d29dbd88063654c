import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../../test/requirements.ts';
import { readPlace, writePlace } from './queue-place.ts';

const ID = '0190a6c8-7c3e-7b11-8c55-1d2f3a4b5c6d';
const PLACE = { rank: 2, at: '2026-01-02T03:04:05.678Z', id: ID };
const refused = (error: unknown) => error instanceof DispatchError && error.code === 'schema_mismatch';

test('a place in the queue is read back as it was written', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3 }),
      fc.date({ min: new Date(0), max: new Date('2999-01-01'), noInvalidDate: true }),
      fc.uuid({ version: 7 }),
      (rank, date, id) => {
        const place = { rank, at: date.toISOString(), id };
        assert.deepEqual(readPlace(writePlace(place)), place);
        assert.match(writePlace(place), /^[A-Za-z0-9_-]+$/);
      },
    ),
  );
});

test('anything else is refused: another rank, no moment, no id, another spelling, noise', () => {
  verifies('I.4');
  const written = writePlace(PLACE);
  const texts = [
    '',
    'x',
    `${written}=`,
    `${written} `,
    `${written}A`,
    written.slice(0, -1),
    Buffer.from(written, 'base64url').toString('base64'),
    ...[-1, 4, 1.5, Number.NaN].map((rank) => writePlace({ ...PLACE, rank })),
    ...['2026-02-30T00:00:00.000Z', '0000-01-01T00:00:00.000Z', 'now', "'; drop table"].map((at) =>
      writePlace({ ...PLACE, at }),
    ),
    ...['x', ID.toUpperCase(), `${ID}0`].map((id) => writePlace({ ...PLACE, id })),
  ].filter((text) => text !== written);
  for (const text of texts) assert.throws(() => readPlace(text), refused, text);
  fc.assert(fc.property(fc.string(), (text) => assert.throws(() => readPlace(text), refused)));
});
