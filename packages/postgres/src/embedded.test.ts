import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { commitOf, newId } from '../../../test/support/commits.ts';
import { testPool } from '../../../test/support/database.ts';
import { seedTenant } from '../../../test/support/seed.ts';
import { createCommandPath } from './command-path.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts';
import { stopOrphan } from './embedded-lock.ts';
import { ensureDatabase, migrate } from './migrate.ts';
import { urlForRole } from './roles.ts';

let directory: string;
let port: number;
let server: EmbeddedPostgres;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'deadlatch-embedded-'));
  await chmod(directory, 0o711);
  port = await freePort();
  server = await startEmbeddedPostgres({ directory: join(directory, 'one'), port });
});
after(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

test('starting twice says so', async () => {
  await assert.rejects(startEmbeddedPostgres({ directory: join(directory, 'one'), port: await freePort() }), {
    name: 'StartError',
    code: 'already_running',
    message: /already running on .*one.*process \d+.*started twice/,
  });
});

test('a port in use is a clear sentence', async () => {
  await assert.rejects(startEmbeddedPostgres({ directory: join(directory, 'two'), port }), {
    name: 'StartError',
    code: 'port_in_use',
    message: `Port ${port} on 127.0.0.1 is in use by another program.`,
  });
});

test('no password, a wrong password and another address are refused', async () => {
  verifies('T4.2');
  for (const url of [
    `postgres://postgres@127.0.0.1:${port}/postgres`,
    `postgres://postgres:wrong@127.0.0.1:${port}/postgres`,
  ]) {
    const pool = testPool(url);
    await assert.rejects(pool.query('select 1'));
    await pool.end();
  }
  const pool = testPool(server.adminUrl);
  const { rows } = await pool.query(
    "select name, setting from pg_settings where name in ('fsync','synchronous_commit','full_page_writes','listen_addresses','password_encryption') order by 1",
  );
  assert.deepEqual(
    rows.map((r) => `${r.name}=${r.setting}`),
    [
      'fsync=on',
      'full_page_writes=on',
      'listen_addresses=127.0.0.1',
      'password_encryption=scram-sha-256',
      'synchronous_commit=on',
    ],
  );
  await pool.end();
});

test("a failing statement leaves neither its text nor its values in the server's log", async () => {
  verifies('T5.1');
  const canary = `canary-${newId()}`;
  const pool = testPool(server.adminUrl);
  await assert.rejects(pool.query(`select '${canary}'::int`));
  await assert.rejects(pool.query('select $1::text::int', [canary]));
  await pool.query('create temporary table unique_once (v text unique)');
  await pool.query('insert into unique_once values ($1)', [canary]).catch(() => undefined);
  await pool.query('insert into unique_once values ($1)', [canary]).catch(() => undefined);
  await pool.end();
  const log = await readFile(join(directory, 'one', 'server.log'), 'utf8');
  assert.match(log, /ready to accept connections/);
  assert.ok(!log.includes(canary));
});

test('killed at any moment, it comes back with everything that was answered, timers included', async () => {
  verifies('R.1', 'R.3');
  const adminUrl = await ensureDatabase(server.adminUrl, 'deadlatch');
  await migrate({ adminUrl, passwords: { dispatch: 'x' } });
  const t = await seedTenant(adminUrl);
  const timer = {
    id: newId(),
    kind: 'approval.expire',
    target_id: newId(),
    due_at: new Date().toISOString(),
  } as const;
  const commit = commitOf(t, 'tech.request_change', { changes: { timers: [timer] } });
  const pool = testPool(urlForRole(adminUrl, 'dispatch', 'x'));
  await createCommandPath(pool).commitDecision(commit);
  process.kill(server.pid, 'SIGKILL');
  await server.ended;
  await pool.end();
  // The lock file is still there, and its process is gone.
  await readFile(join(directory, 'one', 'data', 'postmaster.pid'));
  server = await startAgain();
  const admin = testPool(await ensureDatabase(server.adminUrl, 'deadlatch'));
  const { rows } = await admin.query('select event_id from dispatch.timers where id = $1', [timer.id]);
  assert.equal(rows[0]?.event_id, commit.event.id);
  await admin.end();
});

/** Children of a killed postmaster need a moment to notice; the server says so and is tried again. */
async function startAgain(): Promise<EmbeddedPostgres> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await startEmbeddedPostgres({ directory: join(directory, 'one'), port: await freePort() });
    } catch (error) {
      if (attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

test('a lock file of a process that is not PostgreSQL is stale', async () => {
  const dataDir = join(directory, 'three', 'data');
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  try {
    const first = await startEmbeddedPostgres({
      directory: join(directory, 'three'),
      port: await freePort(),
    });
    await first.stop();
    await writeFile(join(dataDir, 'postmaster.pid'), `${other.pid}\n${dataDir}\n`);
    const second = await startEmbeddedPostgres({
      directory: join(directory, 'three'),
      port: await freePort(),
    });
    await second.stop();
  } finally {
    other.kill();
  }
});

test('an orphan is stopped by its folder, and only that one', async () => {
  assert.equal(await stopOrphan(join(directory, 'nothing-here')), false);
  const orphan = await startEmbeddedPostgres({ directory: join(directory, 'four'), port: await freePort() });
  assert.equal(await stopOrphan(join(directory, 'four')), true);
  await orphan.ended;
  assert.equal(await stopOrphan(join(directory, 'four')), false);
});

test('a database of another PostgreSQL version is named, not touched', async () => {
  const dataDir = join(directory, 'five', 'data');
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, 'PG_VERSION'), '12\n');
  await writeFile(join(directory, 'five', 'admin-password'), 'x\n');
  await assert.rejects(
    startEmbeddedPostgres({ directory: join(directory, 'five'), port: await freePort() }),
    {
      code: 'version_mismatch',
      message: /made by PostgreSQL 12, this is PostgreSQL \d+/,
    },
  );
});

