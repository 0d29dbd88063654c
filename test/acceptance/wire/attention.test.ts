import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld } from '../../support/dispatch-api.ts';
import { CANNOT_SECURE, type Crew, createCrew } from '../../support/job.ts';
import { createWire, type Wire } from '../../support/wire.ts';

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
});

test('nobody but a dispatcher or supervisor is shown what waits', async () => {
  for (const actor of [crew.tom, crew.fay, crew.quinn, crew.maria]) {
    const answer = await wire.read(actor, '/v1/attention');
    assert.equal(answer.status, 403);
    assert.equal(answer.code, 'not_granted');
  }
});
