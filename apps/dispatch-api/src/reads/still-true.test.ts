import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApprovalRow, MessageClaim, MessageRow, TicketRow } from '@deadlatch/decision';
import { verifies } from '../../../../test/requirements.ts';
import { isStillTrue } from './still-true.ts';

/** A message with a claim, and the rows as they stand now. */
function now(
  claim: MessageClaim,
  rows: { ticket?: TicketRow['state']; approval?: ApprovalRow['state']; stands?: boolean } = {},
): boolean {
  return isStillTrue({
    message: { claim } as MessageRow,
    ticket: rows.ticket === undefined ? null : ({ state: rows.ticket } as TicketRow),
    approval: rows.approval === undefined ? null : ({ state: rows.approval } as ApprovalRow),
    conversation_state: 'AGENT',
    paused: false,
    link_expires_at: null,
    has_choice_link: false,
    option_stands: rows.stands ?? null,
  });
}

/** Words that an agent chose, and whether it may still speak. */
function words(over: { paused?: unknown; state?: unknown }, template = 'phrase:thanks_noted'): boolean {
  return isStillTrue({
    message: { template, claim: { kind: 'none' } } as MessageRow,
    ticket: null,
    approval: null,
    conversation_state: 'AGENT',
    link_expires_at: null,
    has_choice_link: false,
    option_stands: null,
    paused: false,
    ...('state' in over ? { conversation_state: over.state as 'AGENT' } : {}),
    ...('paused' in over ? { paused: over.paused as boolean } : {}),
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

  test('about an offered time is true while the offer stands and the ticket is where it was', () => {
    verifies('T2.6');
    const claim: MessageClaim = { kind: 'option', option_id: 'o', states: ['SCHEDULED', 'DISPATCHED'] };
    assert.equal(now(claim, { ticket: 'SCHEDULED', stands: true }), true);
    assert.equal(now(claim, { ticket: 'SCHEDULED', stands: false }), false, 'another time was agreed since');
    assert.equal(now(claim, { ticket: 'SCHEDULED' }), false, 'an offer that is gone');
    assert.equal(now(claim, { ticket: 'READY_TO_SCHEDULE', stands: true }), false);
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

describe('words of an agent', () => {
  test('leave while it may speak, and not once it is paused or a person has the conversation', () => {
    verifies('T2.6', 'T1.2', 'C.0');
    assert.equal(words({}), true);
    assert.equal(words({ paused: true }), false);
    assert.equal(words({ paused: undefined }), false, 'nobody knows');
    for (const state of ['HUMAN', 'CLOSED', null, undefined]) {
      assert.equal(words({ state }), false, String(state));
    }
  });

  test('are stopped, and nothing else is: a fact that was committed is told', () => {
    assert.equal(words({ paused: true, state: 'HUMAN' }, 'M01'), true);
  });
});
