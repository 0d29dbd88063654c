import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { commitOf, newId } from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { NO_GRANT, refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { createCommandPath } from '../command-path.ts';
import type { Pool } from '../pool.ts';

/** What the database allows whoever holds the sequencer's role, whatever its code does. */
let db: TestDatabase;
let dispatch: Pool;
let sequencer: Pool;
let admin: Pool;
let t: SeededTenant;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  dispatch = testPool(db.urls.dispatch);
  sequencer = testPool(db.urls.sequencer);
  admin = testPool(db.adminUrl);
});
after(async () => {
  await Promise.all([dispatch.end(), sequencer.end(), admin.end()]);
  await db.drop();
});

async function newEvents(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const commit = commitOf(t, 'autonomy.pause');
    await createCommandPath(dispatch).commitDecision(commit);
    ids.push(commit.event.id);
  }
  return ids;
}

async function head(): Promise<{ size: number; epoch: number; entries: number }> {
  const { rows } = await admin.query(
    'select size, epoch, (select count(*) from audit.log_entries) as entries from audit.log_head',
  );
  return rows[0];
}

async function append(events: readonly string[], over: { epoch?: number; first?: number } = {}) {
  const { size, epoch } = await head();
  const hashes = Buffer.concat(events.map((id) => createHash('sha256').update(id).digest()));
  return await refusalOf(
    sequencer.query('select audit.append_entries($1, $2, $3::uuid[], $4::uuid[], $5, $6)', [
      over.epoch ?? epoch,
      over.first ?? size,
      events.map(() => t.tenantId),
      events,
      hashes,
      randomBytes(32),
    ]),
  );
}

test('waiting events get the next indexes, all of them or none', async () => {
  verifies('F.4');
  const [one = '', two = '', three = ''] = await newEvents(3);
  const before = await head();
  assert.equal(await append([one, two]), 'allowed');
  const grown = await head();
  assert.deepEqual(grown, { ...before, size: before.size + 2, entries: before.entries + 2 });
  const { rows } = await admin.query(
    'select event_id, index from audit.log_entries where event_id = any($1)',
    [[one, two]],
  );
  assert.deepEqual(new Map(rows.map((row) => [row.event_id, row.index])).get(two), before.size + 1);
  // One that has its index already, one that never was, one twice: the others get none either.
  assert.equal(await append([three, one]), 'log_entries_event_key');
  assert.equal(await append([three, newId()]), 'log_entries_event_fkey');
  assert.equal(await append([three, three]), 'log_entries_event_key');
  assert.deepEqual(await head(), grown);
  assert.equal(await append([three]), 'allowed');
});

test('a writer of another epoch, or of another size, appends nothing', async () => {
  verifies('F.4', 'R.1');
  const events = await newEvents(1);
  const { size, epoch } = await head();
  assert.equal(await append(events, { epoch: epoch - 1 }), 'log_writer_superseded');
  assert.equal(await append(events, { epoch: epoch + 1 }), 'log_writer_superseded');
  assert.equal(await append(events, { first: size - 1 }), 'log_writer_superseded');
  assert.equal(await append(events, { first: size + 1 }), 'log_writer_superseded');
  assert.equal(await append(events), 'allowed');
});

test('of two writers that append at the same moment one appends', async () => {
  verifies('R.2');
  const [one = '', two = ''] = await newEvents(2);
  const { size } = await head();
  const outcomes = await Promise.all([append([one], { first: size }), append([two], { first: size })]);
  assert.deepEqual(outcomes.sort(), ['allowed', 'log_writer_superseded']);
  assert.equal((await head()).size, size + 1);
});

test('the sequencer lets no event go without an entry, and takes nothing back', async () => {
  verifies('F.1', 'F.4');
  await newEvents(1);
  const attempts = {
    append_only: [
      'delete from audit.unsequenced',
      'update audit.log_head set size = size - 1',
      'update audit.log_head set epoch = epoch - 1',
      `update audit.log_head set origin = 'a'; update audit.log_head set origin = 'b'`,
    ],
    [NO_GRANT]: [
      'update audit.unsequenced set at = now()',
      'update audit.log_entries set index = index + 1',
      'delete from audit.log_entries',
      'delete from audit.log_head',
      'truncate audit.unsequenced',
      `insert into audit.unsequenced (tenant_id, event_id, bytes) values ('${t.tenantId}', '${newId()}', 1)`,
      'update audit.events set body = body',
      'select actor from audit.events',
    ],
  };
  for (const [refusal, statements] of Object.entries(attempts)) {
    for (const statement of statements) {
      assert.equal(await refusalOf(sequencer.query(statement)), refusal, statement);
    }
  }
});
