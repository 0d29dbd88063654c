import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { createTurnBudget } from './turn-budget.ts';

const limited = { code: 'rate_limited' };

test('a turn spends its budget and nobody else can', () => {
  verifies('T1.8');
  const budget = createTurnBudget({ limit: 2, now: () => 0 });
  budget.spend('a', 600);
  budget.spend('a', 600);
  assert.throws(() => budget.spend('a', 600), limited);
  budget.spend('b', 600);
});

test('a turn is not forgotten while its grant lives, and room is made when it has ended', () => {
  verifies('T1.8', 'C.0');
  const clock = { now: 0 };
  const budget = createTurnBudget({ limit: 1, now: () => clock.now, capacity: 2 });
  budget.spend('a', 100);
  budget.spend('b', 200);
  assert.throws(() => budget.spend('c', 300), limited);
  clock.now = 100;
  budget.spend('c', 300);
  assert.throws(() => budget.spend('b', 200), limited);
});
