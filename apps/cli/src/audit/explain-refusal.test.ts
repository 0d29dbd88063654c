import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { AuditEvent } from '@deadlatch/audit-log';
import { dimensionOf, ERROR_CODES, type ErrorCode } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { describeExplanation, explain } from './explain-refusal.ts';

function refused(code: ErrorCode, change: Partial<AuditEvent> = {}): AuditEvent {
  return {
    ...{ v: 1, origin: 'dispatch', environment: 'test', id: randomUUID(), time: '2026-03-01T12:00:00.000Z' },
    ...{ tenant: randomUUID(), workload: [], command: 'tech.start', resource: null, effects: [] },
    actor: { kind: 'technician', id: randomUUID(), assurance: 'L1', agent_role: null, turn_id: null },
    ...{ decision: 'refused', code, dimension: dimensionOf(code), detail: null },
    ...{ policy_ids: [], policy_bundle: 'bundle', details: {}, correlation_id: randomUUID() },
    ...{ trace_id: null, request_id: randomUUID(), input_digest: '' },
    request: { idempotency_key: null, key_id: '', signature_base: '', signature: '', token_id: null },
    ...change,
  };
}

describe('why something was refused', () => {
  it('is said for every code there is: what was wanted, and what would be needed', () => {
    verifies('F.6');
    for (const code of ERROR_CODES) {
      const { wanted, needed, dimension } = explain(refused(code));
      assert.ok(wanted && needed, code);
      assert.equal(dimension, dimensionOf(code));
    }
  });

  it('names the policies that decided, and the facts that the gate looked at', () => {
    verifies('A.5');
    const event = refused('invalid_state', {
      policy_ids: ['forbid.same_person'],
      detail: 'ticket',
      details: { from_state: 'CLOSED', allowed_from: ['ON_SITE', 'NEW'], missing: [] },
    });
    const said = describeExplanation(explain(event));
    assert.match(said, /tech\.start was refused: invalid_state, at the gate of state/);
    assert.match(said, /facts +from_state CLOSED; allowed_from ON_SITE, NEW; missing none/);
    assert.match(said, /policies +forbid\.same_person/);
    assert.match(said, new RegExp(`event ${event.id}, request ${event.request_id}`));
  });

  it('says nothing of its own about a code that is none', () => {
    const { wanted, needed } = explain({ ...refused('unavailable'), code: 'constructor' as ErrorCode });
    assert.deepEqual([wanted, needed], [null, null]);
  });
});
