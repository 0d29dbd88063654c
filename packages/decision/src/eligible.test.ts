import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import type { SiteFacts } from './facts.ts';
import type { TechnicianFacts } from './schedule-facts.ts';
import { placeFacts } from './testing/facts.ts';
import { IDS } from './testing/ids.ts';
import { at, HOUR } from './testing/rows.ts';
import { accept, refusal } from './testing/scene.ts';
import { STORE, technicianFacts } from './testing/schedule-rows.ts';

const BUSY = [{ starts_at: at(HOUR), ends_at: at(2 * HOUR), place: STORE }];
const COMMAND = 'visit.dispatch_emergency';

function refusedWith(technician: Partial<TechnicianFacts>, site: Partial<SiteFacts> = {}): unknown[] {
  const place = placeFacts().site;
  const facts = { technician: technicianFacts(technician), site: place && { ...place, ...site } };
  const { code, extra } = refusal(COMMAND, 'dispatcher', { facts });
  return [code, extra.reasons];
}

test('whoever is sent passed the function that recommends, and a refusal names every reason', () => {
  verifies('C.0', 'T1.2');
  assert.equal(accept(COMMAND, 'dispatcher').changes.visit?.technician_id, IDS.technician);
  assert.deepEqual(refusedWith({ active: false }), ['not_eligible', ['inactive']]);
  assert.deepEqual(refusedWith({ territories: ['south'] }), ['not_eligible', ['outside_territory']]);
  assert.deepEqual(refusedWith({}, { territory: 'south' }), ['not_eligible', ['outside_territory']]);
  assert.deepEqual(refusedWith({ commitments: BUSY }), ['double_booking', ['double_booked']]);
  assert.deepEqual(refusedWith({ active: false, commitments: BUSY }), [
    'not_eligible',
    ['inactive', 'double_booked'],
  ]);
});

test('what the facts do not say permits nothing', () => {
  verifies('C.0');
  const missing = undefined as never;
  assert.deepEqual(refusedWith({ active: missing }), ['not_eligible', ['inactive']]);
  assert.deepEqual(refusedWith({ commitments: missing }), ['unavailable', undefined]);
  assert.deepEqual(refusedWith({ territories: missing }), ['not_eligible', ['unknown']]);
  assert.deepEqual(refusedWith({}, { territory: missing }), ['not_eligible', ['outside_territory']]);
  assert.deepEqual(refusedWith({}, { territory: '' }), ['not_eligible', ['outside_territory']]);
  assert.equal(refusal(COMMAND, 'dispatcher', { facts: { technician: null } }).code, 'not_found');
});
