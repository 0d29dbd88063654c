import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { guardsAgainst } from '../../mistakes.ts';
import { verifies } from '../../requirements.ts';
import { type Appointments, createAppointments } from '../../support/appointments.ts';
import type { DispatchWorld } from '../../support/dispatch-api.ts';
import { type Crew, createCrew } from '../../support/job.ts';
import { type Actor, alone, createWire, person, type Wire, type WireAnswer } from '../../support/wire.ts';
import { createWitnessedWorld } from '../../support/witnessed-world.ts';

/** Appointments over the wire: offered, chosen by text, agreed, sent, and fought over. */
let world: DispatchWorld;
let wire: Wire;
let crew: Crew;
let tess: Actor;
let book: Appointments;

before(async () => {
  world = await createWitnessedWorld();
  wire = createWire(world, (await world.start()).port);
  crew = createCrew(world, wire);
  book = createAppointments(world, crew);
  tess = person('technician', world.tenant.technicians.tess);
});
after(() => world.close());

const DAY_MS = 86_400_000;

const CALM = {
  type: 'CLOSER_LEAK_OR_SLAM',
  answers: [
    { question: 'hit_someone', answer: 'no' },
    { question: 'fire_or_exit_door', answer: 'no' },
  ],
};

const optionsOf = async (actor: Actor, ticketId: string) =>
  (await wire.read(actor, `/v1/tickets/${ticketId}/schedule-options`)).body;

/** A calm job that a dispatcher made ready. */
async function ready(): Promise<string> {
  const id = await crew.ticket();
  await crew.does(crew.dana, 'ticket.triage', id, CALM);
  await crew.does(crew.dana, 'ticket.ready', id);
  return id;
}

async function agreed(): Promise<{ id: string; option: { id: string; technician_id: string } }> {
  const id = await ready();
  await crew.does(crew.dana, 'schedule.propose', id);
  const [option] = (await optionsOf(crew.dana, id)).options;
  await crew.does(crew.dana, 'schedule.confirm', id, { option_id: option.id });
  return { id, option };
}

/** Behind the commands, as only the database's superuser can. */
const everybodyAway = (absences: readonly object[]) =>
  world.admin.query(`begin; set local session_replication_role = replica;
    update dispatch.technician_schedules set absences = '${JSON.stringify(absences)}'; commit`);

/** Nothing stays in the way of the next test. */
const cancel = (id: string) => crew.does(crew.dana, 'ticket.cancel', id, { reason: 'OTHER' });

