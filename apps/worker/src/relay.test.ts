import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { problem, until } from '../../../test/support/signed-peer.ts';
import { firstHeard, isReady, startNeighbourhood } from './worker.fixture.ts';

const OK = { status: 200, body: {} };
const idOf = (call: { body: Record<string, unknown> }) => String(call.body.message_id);

test('two workers: one leads, every row is relayed once, in the order of its conversation', async (t) => {
  verifies('R.1', 'R.2');
  const n = await startNeighbourhood(t);
  const conversations = [randomUUID(), randomUUID(), randomUUID()];
  const before = await Promise.all(conversations.map((id) => n.sendMessages(id, 4)));
  const workers = await Promise.all([n.start(), n.start()]);
  const after = await Promise.all(conversations.map((id) => n.sendMessages(id, 4)));
  const turns = await Promise.all([n.wakeAgent(600), n.wakeAgent(600)]);
  await until(async () => n.gateway.calls.length >= 24 && n.agent.calls.length >= 2);
  await until(async () => (await n.waiting()).length === 0);
  assert.equal(n.gateway.calls.length, 24);
  assert.deepEqual(
    n.agent.calls.map((call) => call.body.turn_id).sort(),
    turns.map((turn) => turn.turn).sort(),
  );
  for (const [index, first] of before.entries()) {
    const expected = [...first, ...(after[index] ?? [])];
    assert.deepEqual(
      n.gateway.calls.map(idOf).filter((id) => expected.includes(id)),
      expected,
    );
  }
  const ready = await Promise.all(workers.map((worker) => isReady(worker.url)));
  assert.deepEqual(ready.sort(), [false, true]);

  const [leader, follower] = ready[0] ? workers : [...workers].reverse();
  await leader?.close();
  await until(() => isReady(follower?.url ?? ''));
  await n.sendMessages(randomUUID(), 1);
  await until(() => n.gateway.calls.length === 25);
});

test('an outage delays a conversation, keeps its order, and stops nobody else', async (t) => {
  verifies('R.1', 'C.6');
  const n = await startNeighbourhood(t);
  const [slow, quick] = [randomUUID(), randomUUID()];
  const late = await n.sendMessages(slow, 3);
  let refusals = 1;
  n.gateway.answer = (call) => (idOf(call) === late[0] && refusals-- > 0 ? problem(503, 'unavailable') : OK);
  const worker = await n.start();
  await until(() => n.gateway.calls.length >= 1);
  const others = await n.sendMessages(quick, 2);
  await until(() => n.gateway.calls.length >= 3);
  assert.deepEqual(n.gateway.calls.map(idOf), [late[0], ...others]);
  await until(() => n.gateway.calls.length >= 6);
  assert.deepEqual(n.gateway.calls.slice(3).map(idOf), late);
  const keys = n.gateway.calls.filter((call) => idOf(call) === late[0]).map((call) => call.idempotencyKey);
  assert.equal(keys.length, 2);
  assert.equal(new Set(keys).size, 1);
  const retries = worker.logs.map((line) => JSON.parse(line)).filter((line) => line.event === 'outbox.retry');
  assert.deepEqual(
    retries.map((line) => [line.kind, line.code, line.attempts]),
    [['message.deliver', 'unavailable', 1]],
  );
});

test('a worker that is not accepted tries again; one that is told no does not', async (t) => {
  verifies('C.6');
  const n = await startNeighbourhood(t);
  const [unknown] = await n.sendMessages(randomUUID(), 1);
  const [refusedOnce] = await n.sendMessages(randomUUID(), 1);
  let refusals = 1;
  n.gateway.answer = (call) => {
    if (idOf(call) === unknown) return problem(404, 'not_found', { detail: 'maria' });
    return refusals-- > 0 ? problem(401, 'unauthenticated') : OK;
  };
  await n.start();
  await until(async () => n.gateway.calls.length >= 3 && (await n.waiting()).length === 0);
  assert.deepEqual(n.gateway.calls.map(idOf).sort(), [unknown, refusedOnce, refusedOnce].sort());
});

test('what is kept of a failure is a code', async (t) => {
  verifies('T5.1', 'T1.3');
  const n = await startNeighbourhood(t);
  n.agent.answer = () => problem(503, 'unavailable', { detail: 'maria.lopez@example.test' });
  const { grant } = await n.wakeAgent(600);
  const worker = await n.start();
  await until(async () => (await n.waiting()).some((row) => row.last_error !== null));
  const [row] = await n.waiting();
  assert.equal(row?.last_error, 'unavailable');
  assert.deepEqual(row?.payload, { turn_grant: grant });
  n.agent.answer = () => OK;
  await until(async () => (await n.waiting()).length === 0);
  assert.doesNotMatch(worker.logs.join(''), /maria|turn_grant/);
});

