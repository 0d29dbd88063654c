import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { type Planner, say } from './planner/planner.ts';
import { scriptedPlanner } from './planner/scripted.ts';
import { MAX_STEPS, readCode, runTurn } from './run-turn.ts';
import { createWorld } from './world.fixture.ts';

const TEXT = "front door won't lock";

function written(text: string | null = TEXT) {
  const world = createWorld();
  world.customerWrites(text);
  return world;
}

const names = (world: ReturnType<typeof written>) =>
  world.commands.map(([tool, input]) => [tool, input.phrase].filter(Boolean).join(' '));

test('a refusal is final: a person will look, and the turn ends', async () => {
  const refusals: ErrorCode[] = [
    'not_found',
    'autonomy_denied',
    'invalid_state',
    'schema_mismatch',
    'not_granted',
  ];
  for (const code of refusals) {
    const world = written();
    world.refuse = (tool) => (tool === 'ticket.triage' ? code : null);
    await runTurn(world.tools, scriptedPlanner, Date.now);
    assert.deepEqual(names(world), ['ticket.create', 'conversation.reply a_person_will_look'], code);
    assert.equal(world.asked.filter((tool) => tool === 'ticket.triage').length, 1);
  }
});

test('a turn that is refused everything ends in silence', async () => {
  for (const code of ['turn_ended', 'agent_paused', 'human_in_charge'] as const) {
    const world = written();
    world.refuse = () => code;
    assert.equal(await runTurn(world.tools, scriptedPlanner, Date.now), 0);
    assert.deepEqual(world.commands, []);
    assert.ok(world.asked.length < 10);
  }
});

test('a turn that has ended is not even looked at', async () => {
  const world = written();
  const tools = { ...world.tools, call: async () => ({ ok: false, code: 'turn_ended' }) as const };
  assert.equal(await runTurn(tools, scriptedPlanner, Date.now), 0);
});

test('an outage at any step is thrown, so that the turn is tried again', async () => {
  verifies('C.6');
  for (const code of ['unavailable', 'rate_limited', 'unauthenticated'] as const) {
    const expected = { code: code === 'rate_limited' ? code : 'unavailable' };
    for (const at of [
      'conversation.get',
      'ticket.get',
      'ticket.create',
      'ticket.triage',
      'conversation.reply',
    ]) {
      const world = written();
      const tools = {
        ...world.tools,
        call: async (name: string, input: Readonly<Record<string, unknown>>) =>
          name === at ? ({ ok: false, code } as const) : world.tools.call(name, input),
      };
      await assert.rejects(runTurn(tools, scriptedPlanner, Date.now), expected, `${code} at ${at}`);
    }
  }
});

test('somebody else was faster: it looks again', async () => {
  const world = written();
  let conflicts = 1;
  world.refuse = (tool) => (tool === 'ticket.triage' && conflicts-- > 0 ? 'version_conflict' : null);
  await runTurn(world.tools, scriptedPlanner, Date.now);
  assert.deepEqual(names(world), [
    'ticket.create',
    'ticket.triage',
    'conversation.reply ask_intake_questions',
  ]);
});

test('a planner that never ends is ended', async () => {
  verifies('T1.8');
  const endless: Planner = { next: async () => say('thanks_noted') };
  const world = written();
  assert.equal(await runTurn(world.tools, endless, Date.now), MAX_STEPS);
  const slow = written();
  const clock = { now: 0 };
  slow.before = () => {
    clock.now += 3_000;
  };
  await assert.rejects(
    runTurn(slow.tools, endless, () => clock.now),
    { code: 'unavailable' },
  );
  assert.equal(slow.commands.length, 5);
  const conflicting = written();
  conflicting.refuse = () => 'version_conflict';
  assert.equal(await runTurn(conflicting.tools, endless, Date.now), 0);
});

test('answers of a strange shape are no reason to act', async () => {
  verifies('C.0');
  const odd = [
    {},
    { entries: 'none' },
    { entries: [null, 7, [], { direction: 'IN', mask_state: 'RELEASED' }] },
  ];
  for (const value of odd) {
    const world = createWorld();
    const tools = {
      ...world.tools,
      call: async (name: string, input: Readonly<Record<string, unknown>>) =>
        name === 'conversation.get' ? ({ ok: true, value } as const) : world.tools.call(name, input),
    };
    await runTurn(tools, scriptedPlanner, Date.now);
    assert.ok(
      names(world).every((line) => line === 'conversation.reply a_person_will_look'),
      JSON.stringify(value),
    );
  }
});

test('a code that nobody knows is an outage', () => {
  assert.equal(readCode('not_found'), 'not_found');
  for (const value of ['constructor', '', null, 7, {}]) assert.equal(readCode(value), 'unavailable');
});
