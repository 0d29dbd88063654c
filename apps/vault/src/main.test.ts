import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { generateInboxKeyPem, generateSigningKeyPem, loadInboxKey, loadSigningKey } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { makeLogTrust } from '../../../test/support/log-trust.ts';
import { pinnedForGood } from '../../../test/support/pinned-for-good.ts';
import { seedTenant } from '../../../test/support/seed.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const [contact, account] = [randomUUID(), randomUUID()];

let database: TestDatabase;
let tenantId: string;
let keyDir: string;

before(async () => {
  database = await createTestDatabase();
  ({ tenantId } = await seedTenant(database.adminUrl));
  keyDir = await mkdtemp(join(tmpdir(), 'deadlatch-vault-'));
  const inbox = generateInboxKeyPem();
  const files: Record<string, string> = {
    'kek.key': randomBytes(32).toString('base64url'),
    'index.key': randomBytes(32).toString('base64url'),
    'inbox.pem': inbox,
    'signing.pem': generateSigningKeyPem(),
    'database-url': database.urls.vault,
    'trust.json': JSON.stringify({
      environment: 'test',
      services: [],
      grant_keys: [freshPin()],
      token_keys: [freshPin()],
      inbox_key: { x: loadInboxKey(inbox).x },
      ...makeLogTrust('test'),
    }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(keyDir, name), content);
});
after(async () => {
  await database.drop();
  await rm(keyDir, { recursive: true, force: true });
});

const freshPin = () => pinnedForGood(loadSigningKey(generateSigningKeyPem()));

/** A program of the vault, allowed to read the code and its own keys and nothing else. */
function start(
  program: string,
  env: Record<string, string>,
  flagsOfItsOwn: readonly string[] = [],
): ChildProcess {
  const readable = ['node_modules', 'packages', 'apps/vault', 'package.json'].map((path) => join(ROOT, path));
  const flags = [...readable, keyDir].map((path) => `--allow-fs-read=${path}`);
  return spawn(
    process.execPath,
    ['--permission', ...flagsOfItsOwn, ...flags, join(ROOT, 'apps/vault/src', program)],
    { cwd: ROOT, env: { ...environment(), ...env }, stdio: ['pipe', 'pipe', 'pipe'] },
  );
}

function environment(): Record<string, string> {
  return {
    DEADLATCH_ENVIRONMENT: 'test',
    DEADLATCH_TENANT_ID: tenantId,
    DEADLATCH_KEY_DIR: keyDir,
    DEADLATCH_MTLS: 'mesh',
    WITNESS_URL: 'http://127.0.0.1:1',
  };
}

async function enrol(input: object): Promise<{ code: number | null; out: string; err: string }> {
  const child = start('enrol-main.ts', {});
  assert.ok(child.stdin && child.stdout && child.stderr);
  child.stdin.end(JSON.stringify(input));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: child.exitCode ?? (await once(child, 'exit'))[0], out, err };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('the enrolment program takes contacts from standard input and says only how many values are new', async () => {
  const input = {
    contacts: [{ contact_id: contact, account_id: account, name: 'Maria Quillon', phone: '+15125550123' }],
    account_values: [{ account_id: account, kind: 'site', value: 'Riverside Corner Store' }],
  };
  assert.deepEqual(await enrol(input), { code: 0, out: '{"stored":3}\n', err: '' });
  assert.deepEqual(await enrol(input), { code: 0, out: '{"stored":0}\n', err: '' });
  const refused = await enrol({ ...input, contacts: [{ ...input.contacts[0], phone: 'Quillon' }] });
  assert.equal(refused.code, 1);
  assert.equal(refused.err, 'the vault could not take the data: schema_mismatch\n');
});

/** What `/readyz` answers once the service listens; 0 when it never did. */
async function statusAtStart(flagsOfItsOwn: readonly string[]): Promise<{ status: number; code: number }> {
  const port = await freePort();
  const env = { DEADLATCH_HOST: '127.0.0.1', DEADLATCH_PORT: String(port) };
  const child = start('main.ts', env, flagsOfItsOwn);
  child.stdout?.resume();
  child.stderr?.resume();
  let status = 0;
  while (status === 0 && child.exitCode === null) {
    status = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      (response) => response.status,
      () => delay(20, 0),
    );
  }
  child.kill('SIGTERM');
  const code = child.exitCode ?? (await once(child, 'exit'))[0];
  return { status, code };
}

test('the service starts with read access to its own folder only, masks, and stops when asked', async () => {
  assert.deepEqual(await statusAtStart(['--allow-worker']), { status: 200, code: 0 });
});

test('a service that cannot start its masking thread is not ready', async () => {
  verifies('C.0');
  assert.deepEqual(await statusAtStart([]), { status: 503, code: 0 });
});

test('half a configuration is refused with a sentence that names every problem', async () => {
  verifies('C.7');
  const child = start('main.ts', { DEADLATCH_HOST: '127.0.0.1', DEADLATCH_PORT: 'x' });
  assert.ok(child.stderr);
  const err = await text(child.stderr);
  const code = child.exitCode ?? (await once(child, 'exit'))[0];
  assert.equal(code, 2);
  assert.match(err, /DEADLATCH_PORT/);
});

test('one key for two purposes is refused', async () => {
  verifies('C.7');
  const index = join(keyDir, 'index.key');
  const key = randomBytes(32).toString('base64url');
  await writeFile(index, key);
  await writeFile(join(keyDir, 'kek.key'), key);
  const refused = await enrol({ contacts: [], account_values: [] });
  assert.equal(refused.code, 2);
  assert.match(refused.err, /must differ/);
  assert.equal(refused.err.includes(key), false);
});
