import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS, SUGGESTION_EXPIRES_MS } from '@deadlatch/catalogue';
import { verifies } from '../../../../test/requirements.ts';
import type { Suggested } from '../changes.ts';
import type { Facts } from '../facts.ts';
import { IDS } from '../testing/ids.ts';
import { SUGGESTION_DIGEST, suggestionRow } from '../testing/life-rows.ts';
import { at, contact, conversationRow, membership, NOW, ticketRow, turnRow } from '../testing/rows.ts';
import { accept, code, play, type Twist } from '../testing/scene.ts';

const AT_0: Twist = { facts: { autonomy: { level: 0, paused: false } } };

function suggested(command: string, twist: Twist = AT_0): Suggested {
  const decision = play(command, 'agent', twist);
  assert.equal(decision.kind, 'suggested', JSON.stringify(decision));
  return decision as Suggested;
}

test('below its level an agent leaves a suggestion, and nothing of what it wanted happens', () => {
  verifies('T1.4');
  const { changes, event, outbox, answer } = suggested('ticket.triage');
  assert.deepEqual(Object.keys(changes).sort(), ['suggestion', 'timers']);
  const row = changes.suggestion;
  assert.deepEqual(
    [row?.command, row?.ticket_id, row?.ticket_version, row?.state, row?.safety],
    ['ticket.triage', IDS.ticket, ticketRow().version, 'OPEN', true],
  );
  assert.equal(Date.parse(row?.expires_at ?? ''), Date.parse(NOW) + SUGGESTION_EXPIRES_MS);
  assert.deepEqual(
    event.effects.map((e) => [e.object, e.before_state, e.after_state]),
    [['suggestion', '-', 'OPEN']],
  );
  assert.deepEqual([outbox, answer.ticket?.state], [[], 'NEW']);
  assert.deepEqual(answer.result, { suggestion_id: row?.id, suggested: true });
  assert.ok(event.policy_ids.every((id) => id.startsWith('forbid.agent_')));
});

test('the same wish about the same version is one suggestion; a changed ticket makes another', () => {
  verifies('R.2');
  const first = suggested('ticket.triage').changes.suggestion;
  const open_suggestions = [{ id: IDS.suggestion, sameness: first?.sameness ?? '' }];
  const facts = { ...AT_0.facts, open_suggestions };
  const again = suggested('ticket.triage', { facts });
  assert.deepEqual([again.changes, again.answer.result.suggestion_id], [{}, IDS.suggestion]);
  assert.ok(suggested('ticket.triage', { facts, ticket: { version: 8 } }).changes.suggestion);
  const other = { type: 'DOOR_WONT_LATCH', answers: [] };
  assert.ok(suggested('ticket.triage', { facts, input: other }).changes.suggestion);
});

test('only what a dispatcher could do is suggested, and only where nothing but the level forbids', () => {
  verifies('T1.9', 'C.0');
  for (const { name, agents, who } of COMMANDS.filter((c) =>
    c.agents.some((p) => p.agent === 'agent.intake'),
  )) {
    const expected = who.some((g) => g.role === 'dispatcher') ? 'suggested' : 'autonomy_denied';
    const isNew = name === 'ticket.create';
    const twist = isNew ? { facts: { ...AT_0.facts, open_ticket_of_conversation: null } } : AT_0;
    assert.equal(code(name, 'agent', twist), expected, `${name} ${agents.length}`);
  }
  const refused = (facts: Partial<Facts>) =>
    code('ticket.triage', 'agent', { facts: { ...AT_0.facts, ...facts } });
  assert.equal(refused({ autonomy: { level: 0, paused: true } }), 'agent_paused');
  assert.equal(refused({ conversation: conversationRow({ state: 'HUMAN' }) }), 'human_in_charge');
  assert.equal(refused({ turn: turnRow({ ended_at: NOW }) }), 'turn_ended');
  assert.equal(refused({ subject: contact(IDS.requester) }), 'not_granted');
  assert.equal(code('ticket.triage', 'agent', { ...AT_0, state: 'TRIAGED' }), 'invalid_state');
  assert.equal(
    code('ticket.triage', 'agent', { ...AT_0, input: { type: 'X', answers: [] } }),
    'schema_mismatch',
  );
  // What its rule would refuse is refused: nobody is shown what could not be done.
  const incomplete = { ...AT_0, ticket: { answers: {} } };
  assert.equal(code('ticket.ready', 'agent', incomplete), 'evidence_missing');
});