test('the waking of a turn that is over ends by itself', async (t) => {
  verifies('T1.9');
  const n = await startNeighbourhood(t);
  n.agent.answer = () => problem(503, 'unavailable');
  await n.wakeAgent(600);
  const clock = { skewMs: 0 };
  await n.start(clock);
  await until(() => n.agent.calls.length === 1);
  clock.skewMs = 610_000;
  await until(async () => (await n.waiting()).length === 0);
  assert.equal(n.agent.calls.length, 1);
  const [row] = await n.settled();
  assert.deepEqual([row?.done_at, row?.last_error, row?.attempts], [null, 'turn_ended', 2]);
});

test('turns that take long do not hold up deliveries', async (t) => {
  const n = await startNeighbourhood(t);
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  n.agent.answer = async () => {
    await held;
    return OK;
  };
  for (let turn = 0; turn < 30; turn += 1) await n.wakeAgent(600);
  await n.start();
  await until(() => n.agent.calls.length === 4);
  await n.sendMessages(randomUUID(), 3);
  await until(() => n.gateway.calls.length === 3);
  assert.equal(n.agent.calls.length, 4);
  answer();
  await until(async () => (await n.waiting()).length === 0);
  assert.equal(n.agent.calls.length, 30);
});

test('a timer fires when the database says that it is due, once, whoever is running then', async (t) => {
  verifies('R.3');
  const n = await startNeighbourhood(t);
  const first = await n.start();
  await until(() => isReady(first.url));
  const due = await n.setTimer(-1_000);
  const soon = await n.setTimer(1_500);
  const far = await n.setTimer(3_600_000);
  await until(() => n.api.calls.length >= 1);
  assert.deepEqual(
    n.api.calls.map((call) => [call.path, call.body, call.token]),
    [[`/v1/approvals/${due.approval}/approval.expire`, {}, null]],
  );
  await first.close();
  await until(async () => {
    const { rows } = await n.admin.query('select due_at <= now() as due from dispatch.timers where id = $1', [
      soon.timer,
    ]);
    return rows[0]?.due === true;
  });
  assert.equal(n.api.calls.length, 1);
  let early = 1;
  n.api.answer = () => (early-- > 0 ? problem(403, 'not_due') : OK);
  await n.start();
  await until(async () => n.api.calls.length >= 3 && (await n.waiting()).length === 1);
  const later = n.api.calls.slice(1);
  assert.deepEqual(
    [...new Set(later.map((call) => call.path))],
    [`/v1/approvals/${soon.approval}/approval.expire`],
  );
  assert.equal(new Set(later.map((call) => call.idempotencyKey)).size, 1);
  assert.equal(later.length, 2);
  const { rows } = await n.admin.query('select fired_at from dispatch.timers where id = $1', [far.timer]);
  assert.equal(rows[0]?.fired_at, null);
});

test('the database goes away and comes back: the worker waits and goes on', async (t) => {
  verifies('R.1', 'R.3', 'C.6');
  const n = await startNeighbourhood(t);
  const worker = await n.start();
  const conversation = randomUUID();
  const before = await n.sendMessages(conversation, 2);
  await until(() => n.gateway.calls.length === 2);
  const cut = () =>
    n.admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = $2',
      [n.database, 'deadlatch_worker'],
    );
  // In the middle of a delivery, too: its end cannot be written.
  n.gateway.answer = async () => {
    n.gateway.answer = () => OK;
    await n.admin.query('alter role deadlatch_worker nologin');
    await cut();
    return OK;
  };
  try {
    before.push(...(await n.sendMessages(conversation, 1)));
    await until(async () => !(await isReady(worker.url)));
    before.push(...(await n.sendMessages(conversation, 2)));
    assert.equal((await fetch(`${worker.url}/livez`)).status, 200);
  } finally {
    await n.admin.query('alter role deadlatch_worker login');
  }
  await until(async () => firstHeard(n.gateway).length === 5 && (await n.waiting()).length === 0);
  assert.deepEqual(firstHeard(n.gateway), before);
  await cut();
  before.push(...(await n.sendMessages(conversation, 1)));
  await until(() => firstHeard(n.gateway).length === 6);
  await until(() => isReady(worker.url));
});
