import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { verifies } from '../../requirements.ts';
import { type Appointments, createAppointments } from '../../support/appointments.ts';
import { createDispatchWorld, type DispatchWorld } from '../../support/dispatch-api.ts';
import { type Crew, createCrew } from '../../support/job.ts';
import { REFUSAL_WRITES, tableState } from '../../support/table-state.ts';
import { alone, createWire, person, type Wire, type WireAnswer } from '../../support/wire.ts';

/** The link in a text about times, over the wire: one choice of its recipient, and nothing else. */
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

const CALM = {
  type: 'CLOSER_LEAK_OR_SLAM',
  answers: [
    { question: 'hit_someone', answer: 'no' },
    { question: 'fire_or_exit_door', answer: 'no' },
  ],
};

const OTHER = { kind: 'OTHER_TIME' } as const;
const web = alone('web');
const tap = (link: string, choice: object): Promise<WireAnswer> =>
  wire.command(web, 'choice.make', null, { link, ...choice });
const page = (secret: string) => wire.read(web, `/v1/choices/${secret}`);
const option = (id: string) => ({ kind: 'OPTION', option_id: id });
const stateOf = async (id: string) => (await wire.read(crew.dana, `/v1/tickets/${id}`)).body.ticket.state;
const choicesOf = (id: string) =>
  book.rowsOf('select kind, option_id, link_hash, channel from dispatch.choices where ticket_id = $1', id);

/** The secret at the end of the newest text of this kind about the ticket. */
async function secretIn(ticketId: string, template: string, path: 'c' | 's'): Promise<string> {
  const [row] = await book.rowsOf(
    `select id from dispatch.messages where ticket_id = $1 and template = $2 order by created_at desc limit 1`,
    ticketId,
    template,
  );
  const { body } = await wire.read(alone('gateway'), `/v1/messages/${row?.id}/rendered`);
  const found = new RegExp(`/${path}/([0-9a-f]{34})$`).exec(body.text)?.[1];
  return found ?? assert.fail(`${template}: ${body.text}`);
}

/** A calm job of a contact, for which times are on offer. */
async function offered(contactId: string): Promise<{ id: string; secret: string; times: string[] }> {
  const turn = await book.writes(contactId, 'the closer leaks');
  const id = (await crew.does(crew.agentOf(turn), 'ticket.create', null)).body.ticket.id;
  await crew.does(crew.dana, 'ticket.triage', id, CALM);
  await crew.does(crew.dana, 'ticket.ready', id);
  await crew.does(crew.dana, 'schedule.propose', id);
  const secret = await secretIn(id, 'M05', 'c');
  const times = (await page(secret)).body.options.map((o: { id: string }) => o.id);
  return { id, secret, times };
}

/** The agent of times in the turn that is live for this ticket. */
async function schedulerOf(ticketId: string) {
  const [row] = await book.rowsOf(
    `select t.id, t.conversation_id, t.subject_id from dispatch.turns t
      where t.ticket_id = $1 and t.ended_at is null and t.agent_role = 'agent.scheduling'`,
    ticketId,
  );
  const turn = {
    id: row?.id ?? '',
    conversationId: row?.conversation_id ?? '',
    contactId: row?.subject_id ?? '',
    correlationId: randomUUID(),
  };
  return book.schedulerOf(turn);
}

async function cites(ticketId: string, command: 'schedule.confirm' | 'schedule.reschedule') {
  const agent = await schedulerOf(ticketId);
  const { body } = await wire.read(agent, `/v1/tickets/${ticketId}/schedule-options`);
  return wire.command(agent, command, ticketId, { choice_id: body.choice.id });
}