test('accepting does what was suggested, and the agent goes on in a turn of its own', () => {
  verifies('T1.10', 'T1.9');
  const { changes, event } = accept('suggestion.accept', 'dispatcher', { state: 'NEW' });
  assert.equal(changes.ticket?.state, 'TRIAGED');
  assert.deepEqual([changes.suggestion?.state, changes.suggestion?.decided_by], ['ACCEPTED', IDS.dispatcher]);
  assert.deepEqual(
    [changes.turn?.ticket_id, changes.turn?.subject_id, changes.turn?.message_id],
    [IDS.ticket, IDS.requester, turnRow().message_id],
  );
  assert.notEqual(changes.turn?.id, IDS.turn);
  assert.deepEqual(event.effects.map((e) => `${e.object} ${e.before_state} ${e.after_state}`).sort(), [
    'suggestion OPEN ACCEPTED',
    'ticket NEW TRIAGED',
  ]);
  // A turn that is over is no obstacle: a person acts.
  const over = { state: 'NEW', facts: { turn: turnRow({ ended_at: NOW }) } } as const;
  assert.equal(code('suggestion.accept', 'dispatcher', over), 'accepted');
});

const YES = { digest: SUGGESTION_DIGEST, checked: 'yes' };

function acceptance(twist: Twist): string {
  return code('suggestion.accept', 'dispatcher', { state: 'NEW', ...twist });
}

test('accepting decides again: from the rows of now, as the agent and as the dispatcher', () => {
  verifies('T1.10', 'C.0');
  const facts = (patch: Partial<Facts>) => acceptance({ facts: patch });
  assert.equal(acceptance({ ticket: { version: 8 } }), 'superseded');
  assert.equal(facts({ ticket: null }), 'superseded');
  assert.equal(facts({ suggested_for: null }), 'not_granted');
  assert.equal(
    facts({ suggested_for: contact(IDS.requester, membership({ may_request: false })) }),
    'not_granted',
  );
  const elsewhere = membership({ site_id: IDS.otherSite });
  assert.equal(facts({ suggested_for: contact(IDS.requester, elsewhere) }), 'not_found');
  assert.equal(facts({ turn: turnRow({ id: IDS.otherTicket }) }), 'not_found');
  assert.equal(facts({ turn: null }), 'not_found');
  assert.equal(facts({ conversation: null }), 'not_found');
  assert.equal(facts({ conversation: conversationRow({ state: 'HUMAN' }) }), 'human_in_charge');
  assert.equal(facts({ autonomy: { level: 2, paused: true } }), 'agent_paused');
  // A command that no pair of the agent holds, or no dispatcher, is accepted by nobody.
  const wants = (command: string, input: object = {}) =>
    facts({ suggestion: suggestionRow({ command, input: input as never }) });
  assert.equal(wants('conversation.reply', { phrase: 'thanks_noted' }), 'not_granted');
  assert.equal(wants('ticket.cancel', { reason: 'OTHER' }), 'superseded', 'agents have no body for it');
  assert.equal(wants('approval.decide'), 'not_granted');
  assert.equal(wants('constructor'), 'unknown_command');
  const role = { suggestion: suggestionRow({ agent_role: 'agent.closeout' }) };
  assert.equal(facts(role), 'not_granted');
});

test('what is accepted is what was shown, in time, and a danger never with one key', () => {
  verifies('T3.4');
  assert.equal(acceptance({ input: { ...YES, digest: 'x'.repeat(43) } }), 'digest_mismatch');
  assert.equal(acceptance({ input: { digest: SUGGESTION_DIGEST } }), 'schema_mismatch');
  const harmless = { suggestion: suggestionRow({ safety: false }) };
  assert.equal(acceptance({ input: { digest: SUGGESTION_DIGEST }, facts: harmless }), 'accepted');
  assert.equal(acceptance({ facts: { suggestion: suggestionRow({ expires_at: NOW }) } }), 'invalid_state');
  for (const state of ['ACCEPTED', 'REJECTED', 'EXPIRED'] as const) {
    const decided = { facts: { suggestion: suggestionRow({ state }) } };
    assert.equal(acceptance(decided), 'invalid_state');
    assert.equal(code('suggestion.reject', 'dispatcher', decided), 'invalid_state');
  }
  assert.equal(code('suggestion.accept', 'supervisor', { state: 'NEW' }), 'not_granted');
});

test('a suggestion that nobody answers ends by itself, when it is due, and tells somebody', () => {
  verifies('R.3', 'C.0');
  const { changes } = accept('suggestion.expire', 'system');
  assert.equal(changes.suggestion?.state, 'EXPIRED');
  assert.equal(changes.ticket, undefined);
  assert.deepEqual(changes.tasks, [{ kind: 'suggestion_expired', ticket_id: IDS.ticket }]);
  const early = { facts: { suggestion: suggestionRow({ expires_at: at(1) }) } };
  assert.equal(code('suggestion.expire', 'system', early), 'not_due');
});

test('accepting reads whatever a command that can be suggested needs', () => {
  verifies('C.0');
  const suggestible = COMMANDS.filter(
    ({ agents, who }) => agents.length > 0 && who.some((g) => g.role === 'dispatcher'),
  );
  const has = new Set(COMMANDS.find((c) => c.name === 'suggestion.accept')?.needs);
  const lacking = suggestible.flatMap(({ name, needs }) =>
    needs.filter((need) => !has.has(need)).map((need) => `${name} needs ${need}`),
  );
  assert.deepEqual(lacking, []);
  assert.ok(suggestible.length >= 10);
});
