import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { presentEvent } from './timeline.ts';

const EVENT = {
  v: 1,
  origin: 'dispatch',
  environment: 'test',
  id: 'e',
  time: '2026-03-02T15:00:00.000Z',
  tenant: 't',
  actor: { kind: 'staff', id: 's', assurance: 'L1', agent_role: null, turn_id: 'SECRET' },
  workload: ['spiffe://test.deadlatch/web', 'spiffe://test.deadlatch/dispatch-api'],
  command: 'ticket.triage',
  resource: { kind: 'ticket', id: 'i' },
  decision: 'accepted',
  code: null,
  dimension: null,
  detail: 'SECRET',
  policy_ids: ['permit.dispatcher'],
  policy_bundle: 'SECRET',
  effects: [
    { object: 'visit', id: 'v', version: 1, before_state: '-', after_state: 'OFFERED' },
    { object: 'ticket', id: 'i', version: 2, before_state: 'NEW', after_state: 'TRIAGED' },
  ],
  details: { priority: 'EMERGENCY' },
  correlation_id: 'c',
  trace_id: null,
  input_digest: 'SECRET',
  request: {
    idempotency_key: 'SECRET',
    key_id: 'SECRET',
    signature_base: 'SECRET',
    signature: 'SECRET',
    token_id: 'SECRET',
  },
  a_field_of_tomorrow: 'SECRET',
};

test('a timeline shows the listed part of an event and nothing that is not listed', () => {
  verifies('T5.6', 'T1.3', 'A.5');
  const shown = presentEvent(JSON.stringify(EVENT));
  assert.deepEqual(shown, {
    event_id: 'e',
    at: '2026-03-02T15:00:00.000Z',
    command: 'ticket.triage',
    actor: { type: 'staff', id: 's', assurance: 'L1', agent: null },
    service: 'spiffe://test.deadlatch/web',
    decision: 'accepted',
    code: null,
    dimension: null,
    before: 'NEW',
    after: 'TRIAGED',
    details: { priority: 'EMERGENCY' },
    policy_ids: ['permit.dispatcher'],
    correlation_id: 'c',
  });
  assert.ok(!JSON.stringify(shown).includes('SECRET'));
});
