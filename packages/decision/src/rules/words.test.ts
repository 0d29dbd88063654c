import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import type { InboundFacts } from '../facts.ts';
import { COMMITMENT, IDS } from '../testing/ids.ts';
import {
  at,
  contact,
  conversationRow,
  MINUTE,
  membership,
  messageRow,
  ticketRow,
  turnRow,
} from '../testing/rows.ts';
import { accept, code, play } from '../testing/scene.ts';

const INBOUND: InboundFacts = {
  known_message_id: null,
  contact_id: IDS.requester,
  contact_account_ids: [IDS.account],
  site_ids: [IDS.site],
  conversation: null,
  reported_today: false,
  schedule: null,
};

const MESSAGE = {
  channel: 'sms',
  provider_id: 'SM1',
  contact_id: IDS.requester,
  sender_hash: COMMITMENT,
  doubts: [] as string[],
  received_at: at(0),
  text_id: IDS.text,
  mask_state: 'RELEASED',
  masked_text: 'the door will not lock',
};

function receive(message: Partial<typeof MESSAGE> = {}, inbound: Partial<InboundFacts> = {}, paused = false) {
  return accept('message.receive', 'gateway', {
    input: { ...MESSAGE, ...message },
    facts: { inbound: { ...INBOUND, ...inbound }, autonomy: { level: 2, paused } },
  });
}

test('a contact on file opens a conversation, a turn of ten minutes and nothing more', () => {
  verifies('T1.9', 'T3.8');
  const { changes, outbox } = receive();
  assert.equal(changes.conversation?.state, 'AGENT');
  assert.equal(changes.inbound_message?.contact_id, IDS.requester);
  assert.equal(changes.context_entry?.masked_text, 'the door will not lock');
  assert.equal(changes.turn?.subject_id, IDS.requester);
  assert.equal(changes.turn?.assurance, 'L1');
  assert.equal(changes.turn?.expires_at, at(10 * MINUTE));
  assert.equal(changes.turn?.ticket_id, null);
  assert.deepEqual(
    outbox.map((o) => [o.kind, o.ref_id]),
    [['agent.wake', changes.turn?.id]],
  );
});

test('a conversation that is there goes on, with its ticket', () => {
  verifies('T1.9');
  const { changes, event } = receive({}, { conversation: conversationRow() });
  assert.equal(changes.conversation, undefined);
  assert.equal(changes.turn?.ticket_id, IDS.ticket);
  assert.deepEqual(event.effects, []);
});

test('the agent sleeps while paused or while a person has the conversation; the message is kept', () => {
  verifies('T1.9');
  for (const { changes, outbox } of [
    receive({}, {}, true),
    receive({}, { conversation: conversationRow({ state: 'HUMAN' }) }),
  ]) {
    assert.equal(changes.turn, undefined);
    assert.ok(changes.inbound_message);
    assert.deepEqual(outbox, []);
  }
});

test('doubt, an unknown sender or another contact leaves a report and no trace of a contact', () => {
  verifies('T3.1', 'T3.8');
  const { contact_id: _contact, ...nobody } = MESSAGE;
  const strangers = [
    receive({ doubts: ['number_on_file_twice'] }),
    receive({ contact_id: IDS.otherPerson }),
    receive({}, { contact_id: null }),
    receive({}, { contact_account_ids: [] }),
    accept('message.receive', 'gateway', { input: nobody, facts: { inbound: INBOUND } }),
  ];
  for (const { changes, outbox } of strangers) {
    assert.equal(changes.turn, undefined);
    assert.equal(changes.conversation, undefined);
    assert.equal(changes.context_entry, undefined);
    assert.equal(changes.inbound_message?.contact_id, null);
    assert.equal(changes.report?.sender_hash, COMMITMENT);
    assert.deepEqual(outbox, []);
  }
});

test('one report for each sender and day', () => {
  verifies('T3.12');
  const { changes } = receive({ doubts: ['unknown_number'] }, { reported_today: true });
  assert.equal(changes.report, undefined);
  assert.ok(changes.inbound_message);
});

test('the same message of the carrier again changes nothing', () => {
  verifies('R.2');
  const decision = receive({}, { known_message_id: IDS.message });
  assert.deepEqual(decision.changes, {});
  assert.deepEqual(decision.outbox, []);
  assert.equal(decision.answer.result.message_id, IDS.message);
});

test('what is withheld does not reach the context, even when the gateway sent it', () => {
  verifies('T5.2');
  const { changes } = receive({ mask_state: 'WITHHELD' });
  assert.equal(changes.context_entry?.masked_text, null);
});

test('without facts about the sender nothing is taken in', () => {
  verifies('C.0');
  assert.equal(code('message.receive', 'gateway', { facts: { inbound: null } }), 'unavailable');
});

