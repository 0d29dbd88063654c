import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApprovalRow, EvidenceRow, TicketRow, VisitRow } from '@deadlatch/decision';
import { verifies } from '../../../../test/requirements.ts';
import { presentApproval, presentEvidence, presentSummary, presentTicket, presentVisit } from './fields.ts';
import type { Sees } from './reader.ts';

const TOM = 'tom';
const VIEWS: Readonly<Record<string, Sees>> = {
  staff: { kind: 'tenant' },
  technician: { kind: 'technician', id: TOM },
  contact: { kind: 'contact', id: 'maria', approves: true },
  agent: { kind: 'turn', conversationId: 'c', ticketId: 't' },
};
/** A row that has every column, and one that nobody listed. */
const whole = (over: object = {}) =>
  new Proxy({ technician_id: TOM, ...over } as Record<string, unknown>, {
    get: (row, name) => (name in row ? row[name as string] : 'x'),
  });
const has = (shown: object, name: string) => Object.hasOwn(shown, name);

describe('what a view shows', () => {
  test('of a visit: where a device was and who offered it are for staff', () => {
    verifies('T5.6');
    const shown = (name: string, row = whole()) =>
      Object.keys(presentVisit(VIEWS[name] as Sees, row as unknown as VisitRow)).sort();
    const common = 'checked_in_at emergency ends_at id started_at starts_at state version'.split(' ');
    assert.deepEqual(shown('contact'), common);
    assert.deepEqual(shown('agent'), common);
    assert.deepEqual(shown('technician'), [...common, 'technician_id'].sort());
    assert.deepEqual(shown('technician', whole({ technician_id: 'tess' })), common);
    const staff = 'claimed_lat_e6 claimed_lon_e6 claimed_time offered_by technician_id'.split(' ');
    assert.deepEqual(shown('staff'), [...common, ...staff].sort());
  });

  test('of a ticket: handles of words and ids of people are for staff', () => {
    verifies('T5.6');
    for (const [name, sees] of Object.entries(VIEWS)) {
      const shown = presentTicket(sees, whole() as unknown as TicketRow);
      for (const inner of ['requester_id', 'description_text_id', 'account_id']) {
        assert.equal(has(shown, inner), name === 'staff', `${name} ${inner}`);
      }
      assert.equal(has(shown, 'conversation_id'), name === 'staff' || name === 'agent', name);
      assert.ok(!has(shown, 'tenant_id'));
      assert.ok(has(shown, 'reference') && has(shown, 'state') && has(shown, 'nte_cents'));
    }
  });

  test('of evidence and approvals: who, and the raw action, are for staff', () => {
    verifies('T5.6');
    for (const [name, sees] of Object.entries(VIEWS)) {
      const evidence = presentEvidence(sees, whole() as unknown as EvidenceRow);
      const approval = presentApproval(sees, whole() as unknown as ApprovalRow);
      for (const inner of ['created_by_id', 'created_by_kind'])
        assert.equal(has(evidence, inner), name === 'staff', `${name} ${inner}`);
      for (const inner of [
        'action',
        'action_digest',
        'decider_id',
        'decided_by',
        'requested_by_id',
        'reason_text_id',
      ])
        assert.equal(has(approval, inner), name === 'staff', `${name} ${inner}`);
      assert.ok(!has(evidence, 'content_key') && !has(approval, 'account_id'));
      assert.ok(has(evidence, 'sha256') && has(approval, 'amount_cents'));
    }
  });

  test('of a list: who is on the way is for staff and for themselves', () => {
    verifies('T5.6');
    const shown = (name: string, id: string) =>
      presentSummary(VIEWS[name] as Sees, { technician_id: id }).technician_id;
    assert.deepEqual([shown('staff', 'tess'), shown('technician', TOM)], ['tess', TOM]);
    assert.deepEqual([shown('technician', 'tess'), shown('contact', TOM)], [null, null]);
  });
});
