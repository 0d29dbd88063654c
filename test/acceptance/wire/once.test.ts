import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { verifies } from '../../requirements.ts';
import type { DispatchWorld, Replica } from '../../support/dispatch-api.ts';
import { CANNOT_SECURE, type Crew, createCrew, inbound } from '../../support/job.ts';
import { storedEvents, tableState } from '../../support/table-state.ts';
import {
  type Actor,
  alone,
  createWire,
  person,
  stepUp,
  type Wire,
  type WireAnswer,
} from '../../support/wire.ts';
import { createWitnessedWorld } from '../../support/witnessed-world.ts';

/** The same thing said twice, ten times, at once, and to two replicas on one database. */
let world: DispatchWorld;
let replicas: readonly Replica[];
let wires: readonly Wire[];
let wire: Wire;
let crew: Crew;

before(async () => {
  world = await createWitnessedWorld();
  replicas = await Promise.all([world.start(), world.start()]);
  wires = replicas.map((replica) => createWire(world, replica.port));
  wire = wires[0] as Wire;
  crew = createCrew(world, wire);
});
after(() => world.close());

const at = (index: number) => wires[index % wires.length] as Wire;
const site = () => ({ site_id: world.tenant.siteId });

async function count(table: string, condition = 'true'): Promise<number> {
  const { rows } = await world.admin.query(`select count(*)::int as n from ${table} where ${condition}`);
  return rows[0].n;
}

/** How often each code came back. */
function tally(answers: readonly WireAnswer[]): Record<string, number> {
  const seen: Record<string, number> = {};
  for (const { code } of answers) seen[code] = (seen[code] ?? 0) + 1;
  return seen;
}

/** Behind the commands, as only the database's superuser can: no event, no confirmation. */
async function standing(contactId: string, state: 'ACTIVE' | 'INACTIVE'): Promise<void> {
  await world.admin.query(`begin; set local session_replication_role = replica;
    update dispatch.contacts set state = '${state}', active = ${state === 'ACTIVE'} where id = '${contactId}'; commit`);
}

describe('an idempotency key', () => {
  test('with the same body answers the same again, and marks it', async () => {
    verifies('R.2', 'C.1');
    const key = randomUUID();
    const first = await wire.command(crew.dana, 'ticket.create', null, site(), { key });
    const state = await tableState(world.admin, 'dispatch.nonces');
    const again = await wire.command(crew.dana, 'ticket.create', null, site(), { key });
    const elsewhere = await at(1).command(crew.dana, 'ticket.create', null, site(), { key });
    assert.deepEqual(
      [first.body.replayed, again.body.replayed, elsewhere.body.replayed],
      [false, true, true],
    );
    for (const { body } of [again, elsewhere]) assert.deepEqual({ ...body, replayed: false }, first.body);
    assert.deepEqual(await tableState(world.admin, 'dispatch.nonces'), state);
  });

  test('with another body is refused, and changes nothing', async () => {
    verifies('R.2', 'C.0');
    const key = randomUUID();
    await wire.command(crew.dana, 'ticket.create', null, site(), { key });
    const state = await tableState(world.admin, 'dispatch.nonces', 'audit.events');
    const other = { site_id: world.tenant.otherSiteId };
    const answer = await wire.command(crew.dana, 'ticket.create', null, other, { key });
    assert.deepEqual([answer.status, answer.code], [422, 'idempotency_key_reused']);
    assert.deepEqual(await tableState(world.admin, 'dispatch.nonces', 'audit.events'), state);
  });

  test('on another ticket, by another person or through another service is another request', async () => {
    verifies('R.2');
    const key = randomUUID();
    const [a, b] = [await crew.ticket(), await crew.ticket()];
    const answers: WireAnswer[] = [];
    for (const id of [a, b]) {
      answers.push(await wire.command(crew.dana, 'ticket.triage', id, CANNOT_SECURE, { key }));
    }
    assert.deepEqual(
      answers.map(({ body }) => [body.ticket.id, body.replayed]),
      [
        [a, false],
        [b, false],
      ],
    );
    const creators: Actor[] = [crew.dana, crew.maria, person('staff', world.tenant.staff.dana, 'cli')];
    const made = await Promise.all(
      creators.map((c) => wire.command(c, 'ticket.create', null, site(), { key })),
    );
    assert.equal(new Set(made.map(({ body }) => body.ticket.id)).size, 3);
  });

  test('gives its stored answer only to whoever may still ask', async () => {
    verifies('R.2', 'A.3a');
    const key = randomUUID();
    const { sam } = world.tenant.contacts;
    const asked = person('contact', sam);
    assert.equal((await wire.command(asked, 'ticket.create', null, site(), { key })).status, 200);
    await standing(sam, 'INACTIVE');
    assert.equal((await wire.command(asked, 'ticket.create', null, site(), { key })).code, 'not_granted');
    await standing(sam, 'ACTIVE');
    assert.equal((await wire.command(asked, 'ticket.create', null, site(), { key })).body.replayed, true);
  });

  test('a request that was refused is no answer: it is decided again', async () => {
    verifies('R.2', 'F.6');
    const key = randomUUID();
    const id = await crew.ticket();
    const early = await wire.command(crew.dana, 'ticket.ready', id, {}, { key });
    assert.equal(early.code, 'invalid_state');
    await crew.does(crew.dana, 'ticket.triage', id, CANNOT_SECURE);
    const late = await wire.command(crew.dana, 'ticket.ready', id, {}, { key });
    assert.deepEqual([late.status, late.body.ticket.state], [200, 'READY_TO_SCHEDULE']);
  });

  test('ten times at once, over two replicas: one effect, one answer', async () => {
    verifies('R.2', 'T4.3');
    const key = randomUUID();
    const before = await count('dispatch.tickets');
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => at(i).command(crew.dana, 'ticket.create', null, site(), { key })),
    );
    assert.deepEqual(tally(answers), { ok: 10 });
    assert.equal(answers.filter(({ body }) => !body.replayed).length, 1);
    assert.equal(new Set(answers.map(({ body }) => body.event_id)).size, 1);
    assert.equal(await count('dispatch.tickets'), before + 1);
  });

  test('one signed request, sent ten times at once to two replicas, is one', async () => {
    verifies('T4.3');
    const sent = wire.prepare(crew.dana, 'ticket.create', null, site());
    const before = await count('dispatch.tickets');
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => at(i).send(sent)));
    assert.deepEqual(tally(answers), { ok: 1, unauthenticated: 9 });
    assert.equal(await count('dispatch.tickets'), before + 1);
  });

  test('a ticket changed by many at once takes every change, or says why not', async () => {
    verifies('R.2', 'T4.7');
    const id = await crew.started();
    const before = await count('dispatch.parts', `ticket_id = '${id}'`);
    const part = { part_number: 'L-1', quantity: 1, unit_cents: 100 };
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => at(i).command(crew.tom, 'part.record', id, part)),
    );
    const { ok = 0, version_conflict: lost = 0 } = tally(answers);
    assert.equal(ok + lost, 8);
    assert.ok(ok >= 1);
    assert.equal(await count('dispatch.parts', `ticket_id = '${id}'`), before + ok);
    const { rows } = await world.admin.query(
      `select version, (select max(version) from audit.effects e where e.object_id = t.id) as last
         from dispatch.tickets t where id = $1`,
      [id],
    );
    assert.equal(rows[0].version, rows[0].last);
    await leave(id);
  });
});

