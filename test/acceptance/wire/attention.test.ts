import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld } from '../../support/dispatch-api.ts';
import { CANNOT_SECURE, type Crew, createCrew, inbound, type Turn, words } from '../../support/job.ts';
import { alone, createWire, type Wire } from '../../support/wire.ts';

/** What waits for a person is seen by a dispatcher, whatever the agent did or did not do. */
let world: DispatchWorld;
let wire: Wire;
let crew: Crew;

before(async () => {
  world = await createDispatchWorld();
  const replica = await world.start();
  wire = createWire(world, replica.port);
  crew = createCrew(world, wire);
});
after(() => world.close());

interface Waiting {
  readonly kind: string;
  readonly ticket_id: string | null;
  readonly conversation_id: string | null;
  readonly suggestion: { readonly id: string; readonly command: string; readonly digest: string } | null;
}

async function attention(): Promise<readonly Waiting[]> {
  const answer = await wire.read(crew.dana, '/v1/attention');
  assert.equal(answer.status, 200);
  return answer.body.attention as readonly Waiting[];
}

/** Nobody waits a minute in a test: the messages become older instead. */
async function aMinutePasses(): Promise<void> {
  await world.admin.query("update dispatch.messages set created_at = created_at - interval '2 minutes'");
}

/** Nor for a ticket: it is written over behind the guards, as only a test may. */
async function backDate(ticketId: string, changes: string): Promise<void> {
  await world.admin.query(`begin; set local session_replication_role = replica;
    update dispatch.tickets set ${changes} where id = '${ticketId}'; commit`);
}

test('a message that nothing has answered waits for a person until something does', async () => {
  verifies('T1.4');
  const turn = await crew.writes(world.tenant.contacts.maria);
  const waits = async () =>
    (await attention()).some(
      (a) => a.kind === 'unanswered_message' && a.conversation_id === turn.conversationId,
    );
  assert.equal(await waits(), false, 'the agent has a moment');
  await aMinutePasses();
  assert.equal(await waits(), true);
  await crew.does(crew.agentOf(turn), 'conversation.reply', null, { phrase: 'thanks_noted' });
  assert.equal(await waits(), false);
});

test('a promise that a person will look is shown to a person at once', async () => {
  verifies('T2.3');
  const turn = await crew.writes(world.tenant.contacts.maria);
  await crew.does(crew.agentOf(turn), 'conversation.reply', null, { phrase: 'a_person_will_look' });
  assert.ok((await attention()).some((a) => a.conversation_id === turn.conversationId));
});

test('a safety type waits for a dispatcher until somebody is sent', async () => {
  const turn = await crew.writes(world.tenant.contacts.sam);
  const made = await crew.does(crew.agentOf(turn), 'ticket.create', null);
  const ticketId = made.body.ticket.id;
  await crew.does(crew.agentOf(turn), 'ticket.triage', ticketId, CANNOT_SECURE);
  const waits = async () =>
    (await attention()).some((a) => a.kind === 'safety_triage' && a.ticket_id === ticketId);
  assert.equal(await waits(), true);
  await crew.does(crew.dana, 'visit.dispatch_emergency', ticketId, {
    technician_id: world.tenant.technicians.tom,
    reason: 'CANNOT_SECURE',
  });
  assert.equal(await waits(), false);
  // So that the technician is free for others.
  await crew.does(crew.dana, 'ticket.cancel', ticketId, { reason: 'OTHER' });
});

test('a hold that is over waits for a person, and goes on by nothing else', async () => {
  const ticketId = await crew.started();
  const held = {
    reason: 'PARTS',
    owner: 'PROVIDER',
    hold_until: new Date(Date.now() + 60_000).toISOString(),
  };
  await crew.does(crew.dana, 'ticket.hold', ticketId, held);
  const waits = async () =>
    (await attention()).some((a) => a.kind === 'hold_over' && a.ticket_id === ticketId);
  assert.equal(await waits(), false, 'it has a minute');
  await backDate(ticketId, "hold_until = hold_until - interval '2 minutes'");
  assert.equal(await waits(), true);
  await crew.does(crew.dana, 'ticket.resume', ticketId, {});
  assert.equal(await waits(), false);
});

