import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hashesFromTiles, rangeRoot } from '@deadlatch/audit-log';
import { generateSigningKeyPem } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { until } from '../../../test/support/signed-peer.ts';
import {
  assertNothingHalfWritten,
  isReady,
  type LogWorld,
  type RunningSequencer,
  readStored,
  said,
  startLogWorld,
} from './sequencer.fixture.ts';

/** As somebody with every right on the server could: past triggers and foreign keys. */
async function asSuperuser(world: LogWorld, statements: readonly [string, unknown[]?][]): Promise<void> {
  const client = await world.admin.connect();
  try {
    await client.query('begin');
    await client.query("set local session_replication_role = 'replica'");
    for (const [text, values] of statements) await client.query(text, values);
    await client.query('commit');
  } finally {
    client.release();
  }
}

/** A log of `count` published events whose sequencer was stopped. */
async function publishedLog(t: Parameters<typeof startLogWorld>[0], count: number): Promise<LogWorld> {
  const world = await startLogWorld(t);
  await world.addEvents(count);
  const sequencer = await world.start();
  await until(() => world.publishedSize() === count);
  await sequencer.close();
  return world;
}

/** And `more` that are in the tree, but not published: the witness was away. */
async function unpublishedTail(world: LogWorld, more: number): Promise<void> {
  const { behave } = world.witness;
  world.witness.behave = () => {
    throw new Error('away');
  };
  await world.addEvents(more);
  const sequencer = await world.start();
  await until(async () => (await world.count('unsequenced')) === 0);
  await sequencer.close();
  world.witness.behave = behave;
}

/** Takes the database back to when the log had this many entries, as restoring a backup does. */
async function restoreBackup(world: LogWorld, size: number) {
  const { rows: lost } = await world.admin.query(
    `select e.*, l.index, encode(l.leaf_hash, 'hex') as leaf_hash, encode(e.body, 'hex') as hex
       from audit.log_entries l join audit.events e on e.tenant_id = l.tenant_id and e.id = l.event_id
      where l.index >= $1 order by l.index`,
    [size],
  );
  const total = size + lost.length;
  const root = rangeRoot(
    0,
    size,
    hashesFromTiles(total, (path) => readStored(world.directory, path)),
  );
  const ids = lost.map((row) => row.id);
  await asSuperuser(world, [
    ['delete from audit.log_entries where index >= $1', [size]],
    ['delete from audit.events where id = any($1)', [ids]],
    [
      `update audit.log_head set size = $1, root = $2, witnessed_note = null, witnessed_size = 0`,
      [size, root],
    ],
  ]);
  return lost;
}

async function assertHalted(world: LogWorld, reason: string): Promise<RunningSequencer> {
  const [signed, entries] = [world.witness.signed.length, await world.count('log_entries')];
  const checkpoint = readStored(world.directory, 'checkpoint');
  const sequencer = await world.start();
  await world.addEvents(2);
  await until(() => said(sequencer).length > 0);
  assert.deepEqual(said(sequencer), [`log.halted ${reason}`]);
  assert.equal(await isReady(sequencer.url), false);
  // Long enough for some batches and heartbeats of a log that went on.
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(world.witness.signed.length, signed, 'nothing was signed');
  assert.equal(await world.count('log_entries'), entries, 'nothing was sequenced');
  assert.equal(await world.count('unsequenced'), 2, 'events keep waiting');
  assert.deepEqual(readStored(world.directory, 'checkpoint'), checkpoint, 'nothing was published');
  return sequencer;
}

/** What halted it was put right: it goes on by itself, and says nothing more about it. */
async function assertGoesOn(world: LogWorld, sequencer: RunningSequencer): Promise<void> {
  await until(() => isReady(sequencer.url));
  await world.assertWholeLog();
  const lines = said(sequencer);
  assert.equal(lines.filter((line) => line.startsWith('log.halted')).length, 1, 'said once');
  assert.equal(lines.at(-1), 'log.opened');
  await sequencer.close();
}

const fileOf = (world: LogWorld, path: string) => join(world.directory, path);

