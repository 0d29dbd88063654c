import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { problem, until } from '../../../test/support/signed-peer.ts';
import {
  createWorld,
  filler,
  handOver,
  look,
  promised,
  running,
  submit,
  type World,
} from './witness.fixture.ts';

describe('receipts', () => {
  it('of events that are in the log are settled by their proofs', async (t) => {
    verifies('F.5');
    const world = await createWorld(t);
    const { keys, log, directory } = world;
    const { url, kinds, cosigns } = await running(world);
    const receipts = Array.from({ length: 256 }, () => promised(keys.grant));
    log.append(...receipts.map(({ event }) => event));
    const tokens = receipts.map(({ token }) => token);
    assert.deepEqual(await handOver(url, keys, tokens), { accepted: 256, refused: [] });
    assert.ok(await cosigns());
    const ledger = async () => (await readFile(join(directory, 'ledger.jsonl'), 'utf8')).trim().split('\n');
    await until(async () => (await ledger()).filter((line) => line.startsWith('["over"')).length === 256);
    world.clock.steady += 70_000;
    assert.ok(await cosigns());
    assert.deepEqual(await kinds(), []);
  });

  it('of an event that the log leaves out raise an alarm: it is kept, shown, and stops all cosigning', async (t) => {
    verifies('F.5');
    const world = await createWorld(t);
    const { keys, log, clock } = world;
    const first = await running(world);
    const left = promised(keys.grant);
    await handOver(first.url, keys, [left.token]);
    await first.asked();
    assert.deepEqual(await first.kinds(), [], 'it still has its time');
    clock.steady += 5_000;
    await until(async () => (await first.alarms()).length > 0);
    const [alarm] = await first.alarms();
    assert.deepEqual([alarm?.kind, alarm?.event_id], ['omitted', left.id]);
    assert.ok(!(await first.cosigns()));
    log.append(...filler(3));
    assert.ok(!(await first.cosigns()), 'nor what is new');
    await first.close();
    const second = await world.start();
    assert.deepEqual((await look(second.url, keys)).alarms, [alarm]);
    // It turns up, in a tree that is not cosigned yet: so the alarm can end.
    log.append(left.event);
    const { size } = await look(second.url, keys);
    assert.equal((await submit(second.url, keys, log.submission(size))).status, 503);
    await until(async () => (await look(second.url, keys)).alarms.length === 0);
    assert.equal((await submit(second.url, keys, log.submission(log.size()))).status, 200);
  });

  it('of an event that waits are late after their time, and not before', async (t) => {
    verifies('F.5');
    const world = await createWorld(t);
    const { keys, log, clock, sequencer } = world;
    const { url, kinds, asked, cosigns } = await running(world);
    const waiting = promised(keys.grant);
    sequencer.answer = (call) => log.proofs(call, new Date(Date.now() - 60_000).toISOString());
    await handOver(url, keys, [waiting.token]);
    clock.steady += 45_000;
    await asked();
    assert.ok(await cosigns());
    assert.deepEqual(await kinds(), []);
    clock.steady += 15_000;
    log.append(...filler(1));
    assert.ok(!(await cosigns()), 'what is overdue keeps the next one from being cosigned');
    await until(async () => (await kinds()).includes('late'));
    log.append(waiting.event);
    await cosigns();
    await until(async () => (await kinds()).length === 0);
    assert.ok(await cosigns());
  });

  it('are not judged while the log cannot be asked, and nothing is cosigned once they are overdue', async (t) => {
    const world = await createWorld(t);
    const { keys, log, clock, sequencer } = world;
    const { url, kinds, asked, cosigns } = await running(world);
    const kept = promised(keys.grant);
    sequencer.answer = () => problem(503, 'unavailable');
    await handOver(url, keys, [kept.token]);
    clock.steady += 30_000;
    await asked();
    assert.ok(await cosigns());
    clock.steady += 31_000;
    assert.ok(!(await cosigns()));
    await asked();
    assert.deepEqual(await kinds(), []);
    log.append(kept.event);
    assert.ok(!(await cosigns()));
    sequencer.answer = (call) => log.proofs(call);
    await until(cosigns);
    assert.deepEqual(await kinds(), []);
  });

  const hour = 3_600_000;
  const long = (ms: number) => new Date(Date.now() + ms).toISOString();
  const LIES: Readonly<
    Record<string, (world: World, call: { readonly body: Record<string, unknown> }) => unknown>
  > = {
    'a proof for another leaf': ({ log }, { body }) => {
      const other = log.proofOf(Buffer.from('x').toString('base64url'), 0);
      const [hash] = body.leaf_hashes as string[];
      return {
        proofs: [{ ...other, leaf_hash: hash, index: 2, hashes: ['A'.repeat(43)] }],
        oldest_unsequenced: null,
      };
    },
    'a proof of the right leaf to another root': (_, { body }) => ({
      proofs: (body.leaf_hashes as string[]).map((leaf_hash) => ({ leaf_hash, index: 0, hashes: [] })),
      oldest_unsequenced: null,
    }),
    'proofs for leaves nobody asked for': () => ({
      proofs: [{ leaf_hash: 'B'.repeat(43), index: 0, hashes: [] }],
      oldest_unsequenced: null,
    }),
    'no answer about it': () => ({ proofs: [], oldest_unsequenced: null }),
    'a backlog in the future': () => ({ proofs: [], oldest_unsequenced: long(hour) }),
  };
  for (const [name, lie] of Object.entries(LIES)) {
    it(`of a left out event are not settled by ${name}`, async (t) => {
      verifies('F.5');
      const world = await createWorld(t);
      const { keys, clock, sequencer } = world;
      const { url, kinds, cosigns } = await running(world);
      sequencer.answer = (call) => ({ status: 200, body: lie(world, call) });
      await handOver(url, keys, [promised(keys.grant).token]);
      clock.steady += 5_000;
      await until(async () => (await kinds()).includes('omitted'));
      assert.ok(!(await cosigns()));
    });
  }

  const GARBAGE: Readonly<Record<string, (world: World) => unknown>> = {
    'an endless backlog': () => ({ proofs: [], oldest_unsequenced: '1970-01-01T00:00:00.000Z' }),
    'a backlog since no time': () => ({ proofs: [], oldest_unsequenced: 'yesterday' }),
    'no word of a backlog': () => ({ proofs: [] }),
    'more proofs than fit': () => ({
      proofs: Array.from({ length: 257 }, () => ({ leaf_hash: 'B'.repeat(43), index: null })),
      oldest_unsequenced: null,
    }),
    'proofs of another form': () => ({ proofs: [{ leaf_hash: 7, index: 0 }], oldest_unsequenced: null }),
    nothing: () => null,
  };
  for (const [name, answer] of Object.entries(GARBAGE)) {
    it(`of a left out event keep the log from being cosigned after a minute of ${name}`, async (t) => {
      verifies('F.5');
      const world = await createWorld(t);
      const { keys, clock, sequencer } = world;
      const { url, asked, cosigns } = await running(world);
      sequencer.answer = () => ({ status: 200, body: answer(world) });
      await handOver(url, keys, [promised(keys.grant).token]);
      clock.steady += 61_000;
      await asked();
      assert.ok(!(await cosigns()));
    });
  }

  it('are not found late for time in which the log could not reach the witness', async (t) => {
    const world = await createWorld(t);
    const { keys, log, clock, sequencer } = world;
    const { url, kinds, asked, cosigns } = await running(world);
    const merged = promised(keys.grant);
    sequencer.answer = (call) => log.proofs(call, new Date(Date.now() - 1_000).toISOString());
    await handOver(url, keys, [merged.token]);
    // As after a long sleep of the witness: the log has it, and had no chance to hand it in.
    log.append(merged.event);
    clock.steady += 90_000;
    await asked(3);
    assert.deepEqual(await kinds(), []);
    await until(cosigns);
    assert.deepEqual(await kinds(), []);
  });

  it('are not judged by a clock that was set', async (t) => {
    const world = await createWorld(t);
    const { keys, clock } = world;
    const { url, kinds, lines, cosigns } = await running(world);
    await handOver(url, keys, [promised(keys.grant).token]);
    for (const step of [hour, -hour]) {
      const unasked = () => lines.filter((line) => line.includes('proofs.unavailable')).length;
      const before = unasked();
      clock.wall = step;
      // Nobody believes signatures of another time, so nothing is asked, and nothing judged.
      await until(() => unasked() >= before + 2);
      clock.wall = 0;
      assert.deepEqual(await kinds(), []);
      assert.ok(await cosigns());
    }
    clock.steady += 5_000;
    await until(async () => (await kinds()).includes('omitted'));
  });

  it('that are none of this log are refused one by one; the others are taken', async (t) => {
    verifies('F.5');
    const world = await createWorld(t);
    const { keys, log } = world;
    const { url, cosigns } = await running(world);
    const good = promised(keys.grant);
    const forged = [
      promised(loadSigningKey(generateSigningKeyPem())).token,
      promised(keys.token).token,
      promised(keys.log.log).token,
      promised(keys.grant, { origin: 'other.deadlatch/audit' }).token,
      promised(keys.grant, { iss: 'spiffe://other.deadlatch/dispatch-api' }).token,
      promised(keys.grant, { iss: 'spiffe://demo.deadlatch/web' }).token,
      `${good.token.slice(0, -4)}AAAA`,
      good.token.split('.').slice(0, 2).join('.'),
      'x',
    ];
    const answer = await handOver(url, keys, [...forged, good.token]);
    assert.deepEqual(answer, { accepted: 1, refused: forged.map((_, at) => at) });
    log.append(good.event);
    assert.ok(await cosigns());
  });

  it('that come again wait once', async (t) => {
    const world = await createWorld(t);
    const { keys, directory } = world;
    const { url } = await running(world);
    const { token } = promised(keys.grant);
    await handOver(url, keys, [token, token]);
    await Promise.all(Array.from({ length: 5 }, () => handOver(url, keys, [token], 'gateway')));
    const kept = await readFile(join(directory, 'ledger.jsonl'), 'utf8');
    assert.equal(kept.trim().split('\n').length, 1);
  });

  it('for one event that promise two contents must both be in the log', async (t) => {
    const world = await createWorld(t);
    const { keys, log, clock } = world;
    const { url, alarms, cosigns } = await running(world);
    const id = randomUUID();
    const [first, second] = [promised(keys.grant, { event_id: id }), promised(keys.grant, { event_id: id })];
    log.append(first.event);
    await handOver(url, keys, [first.token, second.token]);
    await cosigns();
    clock.steady += 5_000;
    await until(async () => (await alarms()).length > 0);
    assert.deepEqual(
      (await alarms()).map(({ event_id }) => event_id),
      [id],
    );
  });

  it('come signed, in batches that fit, from services alone', async (t) => {
    const world = await createWorld(t);
    const { keys } = world;
    const { url } = await running(world);
    const { token } = promised(keys.grant);
    assert.equal(await handOver(url, keys, []), 400);
    assert.equal(
      await handOver(
        url,
        keys,
        Array.from({ length: 257 }, () => token),
      ),
      400,
    );
    assert.equal(await handOver(url, keys, ['x'.repeat(4_097)]), 400);
    const bare = await fetch(`${url}/v1/receipts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify({ receipts: [token] }),
    });
    assert.equal(bare.status, 401);
    assert.equal((await fetch(`${url}/v1/checkpoint`)).status, 401);
  });

  it('do not keep checkpoints waiting, however many come', async (t) => {
    const world = await createWorld(t);
    const { keys, log } = world;
    const { url, kinds, cosigns } = await running(world);
    const all = Array.from({ length: 1_024 }, () => promised(keys.grant));
    log.append(...all.map(({ event }) => event));
    const tokens = all.map(({ token }) => token);
    const batches = Array.from({ length: 16 }, (_, at) => tokens.slice((at % 4) * 256, (at % 4) * 256 + 256));
    const floods = Promise.all(
      batches.map((batch, at) => handOver(url, keys, batch, at % 2 ? 'web' : 'gateway')),
    );
    for (let tries = 0; tries < 5; tries += 1) assert.ok(await cosigns());
    assert.ok((await floods).every((answer) => typeof answer === 'object' && answer.accepted === 256));
    await until(cosigns);
    assert.deepEqual(await kinds(), []);
  });
});
