import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld } from '../../support/dispatch-api.ts';
import { CANNOT_SECURE, type Crew, createCrew } from '../../support/job.ts';
import { REFUSAL_WRITES, storedEvents, tableState } from '../../support/table-state.ts';
import { type Actor, agent, createWire, type Wire } from '../../support/wire.ts';

/** A hijacked agent with all its credentials, and what its turn is good for. */
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

async function refusedWithoutEffect(actor: Actor, command: string, id: string | null, input: unknown) {
  const before = await tableState(world.admin, ...REFUSAL_WRITES);
  const answer = await wire.command(actor, command, id, input);
  assert.notEqual(answer.status, 200, command);
  assert.deepEqual(await tableState(world.admin, ...REFUSAL_WRITES), before);
  return answer.code;
}

describe('a turn', () => {
  test('is good for its own conversation and the ticket it made', async () => {
    verifies('T1.7', 'T1.9', 'A.3b');
    const { maria, sam } = world.tenant.contacts;
    const turn = await crew.writes(maria);
    const other = await crew.writes(sam);
    const mine = crew.agentOf(turn);
    const dispatchers = await crew.emergency();

    assert.equal(await refusedWithoutEffect(mine, 'ticket.triage', dispatchers, CANNOT_SECURE), 'not_found');
    const made = await crew.does(mine, 'ticket.create', null);
    const theirs = await crew.does(crew.agentOf(other), 'ticket.create', null);
    const ticketId = made.body.ticket.id;
    // What it may ask of a type is told with the ticket: the version in force.
    const shown = await wire.read(mine, `/v1/tickets/${ticketId}`);
    assert.equal(shown.body.incident_types.DOOR_CANNOT_SECURE, 2);
    assert.equal((await wire.read(crew.dana, `/v1/tickets/${ticketId}`)).body.incident_types, undefined);
    const foreign: readonly (readonly [Actor, string, string | null, unknown])[] = [
      [mine, 'ticket.triage', theirs.body.ticket.id, CANNOT_SECURE],
      [mine, 'ticket.triage', dispatchers, CANNOT_SECURE],
      [mine, 'ticket.triage', randomUUID(), CANNOT_SECURE],
      [agent({ ...turn, conversationId: other.conversationId }), 'ticket.triage', ticketId, CANNOT_SECURE],
      [agent({ ...turn, conversationId: randomUUID() }), 'ticket.triage', ticketId, CANNOT_SECURE],
      [agent({ ...turn, contactId: sam }), 'ticket.triage', ticketId, CANNOT_SECURE],
      [agent({ ...turn, id: other.id }), 'ticket.triage', ticketId, CANNOT_SECURE],
      [agent({ ...turn, id: randomUUID() }), 'ticket.triage', ticketId, CANNOT_SECURE],
      [agent(turn, { tctx: { correlation_id: randomUUID() } }), 'ticket.triage', ticketId, CANNOT_SECURE],
      [
        agent(turn, {
          tctx: {
            correlation_id: randomUUID(),
            conversation_id: turn.conversationId,
            ticket_id: dispatchers,
          },
        }),
        'ticket.triage',
        ticketId,
        CANNOT_SECURE,
      ],
    ];
    for (const [actor, command, id, input] of foreign) {
      assert.equal(await refusedWithoutEffect(actor, command, id, input), 'not_found');
    }
    for (const role of ['agent.scheduling', 'agent.liaison', 'agent.closeout']) {
      const posing = agent(turn, { act: { role, turn: turn.id } });
      assert.equal(
        await refusedWithoutEffect(posing, 'ticket.triage', ticketId, CANNOT_SECURE),
        'not_granted',
      );
    }
    assert.equal((await wire.command(mine, 'ticket.triage', ticketId, CANNOT_SECURE)).status, 200);
  });

  test('types no amount, priority, recipient or identity', async () => {
    verifies('T1.5', 'T1.7', 'I.2');
    const turn = await crew.writes(world.tenant.contacts.maria);
    const mine = crew.agentOf(turn);
    const { ticket } = (await crew.does(mine, 'ticket.create', null)).body;
    const more = [
      { nte_cents: 1_000_000 },
      { priority: 'ROUTINE' },
      { contact_id: world.tenant.contacts.alan },
      { actor: `staff:${world.tenant.staff.dana}` },
      { reason: { text_id: randomUUID(), commitment: 'c'.repeat(43) } },
    ];
    for (const extra of more) {
      const code = await refusedWithoutEffect(mine, 'ticket.triage', ticket.id, {
        ...CANNOT_SECURE,
        ...extra,
      });
      assert.ok(code === 'schema_mismatch' || code === 'invalid_state', code);
    }
  });

  test('shows its own conversation, ticket and tools, and nothing of others', async () => {
    verifies('T1.1', 'T1.9', 'T5.6');
    const { maria, sam } = world.tenant.contacts;
    const turn = await crew.writes(maria);
    const other = await crew.writes(sam);
    const mine = crew.agentOf(turn);
    const tools = await wire.read(mine, '/v1/turn');
    assert.equal(tools.body.turn.id, turn.id);
    assert.ok(tools.body.tools.length > 0);
    for (const tool of tools.body.tools) assert.match(tool, /^(conversation\.reply|ticket\.\w+)$/);
    const words = await wire.read(mine, `/v1/conversations/${turn.conversationId}`);
    assert.equal(words.status, 200);
    assert.equal((await wire.read(mine, `/v1/conversations/${other.conversationId}`)).code, 'not_found');
    assert.equal((await wire.read(mine, `/v1/tickets/${await crew.ticket()}`)).code, 'not_found');
    assert.equal(
      (await wire.read(agent({ ...turn, contactId: sam }), `/v1/conversations/${turn.conversationId}`)).code,
      'turn_ended',
    );
  });

  test('ends with the next message, with its time, and stays ended', async () => {
    verifies('T1.9');
    const { sam } = world.tenant.contacts;
    const first = await crew.writes(sam);
    const early = crew.agentOf(first);
    assert.equal(
      (await wire.command(early, 'conversation.reply', null, { phrase: 'thanks_noted' })).status,
      200,
    );
    const second = await crew.writes(sam);
    assert.equal(second.conversationId, first.conversationId);
    const reply = { phrase: 'thanks_noted' };
    assert.equal(await refusedWithoutEffect(early, 'conversation.reply', null, reply), 'turn_ended');
    assert.equal((await wire.read(early, `/v1/conversations/${first.conversationId}`)).code, 'turn_ended');
    assert.deepEqual((await wire.read(early, '/v1/turn')).body.tools ?? [], []);
    const late = crew.agentOf(second);
    assert.equal((await wire.command(late, 'conversation.reply', null, reply)).status, 200);
    await world.admin.query(
      `update dispatch.turns set expires_at = opened_at + interval '1 millisecond' where id = $1`,
      [second.id],
    );
    assert.equal(await refusedWithoutEffect(late, 'conversation.reply', null, reply), 'turn_ended');
  });
});