test('questions that nobody answers wait for a person after as long as the priority gives', async () => {
  const waits = async (ticketId: string) =>
    (await attention()).some((a) => a.kind === 'info_unanswered' && a.ticket_id === ticketId);
  for (const [priority, within, over] of [
    ["'EMERGENCY'", '9 minutes', '11 minutes'],
    ["'URGENT'", '59 minutes', '61 minutes'],
    ["'ROUTINE'", '239 minutes', '241 minutes'],
    ['null', '59 minutes', '61 minutes'],
  ] as const) {
    const ticketId = await crew.ticket();
    await crew.does(crew.dana, 'ticket.request_info', ticketId, { missing: ['which_door'] });
    await backDate(ticketId, `priority = ${priority}, updated_at = now() - interval '${within}'`);
    assert.equal(await waits(ticketId), false, `${priority} ${within}`);
    await backDate(ticketId, `updated_at = now() - interval '${over}'`);
    assert.equal(await waits(ticketId), true, `${priority} ${over}`);
    await crew.does(crew.dana, 'ticket.cancel', ticketId, { reason: 'OTHER' });
    assert.equal(await waits(ticketId), false, 'it is over');
  }
});

test('nobody but a dispatcher or supervisor is shown what waits', async () => {
  for (const actor of [crew.tom, crew.fay, crew.quinn, crew.maria]) {
    const answer = await wire.read(actor, '/v1/attention');
    assert.equal(answer.status, 403);
    assert.equal(answer.code, 'not_granted');
  }
});

/** How much the agent may do by itself, from the next call on; written past the guards, as no command can at L1. */
async function standsAt(level: 0 | 2): Promise<void> {
  await world.admin.query(`begin; set local session_replication_role = replica;
    update dispatch.autonomy_settings set level = ${level}; commit`);
}

/** A conversation that is about nothing yet. */
async function writesOnTheWeb(contactId: string): Promise<Turn> {
  const { body } = await crew.does(
    alone('gateway'),
    'message.receive',
    null,
    inbound(contactId, { channel: 'web' }),
  );
  const { turn_id: id, conversation_id: conversationId } = body.result;
  return { id, conversationId, contactId, correlationId: body.correlation_id };
}

async function suggested(turn: Turn) {
  const found = (await attention()).find(
    (a) => a.kind === 'suggestion' && a.conversation_id === turn.conversationId,
  );
  assert.ok(found?.suggestion);
  return found.suggestion;
}

/** The turn in which the agent goes on. */
async function nextTurn(turn: Turn): Promise<Turn> {
  const { rows } = await world.admin.query<{ id: string }>(
    'select id from dispatch.turns where conversation_id = $1 and ended_at is null',
    [turn.conversationId],
  );
  return { ...turn, id: rows[0]?.id ?? '' };
}

const ticketsOf = async (turn: Turn) =>
  (
    await world.admin.query<{ state: string }>(
      'select state from dispatch.tickets where conversation_id = $1',
      [turn.conversationId],
    )
  ).rows.map((row) => row.state);

test('at level 0 a text leads to suggestions; a dispatcher accepts them, and the ticket moves', async () => {
  verifies('T1.4', 'T1.10');
  const { does, dana, agentOf } = crew;
  const turn = await writesOnTheWeb(world.tenant.contacts.maria);
  await standsAt(0);
  try {
    const wanted = await does(agentOf(turn), 'ticket.create', null);
    assert.equal(wanted.body.result.suggested, true);
    const again = await does(agentOf(turn), 'ticket.create', null);
    assert.equal(again.body.result.suggestion_id, wanted.body.result.suggestion_id);
    assert.deepEqual(await ticketsOf(turn), []);
    // Its own words are nothing that a dispatcher could accept.
    const reply = await wire.command(agentOf(turn), 'conversation.reply', null, { phrase: 'thanks_noted' });
    assert.equal(reply.code, 'autonomy_denied');

    const create = await suggested(turn);
    assert.deepEqual([create.command, create.id], ['ticket.create', wanted.body.result.suggestion_id]);
    const other = { digest: 'x'.repeat(43) };
    assert.equal((await wire.command(dana, 'suggestion.accept', create.id, other)).code, 'digest_mismatch');
    const yes = { digest: create.digest };
    assert.equal((await wire.command(crew.maria, 'suggestion.accept', create.id, yes)).code, 'not_granted');
    const made = await does(dana, 'suggestion.accept', create.id, yes);
    assert.deepEqual(await ticketsOf(turn), ['NEW']);
    assert.equal((await wire.command(dana, 'suggestion.accept', create.id, yes)).code, 'invalid_state');

    const goesOn = await nextTurn(turn);
    await does(agentOf(goesOn), 'ticket.triage', made.body.ticket.id, CANNOT_SECURE);
    assert.deepEqual(await ticketsOf(turn), ['NEW']);
    const triage = await suggested(turn);
    const blindly = await wire.command(dana, 'suggestion.accept', triage.id, { digest: triage.digest });
    assert.deepEqual([blindly.code, blindly.body.fields], ['schema_mismatch', ['/checked']]);
    const looked = { digest: triage.digest, checked: 'yes' };
    await does(dana, 'autonomy.pause', null, { scope: 'tenant' });
    assert.equal((await wire.command(dana, 'suggestion.accept', triage.id, looked)).code, 'agent_paused');
    await does(crew.sue, 'autonomy.resume', null, { scope: 'tenant' });
    await does(dana, 'suggestion.accept', triage.id, looked);
    assert.deepEqual(await ticketsOf(turn), ['TRIAGED']);

    const last = await nextTurn(turn);
    await does(agentOf(last), 'ticket.request_info', made.body.ticket.id, { missing: ['which_door'] });
    const info = await suggested(turn);
    await does(dana, 'ticket.retriage', made.body.ticket.id, { ...CANNOT_SECURE, reason: words() });
    const stale = await wire.command(dana, 'suggestion.accept', info.id, {
      digest: info.digest,
      checked: 'yes',
    });
    assert.equal(stale.code, 'superseded');
    assert.equal(
      (await attention()).some((a) => a.suggestion?.id === info.id),
      false,
    );
    await does(dana, 'suggestion.reject', info.id, { reason: 'DONE_OTHERWISE' });
  } finally {
    await standsAt(2);
  }
});

