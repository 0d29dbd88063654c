import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { leafHash } from '@deadlatch/audit-log';
import { verifies } from '../../../test/requirements.ts';
import { newId } from '../../../test/support/commits.ts';
import { until } from '../../../test/support/signed-peer.ts';
import { isReady, type LogWorld, startLogWorld } from './sequencer.fixture.ts';

interface Planted {
  readonly id: string;
  readonly at: Date;
  readonly body: Uint8Array;
}

/** Events with times and bytes of the test's choosing, in one transaction; nobody but the owner can write them so. */
async function plant(world: LogWorld, events: readonly Planted[]): Promise<void> {
  const client = await world.admin.connect();
  try {
    await client.query('begin');
    await client.query("set local session_replication_role = 'replica'");
    for (const { id, at, body } of events) {
      await client.query(
        `insert into audit.events (tenant_id, id, at, origin, command, actor, decision, correlation_id, body)
         values ($1, $2, $3, 'dispatch', 'x', 'y', 'accepted', $2, $4)`,
        [world.tenantId, id, at, body],
      );
      await client.query(
        'insert into audit.unsequenced (tenant_id, event_id, at, bytes) values ($1, $2, $3, $4)',
        [world.tenantId, id, at, body.byteLength],
      );
    }
    await client.query('commit');
  } finally {
    client.release();
  }
}

async function inLogOrder(world: LogWorld): Promise<{ id: string; leaf_hash: Buffer }[]> {
  const { rows } = await world.admin.query(
    'select event_id as id, leaf_hash from audit.log_entries order by index',
  );
  return rows;
}

describe('sequencing', () => {
  it('gives every event one index and publishes a cosigned checkpoint over all of them', async (t) => {
    verifies('F.4');
    const world = await startLogWorld(t);
    await world.addEvents(3);
    const sequencer = await world.start();
    await until(() => isReady(sequencer.url));
    await world.assertWholeLog();
    await world.addEvents(5_000, 1_500);
    await world.assertWholeLog();
    for (let n = 0; n < 5; n += 1) await world.addEvents(1);
    await world.assertWholeLog();
    assert.equal(world.publishedSize(), 5_008);
  });

  it('orders what waits by time, then by id, and never what has its index already', async (t) => {
    const world = await startLogWorld(t);
    const ids = Array.from({ length: 600 }, () => newId());
    const event = (id: string, at: number) => ({ id, at: new Date(at), body: Buffer.from(`{"id":"${id}"}`) });
    const base = Date.now() - 60_000;
    // Three hundred pairs of one time, written last first.
    const times = ids.map((_, n) => base + Math.floor(n / 2));
    await plant(world, ids.map((id, n) => event(id, times[n] ?? base)).reverse());
    const sequencer = await world.start();
    await until(() => world.publishedSize() === 600);
    assert.deepEqual(
      (await inLogOrder(world)).map((row) => row.id),
      ids,
    );
    // One that committed late, with the earliest time of all.
    const late = newId();
    await plant(world, [event(late, base - 5_000)]);
    await until(() => world.publishedSize() === 601);
    assert.equal((await inLogOrder(world)).at(-1)?.id, late);
    await sequencer.close();
  });

  it('hashes the bytes as they are stored, whatever they are', async (t) => {
    const world = await startLogWorld(t);
    const every = Buffer.from(
      Array.from({ length: 0xd7ff }, (_, n) => String.fromCodePoint(n + 1))
        .join('')
        .slice(0, 20_000),
    );
    const bodies = [
      every,
      Buffer.from('\ufeff{"name":"Zoë \u{1f511} \uffff \u{10ffff}"}'),
      Buffer.from('\\x00\\\\ \\u0000 \r\n'),
      Buffer.alloc(0),
      Buffer.alloc(65_535, 0x78),
    ];
    // The same bytes again are another event: a log that stopped there could be stopped by any service.
    const events = [...bodies, every].map((body, n) => ({ id: newId(), at: new Date(1_000 * n), body }));
    await plant(world, events);
    const sequencer = await world.start();
    await until(() => world.publishedSize() === events.length);
    assert.deepEqual(
      (await inLogOrder(world)).map((row) => row.leaf_hash.toString('hex')),
      events.map(({ body }) => Buffer.from(leafHash(body)).toString('hex')),
    );
    await sequencer.close();
  });

  it('takes no more into one batch than memory allows, and all of it in the end', async (t) => {
    const world = await startLogWorld(t);
    for (let n = 0; n < 5; n += 1) await world.addEvents(60, 65_000);
    const sequencer = await world.start();
    await world.assertWholeLog();
    const sizes = sequencer.logs.flatMap(({ event, size }) =>
      event === 'log.sequenced' && size !== undefined ? [size] : [],
    );
    const batches = sizes.map((size, n) => size - (sizes[n - 1] ?? 0));
    assert.ok(Math.max(...batches) <= 63, batches.join(', '));
    assert.equal(sizes.at(-1), 300);
  });
});
