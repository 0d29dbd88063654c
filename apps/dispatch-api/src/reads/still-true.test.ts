import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApprovalRow, MessageClaim, MessageRow, TicketRow } from '@deadlatch/decision';
import { verifies } from '../../../../test/requirements.ts';
import { isStillTrue } from './still-true.ts';

/** A message with a claim, and the rows as they stand now. */
function now(
  claim: MessageClaim,
  rows: { ticket?: TicketRow['state']; approval?: ApprovalRow['state'] } = {},
): boolean {
  return isStillTrue({
    message: { claim } as MessageRow,
    ticket: rows.ticket === undefined ? null : ({ state: rows.ticket } as TicketRow),
    approval: rows.approval === undefined ? null : ({ state: rows.approval } as ApprovalRow),
    link_expires_at: null,
  });
}

describe('a claim', () => {
  test('about a ticket is true while the ticket is in one of its states', () => {
    verifies('T2.6', 'T2.2');
    const claim: MessageClaim = { kind: 'ticket_state', states: ['DISPATCHED', 'ON_SITE'] };
    assert.equal(now(claim, { ticket: 'DISPATCHED' }), true);
    assert.equal(now(claim, { ticket: 'ON_SITE' }), true);
    assert.equal(now(claim, { ticket: 'CANCELLED' }), false);
    assert.equal(now(claim), false, 'a ticket that is gone');
    assert.equal(now({ kind: 'ticket_state', states: [] }, { ticket: 'NEW' }), false, 'no state at all');
  });

  test('about an approval is true while the approval is where it says, wherever the ticket is', () => {
    verifies('T2.6');
    const claim: MessageClaim = { kind: 'approval_state', approval_id: 'a', state: 'PENDING' };
    assert.equal(now(claim, { approval: 'PENDING' }), true);
    for (const approval of ['CONSUMED', 'DENIED', 'EXPIRED', 'WITHDRAWN', 'VOID'] as const) {
      assert.equal(now(claim, { approval, ticket: 'APPROVAL_REQUIRED' }), false);
    }
    assert.equal(now(claim, { ticket: 'APPROVAL_REQUIRED' }), false, 'an approval that is gone');
  });

  test('that asserts nothing can be said at any time; one of a kind nobody knows never', () => {
    verifies('T2.6', 'C.8');
    assert.equal(now({ kind: 'none' }), true);
    for (const kind of ['', 'constructor', 'ticket_exists', undefined]) {
      const claim = { kind, states: ['NEW'] } as unknown as MessageClaim;
      assert.equal(now(claim, { ticket: 'NEW', approval: 'PENDING' }), false, String(kind));
    }
  });
});