test('while a person has the conversation the agent is silent, and the customer knows', async () => {
  verifies('T2.6', 'T1.2');
  const turn = await crew.writes(world.tenant.contacts.maria);
  const says = () => wire.command(crew.agentOf(turn), 'conversation.reply', null, { phrase: 'thanks_noted' });
  await crew.does(crew.dana, 'conversation.take_over', turn.conversationId);
  assert.equal((await says()).code, 'human_in_charge');
  const { rows } = await world.admin.query<{ id: string }>(
    "select id from dispatch.messages where conversation_id = $1 and template = 'M21'",
    [turn.conversationId],
  );
  assert.equal((await wire.read(alone('gateway'), `/v1/messages/${rows[0]?.id}/rendered`)).status, 200);
  await crew.does(crew.dana, 'conversation.hand_back', turn.conversationId);
  assert.equal(
    (await wire.read(alone('gateway'), `/v1/messages/${rows[0]?.id}/rendered`)).code,
    'superseded',
  );
  assert.equal((await says()).code, 'ok');
});

test('words of a stranger become part of a ticket by a person alone, once, and make nobody its owner', async () => {
  verifies('T1.9', 'A.3b');
  const words = inbound(world.tenant.contacts.maria, { doubts: ['unknown_number'] });
  const { body } = await crew.does(alone('gateway'), 'message.receive', null, words);
  const reportId = body.result.report_id;
  const place = { site_id: world.tenant.siteId };
  assert.equal((await wire.command(crew.maria, 'report.attach', reportId, place)).code, 'not_granted');
  assert.equal((await wire.command(crew.dana, 'report.attach', reportId, {})).code, 'schema_mismatch');
  const made = await crew.does(crew.dana, 'report.attach', reportId, place);
  const ticketId = made.body.result.ticket_id;
  const { rows } = await world.admin.query(
    'select requester_id, conversation_id, description_text_id from dispatch.tickets where id = $1',
    [ticketId],
  );
  assert.deepEqual(rows[0], {
    requester_id: null,
    conversation_id: null,
    description_text_id: words.text_id,
  });
  const twice = await wire.command(crew.dana, 'report.attach', reportId, { ticket_id: ticketId });
  assert.equal(twice.code, 'invalid_state');
});

test('a requester asks to cancel, and a dispatcher does it', async () => {
  const turn = await writesOnTheWeb(world.tenant.contacts.sam);
  const made = await crew.does(crew.agentOf(turn), 'ticket.create', null);
  const ticketId = made.body.ticket.id;
  const sam = {
    ...crew.maria,
    claims: { ...crew.maria.claims, sub: `contact:${world.tenant.contacts.sam}` },
  };
  const asked = await crew.does(sam, 'ticket.cancel', ticketId, { reason: 'FIXED_ITSELF' });
  assert.deepEqual([asked.body.result.asked, asked.body.ticket.state], [true, made.body.ticket.state]);
  const waits = async () =>
    (await attention()).some((a) => a.kind === 'cancel_requested' && a.ticket_id === ticketId);
  assert.equal(await waits(), true);
  await crew.does(crew.dana, 'ticket.cancel', ticketId, { reason: 'CUSTOMER_REQUEST' });
  assert.equal(await waits(), false);
});