describe('one calm job by text', () => {
  test('goes from the first word through "2" to the technician at the door', async () => {
    verifies('T1.10', 'T1.9', 'T2.1', 'A.3d');
    guardsAgainst(32);
    const { maria, sam } = world.tenant.contacts;
    const first = await book.writes(maria, 'the closer leaks, nobody was hurt, it is no fire door');
    const intake = crew.agentOf(first);
    const id = (await crew.does(intake, 'ticket.create', null)).body.ticket.id;
    await crew.does(intake, 'ticket.triage', id, CALM);
    await crew.does(intake, 'ticket.ready', id);
    // The turn of intake ends with it.
    assert.equal(
      (await wire.command(intake, 'conversation.reply', null, { phrase: 'thanks_noted' })).code,
      'turn_ended',
    );

    const system = await book.systemTurn(id);
    const [wake] = await book.rowsOf(
      `select count(*)::int as n from dispatch.outbox o join dispatch.turns t on t.id = o.ref_id
      where o.kind = 'agent.wake' and t.ticket_id = $1 and t.agent_role = 'agent.scheduling'`,
      id,
    );
    assert.equal(wake?.n, 1);
    await crew.does(system, 'schedule.propose', id);
    assert.deepEqual(await book.takenFor(id), Array(3).fill({ visit: false, firm: false }));

    // What the system's turn may cite: nothing, since nobody chose.
    assert.equal((await optionsOf(system, id)).choice, null);
    const none = await wire.command(system, 'schedule.confirm', id, { choice_id: randomUUID() });
    assert.equal(none.code, 'not_found');

    // A "no" opens a turn and is no choice; nor is a number from somebody who was not asked.
    const no = book.schedulerOf(await book.writes(maria, 'no'));
    assert.equal((await optionsOf(no, id)).choice, null);
    await book.writes(sam, '2');
    assert.equal((await book.rowsOf('select 1 from dispatch.choices')).length, 0);

    const answered = book.schedulerOf(await book.writes(maria, '2'));
    const { choice, options } = await optionsOf(answered, id);
    assert.deepEqual([choice.kind, choice.number, choice.consumed], ['OPTION', 2, false]);
    assert.ok(
      options.every((o: object) => !('technician_id' in o)),
      'who comes is not for the agent',
    );
    const booked = await crew.does(answered, 'schedule.confirm', id, { choice_id: choice.id });
    assert.equal(booked.body.ticket.state, 'SCHEDULED');
    assert.deepEqual(await book.takenFor(id), [{ visit: false, firm: true }]);

    // Consumed once: by nobody and for nothing a second time.
    assert.equal(
      (await wire.command(answered, 'schedule.confirm', id, { choice_id: choice.id })).code,
      'invalid_state',
    );
    // At level 2 sending somebody waits for a person.
    await wire.command(answered, 'visit.dispatch', id, {});
    assert.equal((await wire.read(crew.dana, `/v1/tickets/${id}`)).body.ticket.state, 'SCHEDULED');

    const { agreed: time } = await optionsOf(crew.dana, id);
    await crew.does(crew.dana, 'visit.dispatch', id, { technician_id: time.technician_id });
    assert.deepEqual(await book.takenFor(id), [{ visit: true, firm: true }]);
    const sent = time.technician_id === world.tenant.technicians.tom ? crew.tom : tess;
    await crew.does(sent, 'visit.accept', id);
    assert.equal((await crew.does(sent, 'visit.depart', id)).body.ticket.state, 'DISPATCHED');
    const late = { owner: 'CUSTOMER' };
    assert.equal((await wire.command(crew.dana, 'schedule.reschedule', id, late)).code, 'invalid_state');
    assert.equal((await crew.does(sent, 'tech.check_in', id)).body.ticket.state, 'ON_SITE');

    const templates = await book.rowsOf(
      `select template from dispatch.messages where ticket_id = $1 and direction = 'OUT' order by created_at`,
      id,
    );
    assert.deepEqual(
      templates.map((m) => m.template),
      ['M01', 'M04', 'M05', 'M06', 'M06', 'M08', 'M10'],
    );
    const timers = await book.rowsOf(
      'select kind from dispatch.timers where target_id = $1 order by kind',
      id,
    );
    assert.deepEqual(
      timers.map((t) => t.kind),
      ['schedule.release', 'visit.escalate', 'visit.miss'],
    );
  });

  test('its text tells the time on the clock of the site, and is not sent once the offer is taken back', async () => {
    verifies('T2.1', 'T2.6');
    const turn = await book.writes(world.tenant.contacts.sam, 'closer');
    const id = (await crew.does(crew.agentOf(turn), 'ticket.create', null)).body.ticket.id;
    await crew.does(crew.dana, 'ticket.triage', id, CALM);
    await crew.does(crew.dana, 'ticket.ready', id);
    await crew.does(crew.dana, 'schedule.propose', id);
    const [message] = await book.rowsOf(
      `select id from dispatch.messages where ticket_id = $1 and template = 'M05'`,
      id,
    );
    const rendered = () => wire.read(alone('gateway'), `/v1/messages/${message?.id}/rendered`);
    const shown = await rendered();
    assert.match(
      shown.body.text,
      /1: \w{3} \w{3} \d{1,2}, \d{1,2}:\d{2} [AP]M to .* 2: .* 3: .* Reply with the number alone/,
    );
    await crew.does(crew.dana, 'schedule.release', id);
    await crew.does(crew.dana, 'schedule.propose', id);
    assert.equal((await rendered()).code, 'superseded');
    await cancel(id);
    assert.deepEqual(await book.takenFor(id), [], 'a ticket that ends holds nobody');
  });
});

describe('reads', () => {
  test('name whoever may be sent with a reason for each factor; whom they refuse is refused', async () => {
    verifies('C.2');
    guardsAgainst(26);
    const { id, option } = await agreed();
    const found = (await wire.read(crew.dana, `/v1/tickets/${id}/recommendations`)).body;
    assert.ok(found.recommended.length > 0);
    for (const { factors, technician_id } of found.recommended) {
      assert.deepEqual(
        factors.map((f: { factor: string }) => f.factor),
        ['skill', 'certification', 'territory', 'travel', 'shift', 'slack', 'load', 'wait', 'late'],
      );
      assert.ok([crew.tom, tess].some((t) => t.claims?.sub === `technician:${technician_id}`));
    }
    assert.equal((await wire.read(crew.tom, `/v1/tickets/${id}/recommendations`)).code, 'not_granted');
    assert.equal((await wire.read(crew.maria, `/v1/tickets/${id}/schedule-options`)).code, 'not_found');
    // Nobody is left, for the read and for the call.
    await everybodyAway([
      { starts_at: new Date().toISOString(), ends_at: new Date(Date.now() + 30 * DAY_MS).toISOString() },
    ]);
    const nobody = (await wire.read(crew.dana, `/v1/tickets/${id}/recommendations`)).body;
    assert.deepEqual(nobody.recommended, []);
    assert.ok(nobody.others.every((o: { reasons: string[] }) => o.reasons.includes('absent')));
    const refused = await wire.command(crew.dana, 'visit.dispatch', id, {
      technician_id: option.technician_id,
    });
    assert.deepEqual([refused.code, refused.body.reasons], ['not_eligible', ['absent']]);
    await everybodyAway([]);
    await cancel(id);
  });
});