describe('a database that was restored from a backup', () => {
  it('is not sequenced or signed, until the lost entries are accepted back', async (t) => {
    verifies('F.8');
    const world = await publishedLog(t, 300);
    const lost = await restoreBackup(world, 120);
    const sequencer = await assertHalted(world, 'restored_backup');
    // What `deadlatch restore accept` does with what the tiles hold.
    const note = readFileSync(fileOf(world, 'checkpoint'));
    const root = Buffer.from(note.toString().split('\n')[2] ?? '', 'base64');
    await world.admin.query('select audit.restore_log($1)', [
      JSON.stringify({
        size: 300,
        first: 120,
        root: root.toString('hex'),
        witnessed_note: note.toString('hex'),
        entries: lost.map((row) => ({
          index: row.index,
          tenant_id: row.tenant_id,
          event_id: row.id,
          leaf_hash: row.leaf_hash,
        })),
        lost: lost.map((row) => ({ ...row, body: row.hex })),
      }),
    ]);
    await assertGoesOn(world, sequencer);
    assert.equal(world.publishedSize(), 302);
  });

  it('is found by what the witness has seen, when checkpoint and tiles are as old as the database', async (t) => {
    verifies('F.8');
    const world = await publishedLog(t, 60);
    rmSync(fileOf(world, 'tile/entries'), { recursive: true });
    const tiles = [...readdirSync(fileOf(world, 'tile/0/000.p'))];
    assert.deepEqual(tiles, ['60']);
    await restoreBackup(world, 20);
    rmSync(fileOf(world, 'tile'), { recursive: true });
    rmSync(fileOf(world, 'checkpoint'));
    const sequencer = await assertHalted(world, 'restored_backup');
    await sequencer.close();
  });

  it('is found as soon as the witness is back, before anything is signed', async (t) => {
    verifies('F.8', 'F.4');
    const world = await publishedLog(t, 60);
    await restoreBackup(world, 20);
    rmSync(fileOf(world, 'tile'), { recursive: true });
    rmSync(fileOf(world, 'checkpoint'));
    const { behave } = world.witness;
    world.witness.behave = () => {
      throw new Error('away');
    };
    const signed = world.witness.signed.length;
    const sequencer = await world.start();
    await until(() => said(sequencer).includes('log.waits_for_witness unreachable'));
    await world.addEvents(3);
    await until(async () => (await world.count('unsequenced')) === 0);
    world.witness.behave = behave;
    await until(() => said(sequencer).includes('log.halted restored_backup'));
    await world.addEvents(3);
    // It remembers what it was shown, also when the witness is gone again.
    world.witness.behave = () => {
      throw new Error('away');
    };
    await new Promise((resolve) => setTimeout(resolve, 6_500));
    assert.equal(await isReady(sequencer.url), false);
    assert.equal(await world.count('unsequenced'), 3);
    assert.equal(world.witness.signed.length, signed);
    assert.equal(readStored(world.directory, 'checkpoint'), undefined);
    await sequencer.close();
  });
});

