import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS, TICKET_STATES } from '@deadlatch/catalogue';
import { guardsAgainst } from '../../../test/mistakes.ts';
import { verifies } from '../../../test/requirements.ts';
import { decide, whyNot } from './decide.ts';
import type { Facts } from './facts.ts';
import { IDS } from './testing/ids.ts';
import { callerOf, factsOf, requestOf } from './testing/matrix-facts.ts';
import { contact, conversationRow, membership, turnRow } from './testing/rows.ts';
import { accept, cellOf } from './testing/scene.ts';
import { createTestTools } from './testing/tools.ts';
import { factsAfter, toolsAllowed } from './tools-allowed.ts';

const tools = createTestTools();

function turnFacts(state: (typeof TICKET_STATES)[number], patch: Partial<Facts> = {}): Facts {
  return { ...factsOf(cellOf('ticket.triage', 'agent', state)), ...patch };
}

const CALLER = callerOf(cellOf('ticket.triage', 'agent'));

test('a turn sees what the ticket, the level and the conversation allow now', () => {
  verifies('T1.1');
  assert.deepEqual(toolsAllowed(CALLER, turnFacts('NEW'), tools), [
    'conversation.reply',
    'ticket.request_info',
    'ticket.triage',
  ]);
  // Below its level a command is still worth calling: it becomes a suggestion. What nobody could accept is not.
  const low = turnFacts('NEW', { autonomy: { level: 0, paused: false } });
  assert.deepEqual(toolsAllowed(CALLER, low, tools), ['ticket.request_info', 'ticket.triage']);
  assert.deepEqual(toolsAllowed(CALLER, turnFacts('CLOSED'), tools), ['conversation.reply']);
});

test('paused, taken over, ended or foreign: no tools at all', () => {
  verifies('T1.1', 'T1.9');
  for (const patch of [
    { autonomy: { level: 3, paused: true } },
    { conversation: conversationRow({ state: 'HUMAN' }) },
    { turn: turnRow({ ended_at: turnRow().opened_at }) },
    { turn: turnRow({ id: IDS.otherTicket }) },
    { turn: null },
  ] as const) {
    assert.deepEqual(toolsAllowed(CALLER, turnFacts('NEW', patch), tools), []);
  }
  const person = callerOf(cellOf('ticket.triage', 'dispatcher'));
  assert.deepEqual(toolsAllowed(person, turnFacts('NEW'), tools), []);
});

test('mistake 26: what is not listed is refused, and what is listed gets as far as its rule', () => {
  guardsAgainst(26);
  verifies('T1.1', 'T1.2');
  for (const state of TICKET_STATES) {
    for (const level of [0, 1, 2, 3] as const) {
      const facts = turnFacts(state, { autonomy: { level, paused: false } });
      const listed = toolsAllowed(CALLER, facts, tools);
      for (const { name, agents } of COMMANDS) {
        if (agents.length === 0) continue;
        const request = requestOf(cellOf(name, 'agent', state));
        const decision = decide(request, CALLER, facts, tools);
        assert.equal(
          decision.kind === 'accepted' || decision.kind === 'suggested',
          listed.includes(name),
          `${name} at ${state}, level ${level}`,
        );
      }
    }
  }
});

test('a contact with several sites may create, and has to say where', () => {
  verifies('T1.1');
  const subject = contact(IDS.requester, membership(), membership({ site_id: IDS.otherSite }));
  const facts = turnFacts('NEW', { subject, site: null, ticket: null, turn: turnRow({ ticket_id: null }) });
  assert.deepEqual(toolsAllowed(CALLER, facts, tools), ['conversation.reply', 'ticket.create']);
});

test('after a command the turn has its ticket, and the tools that belong to it', () => {
  verifies('T1.1');
  const before = factsOf({ ...cellOf('ticket.create', 'agent'), state: 'none' });
  const { changes } = accept('ticket.create', 'agent');
  const after = factsAfter(before, changes);
  assert.equal(after.turn?.ticket_id, changes.ticket?.id);
  const context = { ...CALLER.context, conversationId: IDS.conversation };
  assert.deepEqual(toolsAllowed({ ...CALLER, context }, after, tools), [
    'conversation.reply',
    'ticket.create',
    'ticket.request_info',
    'ticket.triage',
  ]);
});

test('a button that cannot work says why, by the same gate', () => {
  verifies('T1.1');
  const reason = (command: string, state: (typeof TICKET_STATES)[number]) => {
    const entry = COMMANDS.find((c) => c.name === command);
    assert.ok(entry);
    const cell = cellOf(command, 'dispatcher', state);
    return whyNot(entry, callerOf(cell), factsOf(cell), tools, IDS.ticket);
  };
  assert.equal(reason('ticket.triage', 'NEW'), null);
  assert.equal(reason('ticket.triage', 'CLOSED'), 'invalid_state');
  assert.equal(reason('ticket.close', 'INVOICED'), 'not_granted');
  // What only a body can tell is left to the call.
  assert.equal(reason('evidence.finalize', 'IN_PROGRESS'), null);
});
