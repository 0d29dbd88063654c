import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { problem, until } from '../../../test/support/signed-peer.ts';
import { firstHeard, startNeighbourhood } from './worker.fixture.ts';

const gauge = (text: string, name: string) =>
  Number(new RegExp(`^deadlatch_${name} ([0-9.e+-]+)$`, 'm').exec(text)?.[1]);

test('what waits is measured by the database, and a gauge that cannot be asked for is absent', async (t) => {
  const n = await startNeighbourhood(t);
  let refuses = true;
  n.gateway.answer = () => (refuses ? problem(503, 'unavailable') : { status: 200, body: {} });
  const worker = await n.start();
  const read = async () => (await fetch(`${worker.url}/metrics`)).text();
  const empty = await read();
  assert.equal(gauge(empty, 'outbox_waiting'), 0);
  assert.equal(gauge(empty, 'outbox_oldest_age_seconds'), 0);
  await n.sendMessages(randomUUID(), 3);
  await n.admin.query(`update dispatch.outbox set created_at = created_at - interval '1 hour'`);
  await until(() => n.gateway.calls.length >= 1);
  const full = await read();
  assert.equal(gauge(full, 'outbox_waiting'), 3);
  const age = gauge(full, 'outbox_oldest_age_seconds');
  assert.ok(age > 3_600 && age < 3_700, String(age));
  assert.match(full, /^deadlatch_outbox_tries_total\{task="message.deliver",outcome="retry"\} [1-9]/m);
  refuses = false;
  await until(async () => firstHeard(n.gateway).length === 3 && (await n.waiting()).length === 0);
  const done = await read();
  assert.equal(gauge(done, 'outbox_waiting'), 0);
  assert.match(done, /^deadlatch_outbox_tries_total\{task="message.deliver",outcome="done"\} 3$/m);

  await n.admin.query('revoke select on dispatch.timers from deadlatch_worker');
  try {
    const broken = await read();
    assert.doesNotMatch(broken, /outbox_waiting|outbox_oldest|timer_lateness/);
    assert.match(broken, /deadlatch_started_at_seconds/);
  } finally {
    await n.admin.query('grant select on dispatch.timers to deadlatch_worker');
  }
});
