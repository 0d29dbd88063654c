import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incidentType } from '@deadlatch/catalogue';
import type { ConsentFacts, TicketRow } from '@deadlatch/decision';
import { verifies } from '../../../../test/requirements.ts';
import { presentWaivers } from './present-waivers.ts';

const TYPE = 'DOOR_CANNOT_SECURE';
const ticket = { incident_type: TYPE, incident_version: 2 } as TicketRow;
const rules = (incidentType(TYPE, 2)?.evidence ?? []).filter((rule) => rule.waivableBy !== null);
const shown = rules.find((rule) => rule.shownToCustomer)?.key ?? '';
const hidden = rules.find((rule) => !rule.shownToCustomer)?.key ?? '';

const yes = (object: string, role: 'qa' | 'supervisor'): ConsentFacts => ({
  act: 'evidence.waive',
  object,
  object_version: 0,
  role,
  staff_id: role,
  person_id: role,
});

test('what is gone without is told: to the customer where the key is theirs to see, and only once it is granted', () => {
  verifies('T5.6');
  assert.notEqual(shown, '');
  assert.notEqual(hidden, '');
  const granted = [shown, hidden].flatMap((key) => [yes(key, 'qa'), yes(key, 'supervisor')]);
  const customer = { kind: 'contact', id: 'c', approves: false } as const;
  assert.deepEqual(presentWaivers(customer, ticket, granted), [{ key: shown, granted: true }]);
  assert.deepEqual(presentWaivers(customer, ticket, [yes(shown, 'qa')]), []);
  assert.deepEqual(presentWaivers({ kind: 'tenant' }, ticket, [yes(hidden, 'qa')]), [
    { key: hidden, granted: false },
  ]);
  assert.equal(presentWaivers({ kind: 'tenant' }, ticket, granted).length, 2);
  assert.deepEqual(presentWaivers({ kind: 'tenant' }, { ...ticket, incident_type: null }, granted), []);
});