/** Frees the technician for the next case. */
async function leave(id: string): Promise<void> {
  const hold = {
    reason: 'NO_ACCESS',
    owner: 'CUSTOMER',
    hold_until: new Date(Date.now() + 3_600_000).toISOString(),
  };
  await crew.does(crew.tom, 'ticket.hold', id, hold);
  await crew.does(crew.dana, 'ticket.resume', id, { return_trip: 'yes' });
}

describe('many at once', () => {
  test('eight identical intakes of one conversation make one ticket', async () => {
    verifies('R.2', 'T1.9');
    const turn = await crew.writes(world.tenant.contacts.maria);
    const before = await count('dispatch.tickets');
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => at(i).command(crew.agentOf(turn), 'ticket.create', null, {})),
    );
    assert.deepEqual(tally(answers), { ok: 8 });
    assert.equal(new Set(answers.map(({ body }) => body.ticket.id)).size, 1);
    assert.equal(await count('dispatch.tickets'), before + 1);
  });

  test('one message of a carrier, handed over eight times, is one message and one turn', async () => {
    verifies('R.2');
    const message = inbound(world.tenant.contacts.stranger);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => at(i).command(alone('gateway'), 'message.receive', null, message)),
    );
    assert.deepEqual(tally(answers), { ok: 8 });
    assert.equal(new Set(answers.map(({ body }) => body.result.message_id)).size, 1);
    assert.equal(await count('dispatch.messages', `provider_id = '${message.provider_id}'`), 1);
    assert.equal(await count('dispatch.turns', `subject_id = '${world.tenant.contacts.stranger}'`), 1);
  });

  test('fifty emergencies for one technician: one booking', async () => {
    verifies('R.2', 'T4.7');
    const { tess } = world.tenant.technicians;
    const ids = await Promise.all(Array.from({ length: 50 }, () => crew.emergency()));
    const input = { technician_id: tess, reason: 'CANNOT_SECURE' };
    const answers = await Promise.all(
      ids.map((id, i) => at(i).command(crew.dana, 'visit.dispatch_emergency', id, input)),
    );
    const seen = tally(answers);
    assert.equal(seen.ok, 1, JSON.stringify(seen));
    assert.equal(seen.double_booking, 49, JSON.stringify(seen));
    assert.equal(await count('dispatch.bookings', `technician_id = '${tess}'`), 1);
    assert.equal(await count('dispatch.visits', `technician_id = '${tess}'`), 1);
    assert.equal(await count('dispatch.tickets', `state = 'DISPATCHED'`), 1);
  });

  test('approving ten times at once releases the money once', async () => {
    verifies('R.2', 'T3.4', 'T3.5');
    const { alan } = world.tenant.contacts;
    const job = await crew.started();
    const { approvalId, digest } = await crew.asksForMoney(job, 20_000);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => {
        const decision = i % 3 === 2 ? 'DENY' : 'APPROVE';
        const body = { decision, action_digest: digest };
        return at(i).command(stepUp(alan, digest), 'approval.decide', approvalId, body);
      }),
    );
    const seen = tally(answers);
    assert.equal(seen.ok, 1, JSON.stringify(seen));
    assert.equal((seen.invalid_state ?? 0) + (seen.version_conflict ?? 0), 9, JSON.stringify(seen));
    const { rows } = await world.admin.query(
      `select t.nte_cents::int as nte, a.state from dispatch.tickets t
         join dispatch.approvals a on a.ticket_id = t.id where a.id = $1`,
      [approvalId],
    );
    assert.deepEqual(rows, [
      rows[0].state === 'CONSUMED' ? { nte: 95_000, state: 'CONSUMED' } : { nte: 75_000, state: 'DENIED' },
    ]);
    const decided = (await storedEvents(world.admin, world.tenant.tenantId)).filter(
      (e) => e.command === 'approval.decide' && e.decision === 'accepted',
    );
    assert.equal(decided.length, 1);
    await leave(job);
  });
});
