import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ConfigError } from '@deadlatch/http';
import { DispatchError } from '@deadlatch/kernel';
import { openLedger } from './ledger.ts';
import { createWorld, handOver, look, promised, running } from './witness.fixture.ts';

describe('ledger', () => {
  it('takes half a line at its end for what was never promised, and damage before it for damage', async (t) => {
    const world = await createWorld(t);
    const { keys, directory } = world;
    const first = await running(world);
    await handOver(first.url, keys, [promised(keys.grant).token]);
    await first.close();
    const path = join(directory, 'ledger.jsonl');
    await appendFile(path, '["receipt","half');
    await (await world.start()).close();
    assert.equal((await readFile(path, 'utf8')).trim().split('\n').length, 1);
    await appendFile(path, 'damage\n["over","x"]\n');
    await assert.rejects(world.start(), ConfigError);
  });

  it('has room for so many and says so, and forgets none that it has taken', async (t) => {
    const { directory } = await createWorld(t);
    const open = () =>
      openLedger({ directory, now: Date.now, steady: () => performance.now(), maxPending: 2 });
    const receipt = (letter: string) => ({
      leafHash: letter.repeat(43),
      eventId: randomUUID(),
      time: '2026-03-01T12:00:00.000Z',
    });
    const [a, b, c] = [receipt('A'), receipt('B'), receipt('C')];
    let ledger = await open();
    await ledger.take([a, b]);
    const isFull = (error: unknown) => error instanceof DispatchError && error.code === 'rate_limited';
    await assert.rejects(ledger.take([a, c]), isFull);
    await ledger.take([b, a]);
    await ledger.close();
    ledger = await open();
    assert.deepEqual(
      ledger.pending().map(({ leafHash }) => leafHash),
      [a.leafHash, b.leafHash],
    );
    await ledger.settle([a.leafHash]);
    await ledger.take([c]);
    await ledger.close();
  });

  it('is written anew when most of it is over', async (t) => {
    const { directory } = await createWorld(t);
    const ledger = await openLedger({ directory, now: Date.now, steady: () => performance.now() });
    const receipts = Array.from({ length: 4_200 }, () => ({
      leafHash: randomBytes(32).toString('base64url'),
      eventId: randomUUID(),
      time: '2026-03-01T12:00:00.000Z',
    }));
    await ledger.take(receipts);
    await ledger.settle(receipts.slice(1).map(({ leafHash }) => leafHash));
    const lines = (await readFile(join(directory, 'ledger.jsonl'), 'utf8')).trim().split('\n');
    assert.equal(lines.length, 1);
    await ledger.take(receipts.slice(1, 3));
    await ledger.close();
    const again = await openLedger({ directory, now: Date.now, steady: () => performance.now() });
    assert.equal(again.pending().length, 3);
    await again.close();
  });

  it('is not begun anew when the head is damaged or of another log', async (t) => {
    const world = await createWorld(t);
    const first = await running(world);
    await first.close();
    const path = join(world.directory, 'head.json');
    const whole = await readFile(path, 'utf8');
    for (const damaged of [
      '',
      '{}',
      whole.slice(0, -10),
      whole.replaceAll('demo.deadlatch', 'prod.deadlatch'),
    ]) {
      await writeFile(path, damaged);
      await assert.rejects(world.start(), ConfigError);
    }
    await writeFile(path, whole);
    assert.equal((await look((await world.start()).url, world.keys)).size, 5);
  });
});
