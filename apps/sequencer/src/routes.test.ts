import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { leafHash, verifyCheckpoint, verifyInclusion } from '@deadlatch/audit-log';
import { createServiceClient, type ServiceClient } from '@deadlatch/http';
import { DispatchError, type ErrorCode } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { signedWrite, until } from '../../../test/support/signed-peer.ts';
import { readLogTrust } from './log-trust.ts';
import type { ProofAnswer } from './prove-leaves.ts';
import { isReady, type LogWorld, startLogWorld } from './sequencer.fixture.ts';

/** A request of the second in which a server started could be from before, and is refused. */
const PAST_START_MS = 1_000;

interface Asked {
  readonly world: LogWorld;
  readonly url: string;
  ask(leaves: readonly Uint8Array[]): Promise<ProofAnswer>;
}

function clientOf(world: LogWorld, url: string, name: 'witness' | 'cli' | 'worker'): ServiceClient {
  return createServiceClient({
    service: name,
    key: () => world.keys.service(name),
    baseUrl: url,
    audience: 'spiffe://demo.deadlatch/sequencer',
    fetch: globalThis.fetch,
    now: Date.now,
    random: (n) => randomBytes(n),
    timeoutMs: 5_000,
  });
}

async function startAsked(t: TestContext, events: number): Promise<Asked> {
  const world = await startLogWorld(t);
  await world.addEvents(events);
  const { url } = await world.start();
  await until(() => isReady(url));
  await until(() => world.publishedSize() === events);
  await sleep(PAST_START_MS);
  const client = clientOf(world, url, 'witness');
  return {
    world,
    url,
    ask: async (leaves) => {
      const body = { leaf_hashes: leaves.map((leaf) => Buffer.from(leaf).toString('base64url')) };
      return (await client.write('/v1/proofs', body)) as unknown as ProofAnswer;
    },
  };
}

async function leavesOf(world: LogWorld): Promise<Uint8Array[]> {
  const { rows } = await world.admin.query<{ body: Buffer }>('select body from audit.events order by at, id');
  return rows.map((row) => leafHash(row.body));
}

/** Verifies an answer as a stranger would, by the pinned keys alone; answers the indexes. */
function proven(world: LogWorld, answer: ProofAnswer, leaves: readonly Uint8Array[]): (number | null)[] {
  const { logKey, policy } = readLogTrust(() => world.keys.log.trust);
  const { size, root } = verifyCheckpoint(Buffer.from(answer.checkpoint ?? ''), logKey, policy);
  assert.equal(answer.proofs.length, leaves.length);
  return answer.proofs.map(({ leaf_hash, index, hashes }, at) => {
    const leaf = leaves[at] ?? Buffer.alloc(0);
    assert.equal(leaf_hash, Buffer.from(leaf).toString('base64url'));
    if (index === null) assert.equal(hashes, undefined);
    else {
      const proof = (hashes ?? []).map((hash) => Buffer.from(hash, 'base64url'));
      verifyInclusion({ index, size, leafHash: leaf, root, proof });
    }
    return index;
  });
}

const refusedAs = (code: ErrorCode) => (error: unknown) =>
  error instanceof DispatchError && error.code === code;

it('proves what is in the cosigned log, and says of nothing else that it is', async (t) => {
  verifies('F.4');
  const { world, ask } = await startAsked(t, 300);
  const leaves = (await leavesOf(world)).slice(0, 256);
  const answer = await ask(leaves);
  assert.deepEqual(
    proven(world, answer, leaves),
    leaves.map((_, index) => index),
  );
  assert.equal(answer.oldest_unsequenced, null);
  const mixed = [randomBytes(32), leaves[5] ?? Buffer.alloc(32), randomBytes(32)];
  assert.deepEqual(proven(world, await ask(mixed), mixed), [null, 5, null]);
  assert.deepEqual(proven(world, await ask([]), []), []);
});