test('a start that was killed while creating the database starts over', async () => {
  const unfinished = join(directory, 'six', 'data.unfinished');
  await mkdir(unfinished, { recursive: true });
  await writeFile(join(unfinished, 'PG_VERSION'), '18\n');
  await writeFile(join(directory, 'six', 'admin-password'), 'old\n');
  const fresh = await startEmbeddedPostgres({ directory: join(directory, 'six'), port: await freePort() });
  await fresh.stop();
});

test('a folder that the server user cannot enter does not keep it from starting', async () => {
  const closed = join(directory, 'closed');
  await mkdir(closed, { mode: 0o700 });
  const folder = join(closed, 'seven');
  const first = await startEmbeddedPostgres({ directory: folder, port: await freePort() });
  const url = await ensureDatabase(first.adminUrl, 'kept');
  assert.ok(url);
  await first.stop();
  const second = await startEmbeddedPostgres({ directory: folder, port: await freePort() });
  const pool = testPool(second.adminUrl);
  const { rows } = await pool.query("select 1 from pg_database where datname = 'kept'");
  assert.equal(rows.length, 1);
  await pool.end();
  await second.stop();
  const elsewhere = await readFile(join(folder, 'location'), 'utf8').catch(() => null);
  if (elsewhere !== null) await rm(elsewhere.trim(), { recursive: true, force: true });
});

test('migrations only move forward: a changed file and a newer database are refused with a sentence', async () => {
  const adminUrl = await ensureDatabase(server.adminUrl, 'migrations');
  const copy = join(directory, 'sql');
  await cp(new URL('../../../sql/', import.meta.url), copy, { recursive: true });
  const run = () => migrate({ adminUrl, sqlDirectory: copy });
  const first = await run();
  assert.equal(first.applied[0], join('dispatch', '0001-schemas.sql'));
  assert.deepEqual((await run()).applied, []);
  const extra = join(copy, 'dispatch', '9999-extra.sql');
  await writeFile(extra, 'create table dispatch.extra (one integer);');
  assert.deepEqual((await run()).applied, [join('dispatch', '9999-extra.sql')]);
  await writeFile(extra, 'create table dispatch.extra (two integer);');
  await assert.rejects(run(), {
    code: 'changed_migration',
    message: /9999-extra\.sql was changed after it was applied/,
  });
  await rm(extra);
  await assert.rejects(run(), { code: 'newer_database', message: /at migration 9999, this code knows \d+/ });
});

test('a migration that fails leaves nothing behind', async () => {
  const adminUrl = await ensureDatabase(server.adminUrl, 'failing');
  const copy = join(directory, 'sql-failing');
  await cp(new URL('../../../sql/', import.meta.url), copy, { recursive: true });
  await writeFile(join(copy, 'dispatch', '9999-bad.sql'), 'select no_such_function();');
  await assert.rejects(migrate({ adminUrl, sqlDirectory: copy }), /9999-bad\.sql: function no_such_function/);
  const admin = testPool(adminUrl);
  const { rows } = await admin.query(
    "select count(*)::int as n from pg_namespace where nspname = 'dispatch'",
  );
  assert.equal(rows[0]?.n, 0);
  await admin.end();
});
