import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseNoteKey, verifyCheckpoint, witnessPolicy } from '@deadlatch/audit-log';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { bodyOf, createWorld, look, ORIGIN, scriptedLog, submit, type World } from './witness.fixture.ts';

const events = (n: number, word = 'event') =>
  Array.from({ length: n }, (_, i) => Buffer.from(`${word} ${i}`));

function trustOf({ keys }: World) {
  const { log, witnesses } = keys.log.trust;
  return { logKey: parseNoteKey('log', log.key), policy: witnessPolicy(witnesses.quorum, witnesses.keys) };
}

describe('add-checkpoint', () => {
  it('cosigns a log that grows, and what it cosigned is verified by whoever pinned it', async (t) => {
    verifies('F.4');
    const world = await createWorld(t);
    const { log, keys } = world;
    const { url } = await world.start();
    const { logKey, policy } = trustOf(world);
    let older = 0;
    for (const [count, word] of [
      [3, 'a'],
      [1, 'b'],
      [300, 'c'],
      [700, 'd'],
    ] as const) {
      log.append(...events(count, word));
      const response = await submit(url, keys, log.submission(older));
      assert.equal(response.status, 200);
      const note = `${log.note()}${await response.text()}`;
      const checkpoint = verifyCheckpoint(Buffer.from(note), logKey, policy);
      assert.equal(checkpoint.size, log.size());
      const age = Date.now() / 1000 - (checkpoint.cosignatures[0]?.timeS ?? 0);
      assert.ok(age >= 0 && age < 5);
      assert.equal((await look(url, keys)).note, note);
      older = log.size();
    }
  });

  it('cosigns the same size again with a new time: the log shows that it is alive', async (t) => {
    const world = await createWorld(t);
    const { log, keys, clock } = world;
    const { url } = await world.start();
    const { logKey, policy } = trustOf(world);
    const timeOf = (note: string | null) =>
      verifyCheckpoint(Buffer.from(note ?? ''), logKey, policy).cosignatures[0]?.timeS ?? 0;
    log.append(...events(5));
    await submit(url, keys, log.submission(0));
    const first = timeOf((await look(url, keys)).note);
    clock.wall += 4_000;
    assert.equal((await submit(url, keys, log.submission(5))).status, 200);
    assert.ok(timeOf((await look(url, keys)).note) >= first + 4);
  });

  it('takes an empty log for what it is', async (t) => {
    const { log, keys, ...world } = await createWorld(t);
    const { url } = await world.start();
    assert.equal((await submit(url, keys, log.submission(0))).status, 200);
    log.append(...events(2));
    assert.equal((await submit(url, keys, log.submission(0))).status, 200);
  });

  it('answers whoever does not go on from what it knows with that size', async (t) => {
    const { log, keys, ...world } = await createWorld(t);
    const { url } = await world.start();
    log.append(...events(8));
    await submit(url, keys, log.submission(0, 5));
    for (const older of [0, 3, 6]) {
      const response = await submit(url, keys, log.submission(older));
      assert.deepEqual(
        [response.status, response.headers.get('content-type'), await response.text()],
        [409, 'text/x.tlog.size', '5\n'],
      );
    }
    assert.equal((await submit(url, keys, log.submission(5))).status, 200);
    assert.deepEqual((await look(url, keys)).alarms, []);
  });

  it('answers every other submission with the status that the protocol has for it, and cosigns none', async (t) => {
    const { log, keys, ...world } = await createWorld(t);
    const { url } = await world.start();
    log.append(...events(7));
    await submit(url, keys, log.submission(0, 3));
    const stranger = loadSigningKey(generateSigningKeyPem());
    const proof = log.consistency(3);
    const spoiled = proof.map((hash) => Uint8Array.from(hash, (byte, i) => (i === 0 ? byte ^ 1 : byte)));
    const good = log.submission(3);
    const wrong: readonly (readonly [name: string, body: string, status: number])[] = [
      ['another log', bodyOf(3, proof, log.note(7, 'elsewhere.deadlatch/audit')), 404],
      ['another signer', bodyOf(3, proof, log.note(7, ORIGIN, stranger)), 403],
      ['a broken signature', `${good.slice(0, -8)}AAAAAA=\n`, 403],
      ['a wrong proof', bodyOf(3, spoiled, log.note()), 422],
      ['no proof', bodyOf(3, [], log.note()), 422],
      ['too short a proof', bodyOf(3, proof.slice(1), log.note()), 422],
      ['too long a proof', bodyOf(3, [...proof, proof[0] ?? new Uint8Array()], log.note()), 422],
      ['nothing', '\n', 400],
      ['no note', 'old 3\n\n', 400],
      ['no old size', good.replace('old 3\n', '\n'), 400],
      ['an old size with a zero', good.replace('old 3', 'old 03'), 400],
      ['a negative old size', good.replace('old 3', 'old -1'), 400],
      ['an old size beyond counting', good.replace('old 3', 'old 9007199254740993'), 400],
      [
        '64 lines of proof',
        bodyOf(
          3,
          Array.from({ length: 64 }, () => proof[0] ?? new Uint8Array(32)),
          log.note(),
        ),
        400,
      ],
      ['a line that is no hash', good.replace('old 3\n', 'old 3\nAAAA\n'), 400],
      ['carriage returns', good.replaceAll('\n', '\r\n'), 400],
      ['an older size than it says it goes on from', bodyOf(9, [], log.note(7)), 400],
    ];
    for (const [name, body, status] of wrong) {
      const response = await submit(url, keys, body);
      assert.equal(response.status, status, name);
      assert.ok(!(await response.text()).includes('\u2014'), name);
    }
    assert.deepEqual(await look(url, keys), { ...(await look(url, keys)), size: 3, alarms: [] });
    assert.equal((await submit(url, keys, good)).status, 200);
  });

  it('takes submissions of the sequencer alone, signed for it', async (t) => {
    const { log, keys, ...world } = await createWorld(t);
    const { url } = await world.start();
    log.append(...events(2));
    assert.equal((await submit(url, keys, log.submission(0), 'web')).status, 403);
    const bare = await fetch(`${url}/add-checkpoint`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', 'idempotency-key': crypto.randomUUID() },
      body: log.submission(0),
    });
    assert.equal(bare.status, 401);
    assert.equal((await look(url, keys)).size, 0);
  });

  it('never cosigns two trees of which neither continues the other, whatever the order they come in', async (t) => {
    verifies('F.4');
    const { log, keys, ...world } = await createWorld(t);
    const { url } = await world.start();
    log.append(...events(6));
    const fork = scriptedLog(keys.log.log);
    fork.append(...events(3), ...events(9, 'other'));
    await submit(url, keys, log.submission(0));
    const twin = await submit(url, keys, bodyOf(6, [], fork.note(6)));
    assert.equal(twin.status, 409);
    assert.deepEqual(
      (await look(url, keys)).alarms.map(({ kind }) => kind),
      ['split_view'],
    );
    // Nor what is right, from now on: which of the two is, is not for the witness to say.
    assert.equal((await submit(url, keys, log.submission(6))).status, 503);
  });

  for (const [name, older, size] of [
    ['a past that its own proof contradicts', 6, 12],
    ['the same size', 6, 6],
    ['a smaller one, known to be', 6, 4],
  ] as const) {
    it(`raises an alarm for good when the log signs another tree: ${name}`, async (t) => {
      const world = await createWorld(t);
      const { log, keys } = world;
      let running = await world.start();
      log.append(...events(6));
      const fork = scriptedLog(keys.log.log);
      fork.append(...events(3), ...events(9, 'other'));
      await submit(running.url, keys, log.submission(0));
      const proof = size > older ? fork.consistency(older, size) : [];
      assert.ok((await submit(running.url, keys, bodyOf(older, proof, fork.note(size)))).status >= 400);
      await running.close();
      running = await world.start();
      const { alarms } = await look(running.url, keys);
      assert.deepEqual(
        alarms.map(({ kind, event_id }) => [kind, event_id]),
        [['split_view', null]],
      );
      assert.equal((await submit(running.url, keys, log.submission(6))).status, 503);
      // Both notes are kept: they convict the log.
      const kept = await readFile(join(world.directory, 'ledger.jsonl'), 'utf8');
      for (const note of [log.note(6), fork.note(size)])
        assert.ok(kept.includes(JSON.stringify(note).slice(1, -1)));
    });
  }

  it('raises no alarm for a proof that only is wrong: that convinces nobody', async (t) => {
    const { log, keys, ...world } = await createWorld(t);
    const { url } = await world.start();
    log.append(...events(12));
    await submit(url, keys, log.submission(0, 6));
    const garbage = log.consistency(6).map(() => new Uint8Array(32));
    assert.equal((await submit(url, keys, bodyOf(6, garbage, log.note()))).status, 422);
    assert.deepEqual((await look(url, keys)).alarms, []);
    assert.equal((await submit(url, keys, log.submission(6))).status, 200);
  });

  it('cosigns one of many that come at once and contradict each other', async (t) => {
    const { keys, ...world } = await createWorld(t);
    const { url } = await world.start();
    const forks = Array.from({ length: 8 }, (_, n) => {
      const fork = scriptedLog(keys.log.log);
      fork.append(...events(4, `fork ${n}`));
      return fork;
    });
    const statuses = await Promise.all(
      forks.map(async (fork) => (await submit(url, keys, fork.submission(0))).status),
    );
    assert.equal(statuses.filter((status) => status === 200).length, 1);
    assert.equal(statuses.filter((status) => status === 409).length, 7);
  });

  it('goes on after a restart from what it knew, and forgets nothing', async (t) => {
    const world = await createWorld(t);
    const { log, keys } = world;
    const before = await world.start();
    log.append(...events(9));
    await submit(before.url, keys, log.submission(0, 5));
    const shown = await look(before.url, keys);
    await before.close();
    const after = await world.start();
    assert.deepEqual(await look(after.url, keys), shown);
    assert.equal((await submit(after.url, keys, log.submission(0))).status, 409);
    assert.equal((await submit(after.url, keys, log.submission(5))).status, 200);
  });
});
