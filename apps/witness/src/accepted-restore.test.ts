import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { acceptRestore } from '@deadlatch/audit-log';
import { generateSigningKeyPem, loadSigningKey, type ServiceKeyPair } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { pinnedForGood } from '../../../test/support/pinned-for-good.ts';
import { until } from '../../../test/support/signed-peer.ts';
import { createWorld, handOver, ORIGIN, promised, running } from './witness.fixture.ts';

describe('an accepted restore', () => {
  const people = ['cli', 'adam-admin', 'sue-supervisor'].map((name) => ({
    name,
    key: loadSigningKey(generateSigningKeyPem()),
  }));
  const [machine, first, second] = people.map(({ key }) => key);
  const stranger = loadSigningKey(generateSigningKeyPem());

  it('gives up what was promised before and is gone; only two people can accept, once, and only this log', async (t) => {
    verifies('F.5', 'F.8');
    assert.ok(machine && first && second);
    const world = await createWorld(t);
    const { keys, log, clock, directory, env } = world;
    const trust = join(env.DEADLATCH_KEY_DIR ?? '', 'trust.json');
    const bundle = JSON.parse(await readFile(trust, 'utf8'));
    const operators = people.map(({ name, key }) => ({ name, ...pinnedForGood(key) }));
    await writeFile(trust, JSON.stringify({ ...bundle, operators }));
    const { url, kinds, cosigns, lines } = await running(world);
    const lost = promised(keys.grant);
    await handOver(url, keys, [lost.token]);
    clock.steady += 5_000;
    await until(async () => (await kinds()).includes('omitted'));

    const path = join(directory, 'accepted-restore.json');
    const lay = async (content: unknown) => {
      await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
      await until(() => !existsSync(path));
    };
    const backup = {
      environment: 'demo',
      origin: ORIGIN,
      restored_size: 3,
      log_size: log.size(),
      root: Buffer.from(log.rootAt(log.size())).toString('base64'),
    };
    const by = (signers: readonly ServiceKeyPair[], changes: object = {}) => {
      const changed = { ...backup, ...changes };
      return { backup: changed, acceptances: signers.map((key) => acceptRestore(changed, key)) };
    };
    const genuine = by([first, second]);
    for (const wrong of [
      'not json',
      {},
      by([]),
      by([first]),
      by([first, first]),
      by([first, machine]),
      by([first, stranger]),
      { ...genuine, backup: { ...backup, restored_size: 4 } },
      by([first, second], { origin: 'other.deadlatch/audit' }),
      by([first, second], { environment: 'prod' }),
      by([first, second], { root: Buffer.alloc(32).toString('base64') }),
      by([first, second], { log_size: log.size() + 1 }),
    ]) {
      await lay(wrong);
      assert.deepEqual(await kinds(), ['omitted'], JSON.stringify(wrong));
    }
    assert.equal(lines.filter((line) => line.includes('restore.refused')).length, 12);

    await lay(genuine);
    await until(async () => (await kinds()).length === 0);
    assert.ok(lines.some((line) => line.includes('promise.given_up') && line.includes(lost.id)));
    assert.ok(await cosigns());
    // What is promised from now on is demanded as ever, also when somebody lays the same acceptance there again.
    const later = promised(keys.grant, { time: new Date(Date.now() + 1_000).toISOString() });
    await handOver(url, keys, [later.token]);
    clock.steady += 5_000;
    await until(async () => (await kinds()).includes('omitted'));
    clock.wall += 2_000;
    await lay(genuine);
    assert.deepEqual(await kinds(), ['omitted']);
  });
});