describe('time that is up', () => {
  const miss = (id: string) => wire.command(alone('worker'), 'visit.miss', id, {});
  /** The ticket's window and its visits lie in the past. */
  const timeIsOver = (id: string) =>
    world.admin.query(`begin; set local session_replication_role = replica;
      update dispatch.visits set starts_at = now() - interval '3 hours', ends_at = now() - interval '1 hour'
        where ticket_id = '${id}';
      update dispatch.schedule_options set window_from = now() - interval '3 hours', window_to = now() - interval '1 hour',
        visit_from = now() - interval '3 hours', visit_to = now() - interval '1 hour'
        where ticket_id = '${id}' and ended_at is null;
      commit`);
  const release = (id: string) => wire.command(alone('worker'), 'schedule.release', id, {});

  test('a hold that expired is taken by nobody, and the timer makes room', async () => {
    verifies('R.3', 'A.3d');
    const id = await ready();
    await crew.does(crew.dana, 'schedule.propose', id);
    const { options } = await optionsOf(crew.dana, id);
    assert.equal((await release(id)).code, 'superseded');
    await world.admin.query(
      `update dispatch.schedule_options set proposed_at = now() - interval '2 hours', held_until = now() where ticket_id = $1`,
      [id],
    );
    await world.admin.query(
      `update dispatch.bookings b set held_until = now() from dispatch.schedule_options o where o.id = b.option_id and o.ticket_id = $1`,
      [id],
    );
    assert.deepEqual((await optionsOf(crew.dana, id)).options, []);
    const late = await wire.command(crew.dana, 'schedule.confirm', id, { option_id: options[0].id });
    assert.equal(late.code, 'superseded');
    assert.equal((await release(id)).body.ticket.state, 'READY_TO_SCHEDULE');
    assert.equal((await release(id)).code, 'invalid_state');
    assert.deepEqual(await book.takenFor(id), []);
    await cancel(id);
  });

  test('a visit that nobody arrived at is missed, and its technician is free', async () => {
    verifies('R.3', 'A.3d');
    const { id, option } = await agreed();
    const sent = option.technician_id === world.tenant.technicians.tom ? crew.tom : tess;
    await crew.does(crew.dana, 'visit.dispatch', id, { technician_id: option.technician_id });
    await crew.does(sent, 'visit.accept', id);
    assert.equal((await miss(id)).code, 'superseded');
    await timeIsOver(id);
    assert.equal((await miss(id)).body.ticket.state, 'READY_TO_SCHEDULE');
    assert.deepEqual(await book.takenFor(id), []);
    await cancel(id);
  });

  test('an offer that nobody takes is shown to a person, once, and ends with its time', async () => {
    verifies('R.3', 'A.3d');
    const { id, option } = await agreed();
    await crew.does(crew.dana, 'visit.dispatch', id, { technician_id: option.technician_id });
    const escalate = () => wire.command(alone('worker'), 'visit.escalate', id, {});
    const shown = async () => {
      const { attention } = (await wire.read(crew.dana, '/v1/attention')).body;
      return attention.filter((a: { kind: string; ticket_id: string }) => a.ticket_id === id);
    };
    assert.deepEqual([(await escalate()).code, (await miss(id)).code], ['superseded', 'superseded']);
    await world.admin.query(`begin; set local session_replication_role = replica;
      update dispatch.visits set answer_by = now() - interval '1 second' where ticket_id = '${id}'; commit`);
    // Two workers at the same moment: one task.
    const both = await Promise.all([escalate(), escalate()]);
    assert.deepEqual(both.map(({ code }) => code).sort(), ['ok', 'superseded']);
    assert.deepEqual(
      (await shown()).map((a: { kind: string }) => a.kind),
      ['offer_unanswered'],
    );
    assert.equal((await escalate()).code, 'superseded');
    // Offered to somebody else: the other offer has a time of its own, and nothing waits.
    const other = Object.values(world.tenant.technicians).find((t) => t !== option.technician_id);
    await crew.does(crew.dana, 'visit.reassign', id, { technician_id: other });
    assert.ok((await shown()).every((a: { kind: string }) => a.kind !== 'offer_unanswered'));
    assert.equal((await escalate()).code, 'superseded');
    await timeIsOver(id);
    assert.equal((await miss(id)).body.ticket.state, 'READY_TO_SCHEDULE');
    assert.deepEqual(
      (await book.rowsOf('select state from dispatch.visits where ticket_id = $1', id)).map((v) => v.state),
      ['CANCELLED', 'CANCELLED'],
    );
    assert.deepEqual(await book.takenFor(id), []);
    assert.equal((await escalate()).code, 'invalid_state');
    await cancel(id);
  });
});

