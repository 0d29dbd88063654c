import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifies } from '../../../test/requirements.ts';
import { until } from '../../../test/support/signed-peer.ts';
import { assertNothingHalfWritten, isReady, startLogWorld } from './sequencer.fixture.ts';

const KILLS = 8;

test('killed at any moment under load, the log goes on: nothing is lost, doubled or forked', async (t) => {
  verifies('R.1', 'F.4');
  const world = await startLogWorld(t);
  let isLoading = true;
  const load = (async () => {
    for (let n = 0; isLoading; n += 1) {
      await world.addEvents(1 + ((n * 37) % 120));
      await sleep(15);
    }
  })();
  const sizes: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = await world.count('log_entries');
    const published = sizes.at(-1) ?? 0;
    const { child } = await world.spawn();
    const gone = once(child, 'exit');
    // Killed while it works, not while it starts: the delay after its first batch spreads over some batches.
    await until(async () => (await world.count('log_entries')) > before);
    // Every second one lives until it has published, however long that takes on this machine.
    if (kill % 2 === 1) await until(async () => world.publishedSize() > published);
    await sleep((kill * 53) % 420);
    child.kill('SIGKILL');
    await gone;
    sizes.push(world.publishedSize());
  }
  isLoading = false;
  await load;
  const last = await world.spawn();
  await until(() => isReady(last.url));
  await world.assertWholeLog();
  assert.ok(new Set(sizes).size >= KILLS / 2, `it published between the kills: ${sizes.join(', ')}`);
  const { rows } = await world.admin.query('select epoch from audit.log_head');
  assert.ok(rows[0].epoch > KILLS / 2, 'it was opened again and again');
  last.child.kill('SIGTERM');
  assert.deepEqual(await once(last.child, 'exit'), [0, null]);
  assertNothingHalfWritten(world);
});

test('a process that was asleep while another took over commits nothing and signs nothing', async (t) => {
  verifies('R.1', 'F.4');
  const world = await startLogWorld(t);
  const asleep = await world.spawn();
  await until(() => isReady(asleep.url));
  await world.addEvents(10);
  await until(() => world.publishedSize() === 10);
  asleep.child.kill('SIGSTOP');
  await world.addEvents(400);
  // Its connections are still open on its side, as behind a broken network.
  await world.admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'sequencer'`,
  );
  const successor = await world.start();
  await until(() => world.publishedSize() === 410);
  const { rows: before } = await world.admin.query('select epoch from audit.log_head');
  asleep.child.kill('SIGCONT');
  await until(async () => !(await isReady(asleep.url)));
  for (let n = 0; n < 5; n += 1) await world.addEvents(50);
  await world.assertWholeLog();
  const { rows: after } = await world.admin.query('select epoch from audit.log_head');
  assert.deepEqual(after, before, 'nobody else has written');
  assert.equal(await isReady(asleep.url), false);
  // And the other way round: it is there when it is needed.
  await successor.close();
  await until(() => isReady(asleep.url));
  await world.addEvents(3);
  await world.assertWholeLog();
});
