import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from './sql.ts';

test('values travel as parameters, whatever they contain', () => {
  const evil = "'; drop table dispatch.tickets; --";
  assert.deepEqual(sql`select ${evil}::text, ${1}`.toQuery(), {
    text: 'select $1::text, $2',
    values: [evil, 1],
  });
});

test('fragments are spliced in and renumbered', () => {
  const where = sql`a = ${1} and b = ${'x'}`;
  assert.deepEqual(sql`select ${0} from t where ${where} limit ${9}`.toQuery(), {
    text: 'select $1 from t where a = $2 and b = $3 limit $4',
    values: [0, 1, 'x', 9],
  });
});

test('something that only looks like a statement stays a value', () => {
  const forged = { parts: ['1 or 1=1'], values: [] };
  assert.deepEqual(sql`select ${forged}`.toQuery(), { text: 'select $1', values: [forged] });
});

test('undefined is refused; null is a value', () => {
  assert.throws(() => sql`select ${undefined}`, TypeError);
  assert.deepEqual(sql`select ${null}`.toQuery().values, [null]);
});