test('a tap is one choice, and the agent of times agrees it; then another tap moves what a text does not', async () => {
  verifies('T1.10', 'T3.12', 'A.3d', 'R.2');
  const { maria, sam } = world.tenant.contacts;
  const { id, secret, times } = await offered(maria);
  const elsewhere = await offered(sam);
  assert.equal(times.length, 3);

  // Looking is all that a GET does, as often as somebody does it.
  const before = await tableState(world.admin);
  for (let look = 0; look < 3; look += 1) assert.equal((await page(secret)).body.options.length, 3);
  assert.deepEqual(await tableState(world.admin), before);

  // Nothing but the live secret of exactly this offer, for exactly its times.
  const untouched = await tableState(world.admin, ...REFUSAL_WRITES);
  const status = await secretIn(id, 'M04', 's');
  const first = option(times[0] ?? '');
  for (const [why, link, choice, code] of [
    ['a made-up secret', 'a'.repeat(34), first, 'not_found'],
    ['a status link', status, first, 'not_found'],
    ["somebody else's link", elsewhere.secret, first, 'not_found'],
    ["another ticket's time", secret, option(elsewhere.times[0] ?? ''), 'not_found'],
    ['a time that is none', secret, option(randomUUID()), 'not_found'],
    ['no secret', '', first, 'schema_mismatch'],
    ['no time', secret, { kind: 'OPTION' }, 'schema_mismatch'],
  ] as const) {
    assert.equal((await tap(link, choice)).code, code, why);
  }
  const dana = person('staff', world.tenant.staff.dana);
  const asMaria = person('contact', maria);
  for (const actor of [
    dana,
    asMaria,
    { ...asMaria, service: 'cli' as const },
    alone('gateway'),
    alone('worker'),
  ]) {
    const { code } = await wire.command(actor, 'choice.make', null, { link: secret, ...first });
    assert.equal(code, 'above_ceiling', JSON.stringify(actor));
  }
  // Without a secret web can do nothing, whatever else it asks for.
  assert.equal(
    (await wire.command(web, 'schedule.confirm', id, { option_id: times[0] })).code,
    'above_ceiling',
  );
  assert.deepEqual(await tableState(world.admin, ...REFUSAL_WRITES), untouched);
  // The links of either purpose open the page of the other for nobody.
  assert.equal((await page(status)).code, 'not_found');
  assert.equal((await wire.read(web, `/v1/links/${secret}`)).code, 'not_found');
  for (const service of ['gateway', 'identity', 'cli', 'worker'] as const) {
    assert.equal((await wire.read(alone(service), `/v1/choices/${secret}`)).status, 403, service);
  }

  // Every button at the same moment: one choice.
  const raced = await Promise.all([...times.map((time) => tap(secret, option(time))), tap(secret, OTHER)]);
  assert.deepEqual(raced.map(({ code }) => code).sort(), ['ok', 'superseded', 'superseded', 'superseded']);
  const made = await choicesOf(id);
  assert.deepEqual([made.length, made[0]?.channel], [1, 'web']);
  assert.ok(!JSON.stringify(await book.rowsOf('select * from dispatch.choices')).includes(secret));
  assert.equal((await page(secret)).body.options.length, 0);
  assert.equal(await stateOf(id), 'SCHEDULE_PROPOSED', 'a tap agrees nothing');
});

test('what was tapped is agreed by the agent in a turn of its own; a tap moves what a text does not', async () => {
  verifies('T1.10', 'T1.9', 'A.3d');
  const { maria } = world.tenant.contacts;
  const [open] = await book.rowsOf(`select id from dispatch.tickets where requester_id = $1`, maria);
  await crew.does(crew.dana, 'ticket.cancel', open?.id ?? '', { reason: 'OTHER' });
  const { id, secret, times } = await offered(maria);
  assert.equal((await tap(secret, option(times[1] ?? ''))).code, 'ok');
  const shown = (await page(secret)).body;
  assert.match(shown.chosen.words, /^\w{3} \w{3} \d{1,2}, /);
  assert.equal((await cites(id, 'schedule.confirm')).body.ticket.state, 'SCHEDULED');

  // The text that tells the time has a link of its own. A "0" moves no job that was dispatched; a tap does.
  const moving = await secretIn(id, 'M06', 'c');
  const { agreed, options, other_time } = (await page(moving)).body;
  assert.deepEqual([agreed, options, other_time], [shown.chosen.words, [], true]);
  const [held] = await book.rowsOf(
    `select technician_id from dispatch.schedule_options where ticket_id = $1 and confirmed_at is not null and ended_at is null`,
    id,
  );
  await crew.does(crew.dana, 'visit.dispatch', id, { technician_id: held?.technician_id });
  await book.writes(maria, '0');
  assert.equal((await cites(id, 'schedule.reschedule')).code, 'assurance_required');
  assert.equal((await tap(moving, OTHER)).code, 'ok');
  assert.equal((await cites(id, 'schedule.reschedule')).body.ticket.state, 'READY_TO_SCHEDULE');
  assert.equal((await tap(moving, OTHER)).code, 'superseded');

  // The next offer has another link, and the old ones are good for nothing.
  await crew.does(crew.dana, 'schedule.propose', id);
  const next = await secretIn(id, 'M05', 'c');
  assert.notEqual(next, secret);
  assert.equal((await tap(secret, OTHER)).code, 'superseded');
  const fresh = (await page(next)).body.options;
  // After the hold there is nothing to choose; the other wish is still one.
  await world.admin.query(
    `update dispatch.schedule_options set proposed_at = now() - interval '2 hours', held_until = now() where ticket_id = $1 and ended_at is null`,
    [id],
  );
  assert.equal((await tap(next, option(fresh[0].id))).code, 'superseded');
  // After the link itself it is as unknown as any.
  await world.admin.query(`update dispatch.links set expires_at = now() where purpose = 'choice'`);
  assert.equal((await tap(next, OTHER)).code, 'not_found');
  assert.equal((await page(next)).code, 'not_found');
});

test('nobody reads along where there is no conversation: a person is called', async () => {
  verifies('T1.10');
  const id = await crew.ticket();
  await crew.does(crew.dana, 'ticket.triage', id, CALM);
  await crew.does(crew.dana, 'ticket.ready', id);
  await world.admin.query(`begin; set local session_replication_role = replica;
    update dispatch.tickets set requester_id = '${world.tenant.contacts.maria}' where id = '${id}'; commit`);
  await crew.does(crew.dana, 'schedule.propose', id);
  const secret = await secretIn(id, 'M05', 'c');
  assert.equal((await tap(secret, OTHER)).code, 'ok');
  const { attention } = (await wire.read(crew.dana, '/v1/attention')).body;
  assert.ok(
    attention.some(
      (a: { kind: string; ticket_id: string }) => a.kind === 'choice_waits' && a.ticket_id === id,
    ),
  );
});
