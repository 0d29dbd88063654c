import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { verifyGrant, withoutEnd } from '@deadlatch/signing';
import { verifies } from '../../requirements.ts';
import { type DispatchWorld, ENVIRONMENT } from '../../support/dispatch-api.ts';
import { CANNOT_SECURE, type Crew, createCrew, words } from '../../support/job.ts';
import { type StoredEvent, storedEvents } from '../../support/table-state.ts';
import { alone, createWire, person, stepUp, type Wire } from '../../support/wire.ts';
import { createWitnessedWorld } from '../../support/witnessed-world.ts';

/** One ticket from the first word to the end, over HTTP, and what it leaves behind. */
let world: DispatchWorld;
let wire: Wire;
let crew: Crew;
let ticketId: string;
let correlationId: string;
before(async () => {
  world = await createWitnessedWorld();
  wire = createWire(world, (await world.start()).port);
  crew = createCrew(world, wire);
});
after(() => world.close());

const stateOf = async () => (await wire.read(crew.dana, `/v1/tickets/${ticketId}`)).body.ticket;

describe('one ticket', () => {
  test('goes from the first word to CLOSED', async () => {
    verifies('T2.2', 'T3.4', 'A.3d');
    const { does, tom, dana, quinn, fay } = crew;
    const turn = await crew.writes(world.tenant.contacts.maria);
    correlationId = turn.correlationId;
    const agent = crew.agentOf(turn);
    const created = await does(agent, 'ticket.create', null);
    ticketId = created.body.ticket.id;
    assert.equal(created.body.ticket.state, 'NEW');
    await does(agent, 'ticket.triage', ticketId, CANNOT_SECURE);
    assert.deepEqual([(await stateOf()).state, (await stateOf()).nte_cents], ['TRIAGED', 75_000]);
    await crew.started(ticketId);

    const question = await crew.asksForMoney(ticketId, 20_000);
    assert.deepEqual([(await stateOf()).state, (await stateOf()).nte_cents], ['APPROVAL_REQUIRED', 75_000]);
    await does(stepUp(world.tenant.contacts.alan, question.digest), 'approval.decide', question.approvalId, {
      decision: 'APPROVE',
      action_digest: question.digest,
    });
    assert.deepEqual([(await stateOf()).state, (await stateOf()).nte_cents], ['IN_PROGRESS', 95_000]);

    await does(tom, 'part.record', ticketId, { part_number: 'L-9080', quantity: 1, unit_cents: 20_000 });
    await does(tom, 'time.record', ticketId, { minutes: 60 });
    const early = await wire.command(tom, 'tech.complete', ticketId, completion());
    assert.deepEqual([early.status, early.code], [422, 'evidence_missing']);
    await crew.photo(tom, ticketId, 'photo.after.secured_outside');
    await crew.photo(tom, ticketId, 'photo.after.secured_inside');
    await does(tom, 'test.record', ticketId, { test: 'lock_unlock_x5', passed: true, value: 5 });
    await does(tom, 'test.record', ticketId, { test: 'egress_opens', passed: true });
    await does(tom, 'tech.complete', ticketId, completion());

    assert.equal(
      (await wire.command(dana, 'qa.verify', ticketId, { result: 'PASS' })).code,
      'separation_of_duty',
    );
    await does(quinn, 'qa.verify', ticketId, { result: 'PASS' });
    const billed = await does(fay, 'billing.generate_invoice', ticketId);
    assert.equal(billed.body.result.total_cents, 20_000 + 9_000 + 7_500);
    await does(fay, 'billing.issue', ticketId);
    assert.equal((await wire.command(fay, 'ticket.close', ticketId, {})).code, 'invalid_state');
    await does(fay, 'payment.record', ticketId, { amount_cents: 36_500, method: 'ACH' });
    await does(fay, 'ticket.close', ticketId);
    assert.equal((await stateOf()).state, 'CLOSED');
  });

  test('nothing can be done to it afterwards', async () => {
    verifies('A.3d', 'C.3');
    for (const [actor, command, input] of [
      [crew.dana, 'ticket.cancel', { reason: 'OTHER' }],
      [crew.dana, 'ticket.triage', CANNOT_SECURE],
      [crew.fay, 'ticket.close', {}],
    ] as const) {
      const answer = await wire.command(actor, command, ticketId, input);
      assert.deepEqual(
        [answer.status, answer.code, answer.body.from_state],
        [409, 'invalid_state', 'CLOSED'],
      );
    }
  });

  test('every decision names the policies that made it', async () => {
    verifies('A.5', 'F.1', 'F.6');
    const events = await storedEvents(world.admin, world.tenant.tenantId);
    const accepted = events.filter((e) => e.decision === 'accepted');
    assert.ok(accepted.length >= 25);
    for (const { command, body } of accepted) {
      assert.ok(body.policy_ids.length > 0, command);
      assert.ok(
        body.policy_ids.every((id: string) => id.startsWith('permit.')),
        command,
      );
      assert.match(body.policy_bundle, /^[A-Za-z0-9_-]{43}$/);
    }
    const denied = events.find((e) => e.body.code === 'separation_of_duty');
    assert.deepEqual(denied?.body.policy_ids, ['forbid.own_judgement']);
    const bundles = new Set(events.map((e) => e.body.policy_bundle));
    assert.equal(bundles.size, 1);
  });

  test('one correlation id runs from the inbound message to the change and on to the delivery', async () => {
    verifies('F.2');
    const { rows } = await world.admin.query<{ id: string }>(
      `select id from dispatch.messages where template = 'M01' and ticket_id = $1`,
      [ticketId],
    );
    const id = rows[0]?.id ?? '';
    await crew.does(alone('gateway'), 'message.report_delivery', id, {
      status: 'sent',
      provider_id: 'SMout1',
    });
    await crew.does(alone('gateway'), 'message.report_delivery', id, {
      status: 'delivered',
      provider_id: 'SMout1',
    });
    const chain = (await storedEvents(world.admin, world.tenant.tenantId)).filter(
      (e) => e.correlation_id === correlationId,
    );
    assert.deepEqual(
      chain.map((e) => e.command),
      [
        'message.receive',
        'ticket.create',
        'ticket.triage',
        'message.report_delivery',
        'message.report_delivery',
      ],
    );
    assert.ok(chain.every((e) => e.body.correlation_id === correlationId));
    const other = await storedEvents(world.admin, world.tenant.tenantId);
    assert.ok(
      other.some((e) => e.command === 'tech.start' && e.correlation_id !== correlationId),
      'what somebody else began has a chain of its own',
    );
  });

  test('every claim maps to exactly one event of the same correlation, with its state and values', async () => {
    verifies('T2.1', 'T2.3');
    const { rows: messages } = await world.admin.query(
      `select m.*, array(select o.event_id from dispatch.outbox o where o.ref_id = m.id) as event_ids
         from dispatch.messages m where m.direction = 'OUT' order by m.created_at`,
    );
    assert.deepEqual(
      messages.map((m) => m.template),
      ['M01', 'M04', 'M06', 'M10', 'M11', 'M12', 'M15', 'M17'],
    );
    const events = new Map((await storedEvents(world.admin, world.tenant.tenantId)).map((e) => [e.id, e]));
    for (const message of messages) {
      assert.equal(message.event_ids.length, 1, message.template);
      const event = events.get(message.event_ids[0]) as StoredEvent;
      assert.equal(event.decision, 'accepted');
      assert.equal(event.correlation_id, message.correlation_id);
      assert.equal(event.ticket_id, message.ticket_id);
      assertBacked(message, event);
    }
  });

  test('what is over is not sent any more', async () => {
    verifies('T2.6');
    const { rows } = await world.admin.query<{ id: string; template: string }>(
      `select id, template from dispatch.messages where direction = 'OUT' and state = 'QUEUED'`,
    );
    const now = await Promise.all(
      rows.map(async ({ id, template }) => {
        const { status, code, body } = await wire.read(alone('gateway'), `/v1/messages/${id}/rendered`);
        // Also a text about an approval leads its reader to the ticket's own page.
        if (status === 200) assert.match(body.text, /\/s\/[0-9a-f]{34}( |$)/, template);
        return [template, status === 200 ? 'sent' : code];
      }),
    );
    assert.deepEqual(Object.fromEntries(now), {
      M04: 'sent',
      M06: 'superseded',
      M10: 'superseded',
      M11: 'superseded',
      M12: 'sent',
      M15: 'sent',
      M17: 'sent',
    });
  });

  test('whoever has the link sees the authoritative state, and may not act on it', async () => {
    verifies('T2.5', 'T3.12', 'T5.6');
    const { rows } = await world.admin.query<{ id: string; correlation_id: string }>(
      `select id, correlation_id from dispatch.messages where template = 'M17' and ticket_id = $1`,
      [ticketId],
    );
    const rendered = await wire.read(alone('gateway'), `/v1/messages/${rows[0]?.id}/rendered`);
    const grant = verifyGrant('reveal', rendered.body.reveal_grant, {
      keys: [withoutEnd(world.grantKey)],
      audience: `spiffe://${ENVIRONMENT}.deadlatch/vault`,
      now: Date.now(),
    });
    assert.deepEqual(
      [grant.contact, grant.fields, grant.holder, grant.correlation_id],
      [
        world.tenant.contacts.maria,
        ['phone'],
        `spiffe://${ENVIRONMENT}.deadlatch/gateway`,
        rows[0]?.correlation_id,
      ],
    );
    const secret = /\/s\/([A-Za-z0-9_-]+)/.exec(rendered.body.text)?.[1] ?? '';
    const page = await wire.read(alone('web'), `/v1/links/${secret}`);
    assert.deepEqual([page.body.ticket.state, page.body.waived], ['CLOSED', []]);
    assert.deepEqual(Object.keys(page.body.ticket).sort(), [
      'priority',
      'reference',
      'reported_at',
      'site_label',
      'state',
      'updated_at',
    ]);
    assert.equal((await wire.read(alone('identity'), `/v1/step-ups/${secret}`)).code, 'not_found');
    for (const other of ['gateway', 'identity', 'cli', 'worker'] as const) {
      assert.equal((await wire.read(alone(other), `/v1/links/${secret}`)).status, 403, other);
    }
    const changed = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`;
    assert.equal((await wire.read(alone('web'), `/v1/links/${changed}`)).code, 'not_found');
  });

  test('who may see it sees it in list and alone, and nobody else in either', async () => {
    verifies('A.3b', 'T5.6');
    const { contacts, staff, technicians } = world.tenant;
    const seen = async (actor: Parameters<Wire['read']>[0]) => {
      const list = await wire.read(actor, '/v1/tickets?state=CLOSED');
      const one = await wire.read(actor, `/v1/tickets/${ticketId}`);
      const inList = list.status === 200 && list.body.tickets.some((t: { id: string }) => t.id === ticketId);
      assert.equal(inList, one.status === 200, 'list and single read agree');
      return inList;
    };
    for (const actor of [
      ...[staff.dana, staff.sue, staff.quinn, staff.fay, staff.otto].map((id) => person('staff', id)),
      person('technician', technicians.tom),
      person('contact', contacts.maria),
      person('contact', contacts.alan),
    ]) {
      assert.equal(await seen(actor), true);
    }
    for (const actor of [
      person('staff', staff.adam),
      person('technician', technicians.tess),
      person('contact', contacts.sam),
      person('contact', contacts.stranger),
      person('technician', staff.dana),
      person('staff', contacts.maria),
    ]) {
      assert.equal(await seen(actor), false);
    }
  });
});

const ticketAt = async (id: string) => (await wire.read(crew.dana, `/v1/tickets/${id}`)).body;
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

/** Everything that the lock type asks for, and the work handed in. */
async function handIn(id: string): Promise<void> {
  const { does, tom, photo } = crew;
  await does(tom, 'time.record', id, { minutes: 60 });
  await photo(tom, id, 'photo.after.secured_outside');
  await photo(tom, id, 'photo.after.secured_inside');
  await does(tom, 'test.record', id, { test: 'lock_unlock_x5', passed: true, value: 5 });
  await does(tom, 'test.record', id, { test: 'egress_opens', passed: true });
  await does(tom, 'tech.complete', id, completion());
}

describe('around the straight road', () => {
  test('a repair that did not last is a recall with a limit of zero, and what is over stays as it is', async () => {
    verifies('A.3b', 'C.3');
    const before = (await ticketAt(ticketId)).ticket;
    const reason = { reason: words() };
    const sam = person('contact', world.tenant.contacts.sam);
    assert.equal((await wire.command(sam, 'ticket.reopen', ticketId, reason)).code, 'not_found');
    assert.equal((await wire.command(crew.tom, 'ticket.reopen', ticketId, reason)).code, 'not_granted');
    const { body } = await crew.does(crew.maria, 'ticket.reopen', ticketId, reason);
    const recallId = body.result.ticket_id;
    const triaged = await crew.does(crew.dana, 'ticket.triage', recallId, CANNOT_SECURE);
    assert.deepEqual([triaged.body.ticket.state, triaged.body.ticket.nte_cents], ['TRIAGED', 0]);
    const after = await ticketAt(ticketId);
    assert.deepEqual(after.ticket, before);
    assert.deepEqual(
      after.linked.map((l: { id: string; relation: string }) => [l.id, l.relation]),
      [[recallId, 'RECALL']],
    );
    assert.equal((await wire.command(crew.dana, 'ticket.reopen', recallId, reason)).code, 'invalid_state');
    await crew.does(crew.dana, 'ticket.cancel', recallId, { reason: 'OTHER' });
  });

  test('who leaves says why, and that decides the ticket', async () => {
    verifies('A.3d', 'T3.4');
    const { does, tom, dana } = crew;
    const id = await crew.started();
    const leaves = (input: object, of = id) => wire.command(tom, 'tech.check_out', of, input);
    assert.equal((await leaves({ outcome: 'COMPLETE' })).code, 'invalid_state');
    assert.equal((await leaves({ outcome: 'WAITING_APPROVAL' })).code, 'invalid_state');
    assert.equal((await leaves({ outcome: 'PARTS' })).code, 'schema_mismatch');
    assert.equal((await leaves({ outcome: 'PARTS', hold_until: inAnHour() })).body.ticket.state, 'ON_HOLD');
    assert.equal((await leaves({ outcome: 'RETURN_TRIP' })).code, 'not_found', 'nobody is on the job');
    assert.equal((await does(dana, 'ticket.resume', id)).body.ticket.state, 'READY_TO_SCHEDULE');

    const asking = await crew.started();
    const question = await crew.asksForMoney(asking, 20_000);
    assert.equal((await leaves({ outcome: 'WAITING_APPROVAL' }, asking)).body.ticket.state, 'ON_HOLD');
    assert.equal((await wire.command(dana, 'ticket.resume', asking, {})).code, 'invalid_state');
    await does(stepUp(world.tenant.contacts.alan, question.digest), 'approval.decide', question.approvalId, {
      decision: 'APPROVE',
      action_digest: question.digest,
    });
    const decided = (await ticketAt(asking)).ticket;
    assert.deepEqual([decided.state, decided.nte_cents], ['READY_TO_SCHEDULE', 95_000]);
  });

  test('a technician who has left still answers for the work, and a contested invoice is issued again', async () => {
    verifies('A.3b');
    const { does, dana, quinn, fay, tom, maria } = crew;
    const made = await does(
      crew.agentOf(await crew.writes(world.tenant.contacts.maria)),
      'ticket.create',
      null,
    );
    const id = made.body.ticket.id;
    await does(dana, 'ticket.triage', id, CANNOT_SECURE);
    await crew.started(id);
    await handIn(id);
    await does(tom, 'tech.check_out', id, { outcome: 'COMPLETE' });
    await does(quinn, 'qa.verify', id, { result: 'FAIL', wanting: ['work'] });
    await does(tom, 'remedy.submit', id, { remedies: [{ key: 'work' }] });
    await does(quinn, 'qa.verify', id, { result: 'PASS' });

    await does(fay, 'billing.generate_invoice', id);
    const reason = { reason: words() };
    assert.equal((await wire.command(maria, 'billing.dispute', id, reason)).code, 'invalid_state');
    await does(fay, 'billing.issue', id);
    await does(maria, 'billing.dispute', id, reason);
    const total = (await ticketAt(id)).invoice.total_cents;
    const paid = await wire.command(fay, 'payment.record', id, { amount_cents: total, method: 'ACH' });
    assert.deepEqual([paid.code, paid.body.from_state], ['invalid_state', 'DISPUTED']);
    for (const actor of [fay, crew.sue]) {
      assert.equal((await wire.command(actor, 'billing.void', id, reason)).code, 'assurance_required');
    }
    await does(fay, 'billing.issue', id);
    assert.equal((await ticketAt(id)).invoice.state, 'ISSUED');
  });

  test('a duplicate ends in the ticket that goes on, which shows what came in with it', async () => {
    verifies('T5.6');
    const { does, dana } = crew;
    const survivor = await crew.emergency();
    const duplicate = await crew.ticket();
    const photo = await crew.photo(dana, duplicate, 'photo.before.opening');
    const elsewhere = await crew.ticket();
    await does(dana, 'ticket.triage', elsewhere, { type: 'DOOR_WONT_LATCH', answers: [] });
    const link = (id: string, survivorId: string) =>
      wire.command(dana, 'ticket.link_duplicate', id, { survivor_id: survivorId });
    assert.equal((await link(elsewhere, survivor)).code, 'not_found', 'of another type');
    assert.equal((await link(duplicate, duplicate)).code, 'not_found', 'itself');
    assert.equal((await link(duplicate, ticketId)).code, 'not_found', 'over');
    assert.equal((await link(duplicate, survivor)).body.ticket.state, 'CANCELLED');
    const { evidence } = (await wire.read(dana, `/v1/tickets/${survivor}/evidence`)).body;
    assert.deepEqual(
      evidence.map((item: { id: string }) => item.id),
      [photo],
    );
    assert.equal((await ticketAt(duplicate)).ticket.duplicate_of, survivor);
  });
});

const completion = () => ({
  outcome: 'RESOLVED',
  work_note: words(),
  signature: { kind: 'signed', text: words() },
});

/** What the text says is in the event that made it. */
function assertBacked(
  // biome-ignore lint/suspicious/noExplicitAny: a stored row, looked at from outside
  message: any,
  event: StoredEvent,
): void {
  const { claim, slots, template } = message;
  const effects = event.body.effects as { object: string; id: string; after_state: string }[];
  const asserted = effects.find((e) =>
    claim.kind === 'approval_state'
      ? e.object === 'approval' && e.id === claim.approval_id
      : e.object === 'ticket',
  );
  const states = claim.kind === 'approval_state' ? [claim.state] : claim.states;
  assert.ok(states.includes(asserted?.after_state), `${template}: ${asserted?.after_state}`);
  for (const name of ['amount_cents', 'new_nte_cents', 'total_cents', 'nte_cents', 'priority', 'outcome']) {
    if (Object.hasOwn(slots, name))
      assert.equal(event.body.details[name], slots[name], `${template} ${name}`);
  }
  if (Object.hasOwn(slots, 'state')) assert.equal(slots.state, asserted?.after_state);
}