it('counts an event as waiting until a witness has cosigned it', async (t) => {
  verifies('F.4');
  const { world, ask } = await startAsked(t, 5);
  const { behave } = world.witness;
  world.witness.behave = () => {
    throw new Error('away');
  };
  await world.addEvents(3);
  const { rows } = await world.admin.query<{ at: Date }>('select max(at) as at from audit.events');
  await until(async () => (await world.count('unsequenced')) === 0);
  const leaves = await leavesOf(world);
  const late = leaves.slice(-3);
  // It has its index already; that alone is nobody's word but ours.
  const answer = await ask(late);
  assert.deepEqual(proven(world, answer, late), [null, null, null]);
  assert.equal(answer.oldest_unsequenced, rows[0]?.at.toISOString());
  world.witness.behave = behave;
  await until(() => world.publishedSize() === 8);
  const later = await ask(late);
  assert.deepEqual(proven(world, later, late).toSorted(), [5, 6, 7]);
  assert.equal(later.oldest_unsequenced, null);
});

it('proves for the tree that the asker names too: a witness that withholds its cosignature still looks', async (t) => {
  verifies('F.4');
  const { world, url } = await startAsked(t, 5);
  const client = clientOf(world, url, 'witness');
  world.witness.behave = (own) =>
    own.type === 'application/json' ? own : { ...own, status: 503, text: 'withheld' };
  await world.addEvents(3);
  await until(() => world.witness.newest()?.size === 8);
  const leaves = await leavesOf(world);
  const leaf_hashes = leaves.map((leaf) => Buffer.from(leaf).toString('base64url'));
  const answer = (await client.write('/v1/proofs', { leaf_hashes, size: 8 })) as unknown as ProofAnswer;
  const { root } = world.witness.newest() ?? { root: Buffer.alloc(0) };
  assert.equal(answer.checkpoint, null);
  assert.equal(answer.oldest_unsequenced, null);
  assert.equal(answer.proofs.length, 8);
  for (const [at, { index, hashes }] of answer.proofs.entries()) {
    const proof = (hashes ?? []).map((hash) => Buffer.from(hash, 'base64url'));
    verifyInclusion({ index: index ?? -1, size: 8, leafHash: leaves[at] ?? Buffer.alloc(0), root, proof });
  }
  const more = client.write('/v1/proofs', { leaf_hashes, size: 9 });
  await assert.rejects(more, refusedAs('unavailable'), 'there is no such tree');
  assert.equal(world.publishedSize(), 5);
});

it('shows the published checkpoint, byte for byte', async (t) => {
  const { world, url } = await startAsked(t, 5);
  const { bytes, contentType } = await clientOf(world, url, 'cli').readBytes('/checkpoint', {
    maxBytes: 10_000,
  });
  assert.deepEqual(bytes, readFileSync(join(world.directory, 'checkpoint')));
  assert.match(contentType, /^text\/plain/);
});

it('has nothing to show before the first', async (t) => {
  const world = await startLogWorld(t);
  const { url } = await world.start();
  await until(() => isReady(url));
  await sleep(PAST_START_MS);
  const client = clientOf(world, url, 'witness');
  await assert.rejects(client.readBytes('/checkpoint', { maxBytes: 10_000 }), refusedAs('not_found'));
  await assert.rejects(client.write('/v1/proofs', { leaf_hashes: [] }), refusedAs('not_found'));
});