test('a ticket is made once for a turn, where its contact may ask, since the message was written', () => {
  verifies('A.3b', 'T1.9');
  const { changes, event } = accept('ticket.create', 'agent', {
    facts: { conversation: conversationRow({ ticket_id: null }) },
  });
  assert.match(changes.ticket?.reference ?? '', /^DL-[0-9A-Z]{8}$/);
  assert.equal(changes.ticket?.requester_id, IDS.requester);
  assert.equal(changes.ticket?.reported_at, at(-MINUTE));
  assert.equal(changes.ticket?.nte_cents, 0);
  assert.deepEqual(changes.turn_ticket, { turn_id: IDS.turn, ticket_id: changes.ticket?.id });
  assert.equal(changes.conversation?.ticket_id, changes.ticket?.id);
  assert.deepEqual(
    event.effects.map((e) => `${e.object} ${e.before_state} ${e.after_state}`),
    ['ticket - NEW', 'conversation AGENT AGENT'],
  );
  assert.deepEqual(
    changes.links?.map((l) => [l.purpose, l.expires_at]),
    [['status', at(30 * 24 * 60 * MINUTE)]],
  );
  const made = { turn: turnRow({ ticket_id: IDS.otherTicket }) };
  assert.equal(code('ticket.create', 'agent', { facts: made }), 'turn_ended');
});

test('a site that nobody named is the only one, or none', () => {
  verifies('A.3b', 'C.0');
  const at2 = membership({ site_id: IDS.otherSite });
  const create = (subject: ReturnType<typeof contact>) =>
    code('ticket.create', 'agent', { facts: { subject, site: null } });
  assert.equal(create(contact(IDS.requester, membership())), 'accepted');
  assert.equal(create(contact(IDS.requester, membership(), at2)), 'not_found');
  assert.equal(create(contact(IDS.requester, membership({ site_id: null }))), 'not_found');
  const named = { site_id: IDS.otherSite };
  assert.equal(code('ticket.create', 'agent', { input: named }), 'not_found');
});

test('an open ticket of another conversation or site is not handed out', () => {
  verifies('T1.9', 'A.3b');
  for (const patch of [
    { conversation_id: IDS.otherConversation },
    { site_id: IDS.otherSite },
    { tenant_id: IDS.otherTenant },
  ]) {
    const open = { open_ticket_of_conversation: ticketRow(patch) };
    assert.equal(code('ticket.create', 'agent', { facts: open }), 'not_found');
  }
});

test('a reply is a phrase to whoever the conversation is with', () => {
  verifies('T1.5');
  const { changes } = accept('conversation.reply', 'agent', {
    input: { phrase: 'ask_intake_questions', questions: ['which_door', 'which_door'] },
  });
  const [message] = changes.messages ?? [];
  assert.equal(message?.contact_id, IDS.requester);
  assert.deepEqual(message?.slots, { questions: ['which_door'] });
  for (const input of [
    { phrase: 'ask_intake_questions' },
    { phrase: 'thanks_noted', questions: ['which_door'] },
    { phrase: 'you_are_booked' },
    { phrase: 'thanks_noted', text: 'A technician comes at noon.' },
  ]) {
    assert.equal(code('conversation.reply', 'agent', { input }), 'schema_mismatch');
  }
});

test('carriers report late, twice and out of order; only a step forward counts', () => {
  verifies('R.2');
  const report = (state: 'QUEUED' | 'SENT' | 'DELIVERED', status: string) =>
    accept('message.report_delivery', 'gateway', {
      input: { status, provider_id: 'SM9' },
      facts: { message: messageRow({ state, provider_id: state === 'QUEUED' ? null : 'SM9' }) },
    }).changes;
  assert.equal(report('QUEUED', 'sent').delivery?.state, 'SENT');
  assert.equal(report('SENT', 'delivered').delivery?.state, 'DELIVERED');
  assert.deepEqual(report('DELIVERED', 'sent'), {});
  assert.equal(report('QUEUED', 'superseded').delivery?.state, 'SUPERSEDED');
  assert.deepEqual(report('SENT', 'superseded'), {});
  assert.deepEqual(report('SENT', 'failed').tasks, [{ kind: 'delivery_failed', ticket_id: IDS.ticket }]);
});

test('a report about an inbound message, or with the id of another message, is about nothing', () => {
  verifies('A.3b');
  const inbound = { message: messageRow({ direction: 'IN' }) };
  assert.equal(code('message.report_delivery', 'gateway', { facts: inbound }), 'not_found');
  const sent = { message: messageRow({ state: 'SENT', provider_id: 'SM1' }) };
  assert.equal(code('message.report_delivery', 'gateway', { facts: sent }), 'not_found');
});

test('the stop switch takes a scope of this tenant', () => {
  verifies('T1.2');
  const pause = (input: Record<string, string>) => play('autonomy.pause', 'dispatcher', { input });
  const whole = pause({ scope: 'tenant' });
  assert.deepEqual(whole.kind === 'accepted' && whole.changes.pause, {
    scope: 'tenant',
    scope_id: IDS.tenant,
  });
  assert.equal(code('autonomy.pause', 'dispatcher', { input: { scope: 'account' } }), 'schema_mismatch');
  for (const scope of ['tenant', 'account', 'ticket']) {
    const input = { scope, scope_id: IDS.otherTicket };
    assert.equal(code('autonomy.pause', 'dispatcher', { input }), 'not_found');
  }
  const account = { scope: 'account', scope_id: IDS.account };
  assert.equal(code('autonomy.pause', 'dispatcher', { input: account }), 'accepted');
  assert.equal(code('autonomy.resume', 'supervisor', { input: account }), 'accepted');
  assert.equal(code('autonomy.resume', 'dispatcher', { input: account }), 'not_granted');
});