describe('many at once', () => {
  const tally = (answers: readonly WireAnswer[]) => {
    const seen: Record<string, number> = {};
    for (const { code } of answers) seen[code] = (seen[code] ?? 0) + 1;
    return seen;
  };
  const noTwoPlaces = async () =>
    assert.deepEqual(
      await book.rowsOf(`select a.id from dispatch.bookings a join dispatch.bookings b
        on b.technician_id = a.technician_id and b.id <> a.id and a.starts_at < b.ends_at and b.starts_at < a.ends_at`),
      [],
    );

  test('mistakes 11 and 31: fifty confirmations of one offer agree one time, and fifty dispatches make one visit', async () => {
    guardsAgainst(11);
    guardsAgainst(31);
    verifies('R.2', 'T4.7');
    const id = await ready();
    await crew.does(crew.dana, 'schedule.propose', id);
    const { options } = await optionsOf(crew.dana, id);
    const confirmed = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        wire.command(crew.dana, 'schedule.confirm', id, { option_id: options[i % 3].id }),
      ),
    );
    assert.equal(tally(confirmed).ok, 1, JSON.stringify(tally(confirmed)));
    assert.deepEqual(await book.takenFor(id), [{ visit: false, firm: true }]);
    const technicians = Object.values(world.tenant.technicians);
    const dispatched = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        wire.command(crew.dana, 'visit.dispatch', id, { technician_id: technicians[i % 2] }),
      ),
    );
    assert.equal(tally(dispatched).ok, 1, JSON.stringify(tally(dispatched)));
    assert.deepEqual(await book.takenFor(id), [{ visit: true, firm: true }]);
    await noTwoPlaces();
    await cancel(id);
  });

  test('twelve jobs are offered times at once: nobody is held twice, and every offer that was made is kept', async () => {
    guardsAgainst(11);
    verifies('R.2', 'T4.7');
    const ids = await Promise.all(Array.from({ length: 12 }, ready));
    const offered = await Promise.all(ids.map((id) => wire.command(crew.dana, 'schedule.propose', id, {})));
    const seen = tally(offered);
    assert.equal(
      (seen.ok ?? 0) + (seen.double_booking ?? 0) + (seen.version_conflict ?? 0),
      12,
      JSON.stringify(seen),
    );
    assert.ok((seen.ok ?? 0) > 0);
    await noTwoPlaces();
    const held = ids.filter((_, i) => offered[i]?.code === 'ok');
    const confirmed = await Promise.all(
      held.map(async (id) => {
        const { options } = await optionsOf(crew.dana, id);
        return wire.command(crew.dana, 'schedule.confirm', id, { option_id: options.at(-1).id });
      }),
    );
    assert.deepEqual(tally(confirmed), { ok: held.length });
    for (const id of held) assert.deepEqual(await book.takenFor(id), [{ visit: false, firm: true }]);
    await noTwoPlaces();
    await Promise.all(ids.map(cancel));
  });
});

describe('somebody else', () => {
  test('gets the visit in one change, and who declines leaves the promise standing', async () => {
    verifies('A.3d', 'R.2');
    const { id, option } = await agreed();
    const { tom, tess: tessId } = world.tenant.technicians;
    const [firstId, secondId] = option.technician_id === tom ? [tom, tessId] : [tessId, tom];
    const second = secondId === tom ? crew.tom : tess;
    await crew.does(crew.dana, 'visit.dispatch', id, { technician_id: firstId });
    await crew.does(crew.dana, 'visit.reassign', id, { technician_id: secondId });
    const visits = await book.rowsOf(
      'select state, technician_id from dispatch.visits where ticket_id = $1 order by state',
      id,
    );
    assert.deepEqual(visits, [
      { state: 'CANCELLED', technician_id: firstId },
      { state: 'OFFERED', technician_id: secondId },
    ]);
    assert.deepEqual(await book.takenFor(id), [{ visit: true, firm: true }]);
    const back = await crew.does(second, 'visit.decline', id, { reason: 'NOT_AVAILABLE' });
    assert.equal(back.body.ticket.state, 'SCHEDULED');
    assert.deepEqual(await book.takenFor(id), []);
    assert.equal(
      (await crew.does(crew.dana, 'visit.dispatch', id, { technician_id: firstId })).body.ticket.state,
      'DISPATCHED',
    );
    const moved = await crew.does(crew.dana, 'schedule.reschedule', id, { owner: 'PROVIDER' });
    assert.equal(moved.body.ticket.state, 'READY_TO_SCHEDULE');
    assert.deepEqual(await book.takenFor(id), []);
    await cancel(id);
  });
});
