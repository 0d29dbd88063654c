import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGENT_ROLES } from '@deadlatch/catalogue';
import { verifies } from '../../../../test/requirements.ts';
import type { LooseEnds } from '../facts.ts';
import { IDS } from '../testing/ids.ts';
import { conversationRow } from '../testing/rows.ts';
import { accept, code, refusal } from '../testing/scene.ts';

const NONE: LooseEnds = { open_tickets: 0, open_suggestions: 0, is_unanswered: false };

test('a conversation ends when a dispatcher says so and nothing waits in it', () => {
  verifies('A.3d', 'C.3', 'C.0');
  for (const state of ['AGENT', 'HUMAN'] as const) {
    const facts = { conversation: conversationRow({ state }) };
    const { changes, event } = accept('conversation.close', 'dispatcher', { facts });
    assert.deepEqual(
      event.effects.map((e) => `${e.object} ${e.before_state} ${e.after_state}`),
      [`conversation ${state} CLOSED`],
    );
    assert.deepEqual(Object.keys(changes), ['conversation']);
  }
  const wants = (ends: Partial<LooseEnds>) =>
    refusal('conversation.close', 'dispatcher', { facts: { loose_ends: { ...NONE, ...ends } } }).extra
      .from_state;
  assert.equal(wants({ open_tickets: 1 }), 'OPEN_TICKET');
  assert.equal(wants({ open_suggestions: 2 }), 'OPEN_SUGGESTION');
  assert.equal(wants({ is_unanswered: true }), 'UNANSWERED_MESSAGE');
  // What is not known is in the way.
  assert.equal(wants({ open_tickets: undefined as never }), 'OPEN_TICKET');
  assert.equal(wants({ open_suggestions: null as never }), 'OPEN_SUGGESTION');
  assert.equal(wants({ is_unanswered: undefined as never }), 'UNANSWERED_MESSAGE');
  const unknown = { facts: { loose_ends: null } };
  assert.equal(code('conversation.close', 'dispatcher', unknown), 'unavailable');
  const closed = { facts: { conversation: conversationRow({ state: 'CLOSED' }) } };
  assert.equal(code('conversation.close', 'dispatcher', closed), 'invalid_state');
  assert.equal(code('conversation.close', 'dispatcher', { facts: { conversation: null } }), 'not_found');
});

test('no agent ends a conversation, nor does anybody but a dispatcher', () => {
  verifies('T1.1', 'A.3a');
  for (const agentRole of AGENT_ROLES) {
    assert.equal(code('conversation.close', 'agent', { agentRole }), 'above_ceiling', agentRole);
  }
  for (const actor of [
    'requester',
    'approver',
    'technician',
    'supervisor',
    'qa',
    'finance',
    'admin',
  ] as const) {
    const answer = code('conversation.close', actor);
    assert.ok(['not_granted', 'above_ceiling'].includes(answer), `${actor}: ${answer}`);
  }
});

test('in a closed conversation no agent speaks', () => {
  verifies('T1.2');
  const facts = { conversation: conversationRow({ state: 'CLOSED' }) };
  assert.equal(code('conversation.reply', 'agent', { facts }), 'human_in_charge');
});

test('a ticket is recalled once at a time, and a closed conversation keeps no recall', () => {
  verifies('A.3d');
  assert.equal(code('ticket.reopen', 'dispatcher', { facts: { open_recalls: 0 } }), 'accepted');
  assert.equal(code('ticket.reopen', 'dispatcher', { facts: { open_recalls: 1 } }), 'invalid_state');
  assert.equal(code('ticket.reopen', 'dispatcher', { facts: { open_recalls: null } }), 'invalid_state');
  const facts = { conversation: conversationRow({ state: 'CLOSED', ticket_id: null }) };
  const { changes } = accept('ticket.reopen', 'dispatcher', { state: 'CLOSED', facts });
  assert.deepEqual([changes.ticket?.conversation_id, changes.conversation], [null, undefined]);
  // The text needs a contact, not a conversation.
  assert.deepEqual(
    changes.messages?.map((m) => [m.template, m.contact_id]),
    [['M16', IDS.requester]],
  );
});