describe('a log that was tampered with', () => {
  it('does not go on from an event whose bytes are not the ones that were hashed', async (t) => {
    verifies('F.1', 'F.4');
    const world = await publishedLog(t, 10);
    await unpublishedTail(world, 10);
    rmSync(fileOf(world, 'tile/entries'), { recursive: true });
    const { rows } = await world.admin.query(
      `select e.id, e.body from audit.log_entries l join audit.events e on e.id = l.event_id where l.index = 14`,
    );
    const forged = Buffer.from(rows[0].body.toString().replace('test.event', 'test.forged'));
    await asSuperuser(world, [['update audit.events set body = $2 where id = $1', [rows[0].id, forged]]]);
    const sequencer = await assertHalted(world, 'event_altered');
    await asSuperuser(world, [
      ['update audit.events set body = $2 where id = $1', [rows[0].id, rows[0].body]],
    ]);
    await assertGoesOn(world, sequencer);
  });

  it('does not go on when body and leaf hash were changed together', async (t) => {
    verifies('F.1', 'F.4');
    const world = await publishedLog(t, 10);
    await unpublishedTail(world, 10);
    rmSync(fileOf(world, 'tile'), { recursive: true });
    const forged = Buffer.from('{"command":"forged"}');
    const hash = createHash('sha256').update(Buffer.of(0)).update(forged).digest();
    await asSuperuser(world, [
      [
        'update audit.events set body = $1 where id = (select event_id from audit.log_entries where index = 14)',
        [forged],
      ],
      ['update audit.log_entries set leaf_hash = $1 where index = 14', [hash]],
    ]);
    const sequencer = await assertHalted(world, 'root_differs');
    await sequencer.close();
  });

  it('does not go on when an entry is gone', async (t) => {
    const world = await publishedLog(t, 10);
    await unpublishedTail(world, 10);
    rmSync(fileOf(world, 'tile'), { recursive: true });
    await asSuperuser(world, [['delete from audit.log_entries where index = 14']]);
    await (await assertHalted(world, 'entry_missing')).close();
  });

  it('does not go on when the whole of the database was rewritten, back to before what was signed', async (t) => {
    verifies('F.1', 'F.4');
    const world = await publishedLog(t, 10);
    const forged = Buffer.from('{"command":"forged"}');
    const hash = createHash('sha256').update(Buffer.of(0)).update(forged).digest();
    await asSuperuser(world, [
      [
        'update audit.events set body = $1 where id = (select event_id from audit.log_entries where index = 4)',
        [forged],
      ],
      ['update audit.log_entries set leaf_hash = $1 where index = 4', [hash]],
      [`update audit.log_head set root = decode(repeat('ab', 32), 'hex')`],
    ]);
    await (await assertHalted(world, 'root_differs')).close();
  });

  it('does not go on from a tile that says something else than the database', async (t) => {
    const world = await publishedLog(t, 300);
    const path = fileOf(world, 'tile/0/001.p/44');
    const genuine = readFileSync(path);
    const spoiled = Buffer.from(genuine);
    spoiled[40] = (spoiled[40] ?? 0) ^ 1;
    writeFileSync(path, spoiled);
    const sequencer = await assertHalted(world, 'tile_differs');
    writeFileSync(path, genuine);
    await assertGoesOn(world, sequencer);
  });

  it('makes tiles again that are gone, from the database alone', async (t) => {
    verifies('R.1');
    const world = await publishedLog(t, 700);
    await unpublishedTail(world, 50);
    const before = new Map(
      ['tile/0/000', 'tile/0/001', 'tile/entries/000', 'tile/entries/001'].map((path) => [
        path,
        readFileSync(fileOf(world, path)),
      ]),
    );
    rmSync(fileOf(world, 'tile'), { recursive: true });
    const sequencer = await world.start();
    await world.assertWholeLog();
    for (const [path, bytes] of before) assert.deepEqual(readFileSync(fileOf(world, path)), bytes, path);
    await sequencer.close();
  });

  it('does not go on from a checkpoint that the log did not sign', async (t) => {
    const world = await publishedLog(t, 10);
    const note = readFileSync(fileOf(world, 'checkpoint'), 'utf8');
    writeFileSync(fileOf(world, 'checkpoint'), note.replace('\n10\n', '\n9\n'));
    const sequencer = await assertHalted(world, 'checkpoint_not_ours');
    writeFileSync(fileOf(world, 'checkpoint'), note);
    await assertGoesOn(world, sequencer);
  });

  it('does not go on in the database of another log', async (t) => {
    const world = await publishedLog(t, 10);
    await asSuperuser(world, [[`update audit.log_head set origin = 'other.deadlatch/audit'`]]);
    await (await assertHalted(world, 'other_origin')).close();
  });
});

describe('without its key', () => {
  it('nothing is sequenced or signed, and events wait until it is back', async (t) => {
    verifies('C.6');
    const world = await publishedLog(t, 10);
    const file = join(world.keyDirectory, 'log.pem');
    renameSync(file, `${file}.away`);
    const sequencer = await assertHalted(world, 'log_key_unusable');
    renameSync(`${file}.away`, file);
    await assertGoesOn(world, sequencer);
  });

  it('another key does not do: nobody could verify what it signs', async (t) => {
    verifies('C.6');
    const world = await publishedLog(t, 10);
    const file = join(world.keyDirectory, 'log.pem');
    const own = readFileSync(file);
    writeFileSync(file, generateSigningKeyPem());
    const sequencer = await assertHalted(world, 'log_key_unusable');
    writeFileSync(file, own);
    await assertGoesOn(world, sequencer);
  });

  it('a log that nobody has pinned, or that needs no witness, is not written', async (t) => {
    verifies('C.6');
    const world = await publishedLog(t, 10);
    const file = join(world.keyDirectory, 'trust.json');
    const genuine = readFileSync(file, 'utf8');
    const trust = JSON.parse(genuine);
    const log = { ...trust.log, origin: 'other.deadlatch/audit' };
    writeFileSync(file, JSON.stringify({ ...trust, log }));
    const sequencer = await assertHalted(world, 'trust_unusable');
    writeFileSync(file, genuine);
    await until(() => isReady(sequencer.url));
    await sequencer.close();
  });
});

it('what was half written when it was killed is thrown away', async (t) => {
  const world = await publishedLog(t, 10);
  mkdirSync(fileOf(world, 'tile/0'), { recursive: true });
  writeFileSync(fileOf(world, '.0123456789abcdef01234567.part'), 'half');
  const sequencer = await world.start();
  await until(() => isReady(sequencer.url));
  await world.assertWholeLog();
  await sequencer.close();
  assertNothingHalfWritten(world);
});
