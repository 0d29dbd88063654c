import assert from 'node:assert/strict';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type EmbeddedPostgres, ensureDatabase, startEmbeddedPostgres } from '@deadlatch/postgres';
import pg from 'pg';
import { verifies } from '../../requirements.ts';
import { freePortBase } from '../../support/system.ts';
import { cli, temporaryFolder } from './start.fixture.ts';

/** A PostgreSQL that stands for the operator's own: roles belong to a whole server, so it is one for this file. */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: EmbeddedPostgres;
let databaseUrl: string;

before(async () => {
  folder = await temporaryFolder();
  await chmod(folder.path, 0o711);
  server = await startEmbeddedPostgres({ directory: join(folder.path, 'own'), port: await freePortBase() });
  databaseUrl = await ensureDatabase(server.adminUrl, 'own');
});
after(async () => {
  await server.stop();
  await folder.remove();
});

const migrate = (url: string) =>
  cli(['migrate', '--json', '--state-dir', join(folder.path, 'state')], { env: { DATABASE_URL: url } });

test('a database of your own gets roles and schema, and each service its own URL', async () => {
  verifies('T4.2');
  const first = await migrate(databaseUrl);
  assert.equal(first.code, 0, first.stderr);
  assert.ok(JSON.parse(first.stdout).applied.length > 0);
  assert.deepEqual(JSON.parse((await migrate(databaseUrl)).stdout), { applied: [] });
  for (const [service, role] of [
    ['dispatch-api', 'deadlatch_dispatch'],
    ['vault', 'deadlatch_vault'],
    ['cli', 'deadlatch_demo'],
  ] as const) {
    const url = await readFile(join(folder.path, 'state', 'keys', service, 'database-url'), 'utf8');
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query('select current_user as role, current_database() as database');
    await client.end();
    assert.deepEqual(rows, [{ role, database: 'own' }]);
  }
});

test('a database that turns us away is exit code 4, and its password is not shown', async () => {
  const wrong = new URL(databaseUrl);
  wrong.password = 'secret-word';
  const none = new URL(databaseUrl);
  none.pathname = '/none';
  for (const [url, code] of [
    [wrong.href, '28P01'],
    [none.href, '3D000'],
  ] as const) {
    const ended = await migrate(url);
    assert.equal(ended.code, 4, ended.stderr);
    assert.match(
      ended.stderr,
      new RegExp(`^deadlatch: The database at 127\\.0\\.0\\.1:\\d+ cannot be used \\(${code}\\)`),
    );
    assert.ok(!ended.stderr.includes('secret-word') && !ended.stderr.includes(wrong.password));
  }
});