it('answers witness and cli, and no other service, stranger or second time', async (t) => {
  verifies('T4.1', 'T4.3');
  const { world, url } = await startAsked(t, 5);
  const body = { leaf_hashes: [] };
  for (const name of ['witness', 'cli'] as const) {
    await clientOf(world, url, name).write('/v1/proofs', body);
  }
  const worker = clientOf(world, url, 'worker');
  await assert.rejects(worker.write('/v1/proofs', body), refusedAs('above_ceiling'));
  await assert.rejects(worker.readBytes('/checkpoint', { maxBytes: 9_999 }), refusedAs('above_ceiling'));
  const unsigned = await fetch(`${url}/v1/proofs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(unsigned.status, 401);
  assert.equal((await fetch(`${url}/checkpoint`)).status, 401);
  const once = signedWrite({
    target: '/v1/proofs',
    body,
    key: world.keys.service('witness'),
    audience: 'sequencer',
  });
  assert.equal((await fetch(`${url}/v1/proofs`, once)).status, 200);
  assert.equal((await fetch(`${url}/v1/proofs`, once)).status, 401);
});

it('takes at most 256 hashes, each in its one spelling', async (t) => {
  verifies('I.1', 'I.4');
  const { world, url } = await startAsked(t, 1);
  const client = clientOf(world, url, 'witness');
  const leaf = Buffer.alloc(32, 0xff).toString('base64url');
  const other = `${leaf.slice(0, -1)}9`;
  const wrong: object[] = [
    { leaf_hashes: Array.from({ length: 257 }, () => leaf) },
    { leaf_hashes: [leaf.slice(1)] },
    { leaf_hashes: [`${leaf}A`] },
    { leaf_hashes: [other] },
    { leaf_hashes: leaf },
    { leaf_hashes: [], more: 1 },
    {},
  ];
  await client.write('/v1/proofs', { leaf_hashes: Array.from({ length: 256 }, () => leaf) });
  for (const body of wrong) {
    await assert.rejects(
      client.write('/v1/proofs', body),
      refusedAs('schema_mismatch'),
      JSON.stringify(body),
    );
  }
});

it('gives no proof from a tile that is wrong or missing', async (t) => {
  verifies('F.4', 'C.0');
  const { world, ask } = await startAsked(t, 300);
  const leaves = (await leavesOf(world)).slice(0, 3);
  await ask(leaves);
  const path = join(world.directory, 'tile/0/000');
  const genuine = readFileSync(path);
  const spoiled = Buffer.from(genuine);
  spoiled[40] = (spoiled[40] ?? 0) ^ 1;
  writeFileSync(path, spoiled);
  await assert.rejects(ask(leaves), refusedAs('unavailable'));
  rmSync(path);
  await assert.rejects(ask(leaves), refusedAs('unavailable'));
  writeFileSync(path, genuine);
  assert.deepEqual(proven(world, await ask(leaves), leaves), [0, 1, 2]);
  const note = join(world.directory, 'checkpoint');
  const text = readFileSync(note, 'utf8');
  // The log's own word alone does not count.
  writeFileSync(note, `${text.split('\n').slice(0, 5).join('\n')}\n`);
  await assert.rejects(ask(leaves), refusedAs('unavailable'));
});

it('answers while the log is halted, and never that something is missing which a backup lost', async (t) => {
  verifies('F.8');
  const { world, url, ask } = await startAsked(t, 20);
  const leaves = await leavesOf(world);
  const client = await world.admin.connect();
  await client.query('begin');
  await client.query("set local session_replication_role = 'replica'");
  await client.query(
    'update audit.log_head set size = 10, root = $1, witnessed_size = 0, witnessed_note = null, epoch = epoch + 1',
    [randomBytes(32)],
  );
  await client.query('delete from audit.log_entries where index >= 10');
  await client.query('commit');
  client.release();
  await world.addEvents(1);
  await until(async () => !(await isReady(url)));
  assert.deepEqual(proven(world, await ask(leaves.slice(0, 3)), leaves.slice(0, 3)), [0, 1, 2]);
  await assert.rejects(ask(leaves.slice(9, 12)), refusedAs('unavailable'));
});

it('keeps no partial tile beside a full one', async (t) => {
  const { world } = await startAsked(t, 250);
  for (let n = 0; n < 4; n += 1) {
    await world.addEvents(3);
    await until(() => world.publishedSize() === 250 + 3 * (n + 1));
  }
  await world.assertWholeLog();
  assert.deepEqual(readdirSync(join(world.directory, 'tile/0')).sort(), ['000', '001.p']);
  assert.deepEqual(readdirSync(join(world.directory, 'tile/entries')).sort(), ['000', '001.p']);
});