describe('the stop switch', () => {
  test('stops agents within its scope at once, and no person', async () => {
    verifies('T1.7', 'T1.9', 'A.5', 'F.6');
    const turn = await crew.writes(world.tenant.contacts.maria);
    const mine = crew.agentOf(turn);
    const { ticket } = (await crew.does(mine, 'ticket.create', null)).body;
    const { rows } = await world.admin.query('select state from dispatch.tickets where id = $1', [ticket.id]);
    const [command, input] =
      rows[0].state === 'NEW' ? (['ticket.triage', CANNOT_SECURE] as const) : (['ticket.ready', {}] as const);
    for (const scope of [
      { scope: 'ticket', scope_id: ticket.id },
      { scope: 'account', scope_id: world.tenant.accountId },
      { scope: 'tenant' },
    ]) {
      await crew.does(crew.dana, 'autonomy.pause', null, scope);
      assert.equal(await refusedWithoutEffect(mine, command, ticket.id, input), 'agent_paused');
      const events = await storedEvents(world.admin, world.tenant.tenantId);
      assert.deepEqual(events.at(-1)?.body.policy_ids, ['forbid.agent_paused']);
      assert.deepEqual((await wire.read(mine, '/v1/turn')).body.tools, []);
      assert.equal((await wire.command(crew.dana, 'autonomy.resume', null, scope)).code, 'not_granted');
      await crew.does(crew.dana, 'ticket.create', null, { site_id: world.tenant.siteId });
      await crew.does(crew.sue, 'autonomy.resume', null, scope);
    }
    assert.equal(
      (await wire.command(mine, 'conversation.reply', null, { phrase: 'thanks_noted' })).status,
      200,
    );
  });

  test('of another ticket, account or tenant is unknown', async () => {
    verifies('A.3b');
    const other = await world.addTenant();
    for (const scope of [
      { scope: 'account', scope_id: other.accountId },
      { scope: 'tenant', scope_id: other.tenantId },
      { scope: 'ticket', scope_id: randomUUID() },
    ]) {
      assert.equal(await refusedWithoutEffect(crew.dana, 'autonomy.pause', null, scope), 'not_found');
    }
    assert.equal(
      await refusedWithoutEffect(crew.dana, 'autonomy.pause', null, { scope: 'account' }),
      'schema_mismatch',
    );
  });
});
