import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { until } from '../../../test/support/signed-peer.ts';
import { firstHeard, startNeighbourhood } from './worker.fixture.ts';

const OK = { status: 200, body: {} };

test('killed at any step, nothing is lost, overtaken or made a second request', async (t) => {
  verifies('R.1', 'R.3');
  const n = await startNeighbourhood(t);
  const conversations = [randomUUID(), randomUUID()];
  const sent = await Promise.all(conversations.map((id) => n.sendMessages(id, 6)));
  const timer = await n.setTimer(-1_000);
  // Killed while a delivery is under way, right after it, and between two polls.
  for (const [at, when] of [
    [1, 'under way'],
    [5, 'answered'],
    [9, 'under way'],
  ] as const) {
    let reached = () => {};
    const moment = new Promise<void>((resolve) => {
      reached = resolve;
    });
    n.gateway.answer = async () => {
      if (firstHeard(n.gateway).length < at) return OK;
      reached();
      if (when === 'under way') await new Promise((resolve) => setTimeout(resolve, 5_000).unref());
      return OK;
    };
    const worker = await n.spawn();
    await moment;
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  }
  n.gateway.answer = () => OK;
  const last = await n.spawn();
  await until(async () => firstHeard(n.gateway).length === 12 && (await n.waiting()).length === 0);
  for (const expected of sent) {
    assert.deepEqual(
      firstHeard(n.gateway).filter((id) => expected.includes(id)),
      expected,
    );
  }
  const keys = new Map<unknown, Set<unknown>>();
  for (const { body, idempotencyKey } of n.gateway.calls) {
    keys.set(body.message_id, (keys.get(body.message_id) ?? new Set()).add(idempotencyKey));
  }
  assert.ok([...keys.values()].every((found) => found.size === 1));
  assert.ok(n.gateway.calls.length <= 12 + 2 * 4, String(n.gateway.calls.length));
  assert.deepEqual(
    [...new Set(n.api.calls.map((call) => call.path))],
    [`/v1/approvals/${timer.approval}/approval.expire`],
  );
  last.kill('SIGTERM');
  const [code] = await once(last, 'exit');
  assert.equal(code, 0);
});
