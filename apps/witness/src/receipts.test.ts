import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { acceptRestore } from '@deadlatch/audit-log';
import { ConfigError } from '@deadlatch/http';
import { DispatchError } from '@deadlatch/kernel';
import { generateSigningKeyPem, loadSigningKey, type ServiceKeyPair } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { pinnedForGood } from '../../../test/support/pinned-for-good.ts';
import { problem, until } from '../../../test/support/signed-peer.ts';
import { openLedger } from './ledger.ts';
import { createWorld, handOver, look, ORIGIN, promised, submit, type World } from './witness.fixture.ts';

const filler = (n: number) => Array.from({ length: n }, () => Buffer.from(randomUUID()));

/** A witness that has cosigned a log of five events, and what it says of alarms from now on. */
async function running(world: World) {
  world.log.append(...filler(5));
  const witness = await world.start();
  assert.equal((await submit(witness.url, world.keys, world.log.submission(0))).status, 200);
  const alarms = async () => (await look(witness.url, world.keys)).alarms;
  const kinds = async () => (await alarms()).map(({ kind }) => kind);
  /** So many rounds of questions were answered from now on. */
  const asked = async (rounds = 2) => {
    const before = world.sequencer.calls.length;
    await until(() => world.sequencer.calls.length >= before + rounds);
  };
  const cosigns = async () => {
    const { size } = await look(witness.url, world.keys);
    return (await submit(witness.url, world.keys, world.log.submission(size))).status === 200;
  };
  return { ...witness, alarms, kinds, asked, cosigns };
}

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
