import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { readAuditFilter } from './audit-filter.ts';

const ID = randomUUID();
const GOOD = {
  ticket: ID,
  correlation: ID,
  actor: `staff:${ID}`,
  command: 'ticket.triage',
  decision: 'refused',
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-01-02T00:00:00.000Z',
  after: ID,
};

test('a search says in its event what was asked for, and not at which page', () => {
  const { filter, asked } = readAuditFilter(GOOD);
  assert.deepEqual(Object.values(filter).sort(), Object.values(GOOD).sort());
  const { after: _, ...others } = GOOD;
  assert.deepEqual(
    asked,
    Object.fromEntries(Object.entries(others).map(([name, value]) => [`by_${name}`, value])),
  );
  assert.deepEqual(readAuditFilter({}).asked, {});
  for (const actor of ['service:worker', `technician:${ID}`, `contact:${ID}`]) {
    assert.equal(readAuditFilter({ actor }).filter.actor, actor);
  }
});

test('anything else is refused, so that nothing but ids and closed words stands in the event', () => {
  verifies('I.4', 'T5.2');
  const bad: Record<string, readonly unknown[]> = {
    ticket: ['DL-1', '', [ID, ID]],
    correlation: ['x'],
    actor: [ID, 'staff:maria', `stranger:${ID}`, 'Maria Lopez', `staff:${ID}:x`, `constructor:${ID}`],
    command: ['front door', 'constructor', 'a.b.c', `a.${'b'.repeat(41)}`, 'TICKET.TRIAGE'],
    decision: ['maybe', 'constructor'],
    since: ['yesterday', '2026-02-30T00:00:00.000Z'],
    until: ['now'],
    after: ['1'],
    limit: ['10'],
    __proto__: ['x'],
    constructor: ['x'],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      assert.throws(
        () => readAuditFilter(Object.defineProperty({}, name, { value, enumerable: true })),
        (error) => error instanceof DispatchError && error.code === 'schema_mismatch',
        `${name}=${String(value)}`,
      );
    }
  }
});
