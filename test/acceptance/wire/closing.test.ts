import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { verifies } from '../../requirements.ts';
import { type Appointments, createAppointments } from '../../support/appointments.ts';
import { createDispatchWorld, type DispatchWorld } from '../../support/dispatch-api.ts';
import { type Crew, createCrew, inbound, words } from '../../support/job.ts';
import { alone, createWire, type Wire } from '../../support/wire.ts';

/** Conversations that end, and the tickets that are over with them. */
let world: DispatchWorld;
let wire: Wire;
let crew: Crew;
let book: Appointments;

before(async () => {
  world = await createDispatchWorld();
  wire = createWire(world, (await world.start()).port);
  crew = createCrew(world, wire);
  book = createAppointments(world, crew);
});
after(() => world.close());

const close = (id: string) => wire.command(crew.dana, 'conversation.close', id, {});
const conversationsOf = (contactId: string) =>
  book.rowsOf(
    'select id, state from dispatch.conversations where contact_id = $1 order by opened_at',
    contactId,
  );
const open = (rows: readonly { readonly state?: string }[]) => rows.filter(({ state }) => state !== 'CLOSED');

/** Over for good, as only the database's superuser can say in one step. */
const isOver = (ticketId: string) =>
  world.admin.query(`begin; set local session_replication_role = replica;
    update dispatch.tickets set state = 'CLOSED', updated_at = now() where id = '${ticketId}'; commit`);

test('a conversation is closed when nothing waits in it; the next words open another, and old tickets reach their contact', async () => {
  verifies('A.3d', 'T1.4', 'T2.6');
  const { sam } = world.tenant.contacts;
  const turn = await crew.writes(sam);
  const id = turn.conversationId;
  const why = async () => (await close(id)).body.from_state;
  assert.equal(await why(), 'UNANSWERED_MESSAGE');
  const agent = crew.agentOf(turn);
  const ticketId = (await crew.does(agent, 'ticket.create', null)).body.ticket.id;
  assert.equal(await why(), 'OPEN_TICKET');
  await crew.does(agent, 'conversation.reply', null, { phrase: 'a_person_will_look' });
  await isOver(ticketId);
  assert.equal(await why(), 'UNANSWERED_MESSAGE', 'they were promised a person');
  for (const actor of [agent, crew.maria, crew.tom, crew.fay, alone('worker')]) {
    const { code } = await wire.command(actor, 'conversation.close', id, {});
    assert.ok(['above_ceiling', 'not_granted'].includes(code), code);
  }
  // Whoever takes the word has answered.
  await crew.does(crew.dana, 'conversation.take_over', id);
  const both = await Promise.all([close(id), close(id)]);
  assert.deepEqual(both.map(({ code }) => code).sort(), ['invalid_state', 'ok']);
  assert.deepEqual(await conversationsOf(sam), [{ id, state: 'CLOSED' }]);
  assert.equal(
    (await wire.command(agent, 'conversation.reply', null, { phrase: 'thanks_noted' })).code,
    'turn_ended',
  );
  for (const command of ['conversation.take_over', 'conversation.hand_back', 'conversation.close']) {
    assert.equal((await wire.command(crew.dana, command, id, {})).code, 'invalid_state', command);
  }

  // What belongs to the old ticket is still told, and a recall of it is too.
  const said = await crew.does(crew.dana, 'message.send', ticketId, { phrase: 'please_call_us' });
  const rendered = (message: string) => wire.read(alone('gateway'), `/v1/messages/${message}/rendered`);
  const shown = await rendered(said.body.result.message_id);
  assert.deepEqual([shown.status, shown.body.contact_id], [200, sam]);
  const reason = { reason: words() };
  const reopened = await Promise.all(
    [1, 2].map(() => wire.command(crew.dana, 'ticket.reopen', ticketId, reason)),
  );
  assert.deepEqual(reopened.map(({ code }) => code).sort(), ['invalid_state', 'ok'], 'one recall at a time');
  const recall = reopened.find(({ code }) => code === 'ok')?.body.result.ticket_id;
  const [told] = await book.rowsOf(
    `select id, contact_id from dispatch.messages where ticket_id = $1 and template = 'M16'`,
    recall,
  );
  assert.deepEqual([told?.contact_id, (await rendered(told?.id ?? '')).status], [sam, 200]);
  const again = await wire.command(crew.dana, 'ticket.reopen', ticketId, reason);
  assert.deepEqual([again.code, again.body.from_state], ['invalid_state', 'OPEN_RECALL']);
  await crew.does(crew.dana, 'ticket.cancel', recall, { reason: 'OTHER' });
  await crew.does(crew.dana, 'ticket.reopen', ticketId, reason);

  // Several texts at the same moment: one conversation more.
  const texts = await Promise.all(Array.from({ length: 4 }, () => crew.writes(sam)));
  assert.equal(new Set(texts.map(({ conversationId }) => conversationId)).size, 1);
  const all = await conversationsOf(sam);
  assert.deepEqual([all.length, open(all).length], [2, 1]);
});

test('no words are lost in a conversation that ends while they arrive', async () => {
  verifies('T1.4', 'R.2');
  const { maria } = world.tenant.contacts;
  const receive = () => wire.command(alone('gateway'), 'message.receive', null, inbound(maria));
  for (let round = 0; round < 6; round += 1) {
    const { conversationId: id } = await crew.writes(maria);
    await wire.command(crew.dana, 'conversation.take_over', id, {});
    const [ended, ...taken] = await Promise.all([close(id), receive(), receive(), receive()]);
    assert.ok(['ok', 'invalid_state'].includes(ended?.code ?? ''), ended?.code);
    if (ended?.code !== 'ok') await wire.command(crew.dana, 'conversation.hand_back', id, {});
    assert.deepEqual(
      taken.map(({ code }) => code),
      ['ok', 'ok', 'ok'],
    );
    assert.equal(open(await conversationsOf(maria)).length, 1, 'never two open ones');
    const lost = await book.rowsOf(
      `select c.id from dispatch.conversations c cross join lateral (
         select m.direction from dispatch.messages m where m.conversation_id = c.id
          order by m.created_at desc, m.id desc limit 1) last
        where c.state = 'CLOSED' and last.direction = 'IN'`,
    );
    assert.deepEqual(lost, [], 'nobody waits in what is closed');
  }
});
