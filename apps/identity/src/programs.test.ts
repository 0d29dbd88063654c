import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateInboxKeyPem, generateSigningKeyPem, loadInboxKey, loadSigningKey } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../test/support/database.ts';
import { makeLogTrust } from '../../../test/support/log-trust.ts';
import { pinnedForGood } from '../../../test/support/pinned-for-good.ts';
import { type SeededTenant, seedTenant } from '../../../test/support/seed.ts';

const APP = join(import.meta.dirname, '..');
const WORKSPACE = join(APP, '..', '..');

let database: TestDatabase;
let tenant: SeededTenant;
let keyDirectory: string;

before(async () => {
  database = await createTestDatabase();
  tenant = await seedTenant(database.adminUrl);
  keyDirectory = await mkdtemp(join(tmpdir(), 'identity-keys-'));
  await writeKeys(keyDirectory, database.urls.identity);
});
after(async () => {
  await rm(keyDirectory, { recursive: true, force: true });
  await database?.drop();
});

async function writeKeys(directory: string, databaseUrl: string): Promise<void> {
  const [token, grant] = [generateSigningKeyPem(), generateSigningKeyPem()];
  const trust = {
    environment: 'demo',
    services: [],
    grant_keys: [pinnedForGood(loadSigningKey(grant))],
    token_keys: [pinnedForGood(loadSigningKey(token))],
    inbox_key: { x: loadInboxKey(generateInboxKeyPem()).x },
    ...makeLogTrust('demo'),
  };
  const files: Record<string, string> = {
    'signing.pem': generateSigningKeyPem(),
    'token.pem': token,
    'code.key': randomBytes(32).toString('base64url'),
    'smtp-url': 'smtp://identity:secret@127.0.0.1:4395',
    'database-url': databaseUrl,
    'trust.json': JSON.stringify(trust),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
}

/** Starts a program the way the supervisor does: it may read the code and its own keys, and nothing else. */
function start(main: string, port: number, change: Record<string, string | undefined> = {}): ChildProcess {
  const env = {
    DEADLATCH_ENVIRONMENT: 'demo',
    DEADLATCH_TENANT_ID: tenant.tenantId,
    DEADLATCH_KEY_DIR: keyDirectory,
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: String(port),
    DEADLATCH_INTERNAL_PORT: '4321',
    DEADLATCH_MTLS: 'mesh',
    IDENTITY_PUBLIC_URL: 'http://localhost:4320',
    DISPATCH_API_URL: 'http://127.0.0.1:1',
    WITNESS_URL: 'http://127.0.0.1:1',
    VAULT_URL: 'http://127.0.0.1:1',
    SMTP_SENDER: 'approvals@deadlatch.example',
    ...change,
  };
  const reads = [
    join(WORKSPACE, 'node_modules'),
    join(WORKSPACE, 'packages'),
    APP,
    join(WORKSPACE, 'package.json'),
    keyDirectory,
  ];
  const flags = ['--permission', ...reads.map((path) => `--allow-fs-read=${path}`)];
  return spawn(process.execPath, [...flags, join(APP, 'src', main)], { env, stdio: 'pipe' });
}

async function outcomeOf(
  child: ChildProcess,
  input?: string,
): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    said.out += chunk.toString('utf8');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    said.err += chunk.toString('utf8');
  });
  child.stdin?.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...said };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('the enrolment program', () => {
  const entry = (change: Record<string, unknown> = {}) => ({
    tenant_id: tenant.tenantId,
    contact_id: tenant.contacts.alan,
    kind: 'email',
    value: 'alan@stores.example',
    ...change,
  });
  const run = (commitments: readonly unknown[]) =>
    outcomeOf(start('enrol-main.ts', 1), JSON.stringify({ commitments }));

  it('keeps a keyed commitment of each address, and nothing else of it', async () => {
    verifies('T3.7');
    const { code, out } = await run([entry(), entry({ kind: 'phone', value: '+1 212 555 0100' })]);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out), { stored: 2 });
    const admin = testPool(database.adminUrl, 1);
    const { rows } = await admin.query<{ kind: string; commitment: string }>(
      'select kind, commitment from identity.address_commitments order by kind',
    );
    const { rows: events } = await admin.query<{ body: string }>(
      "select convert_from(body, 'UTF8') as body from audit.events where command = 'address.commit'",
    );
    await admin.end();
    assert.deepEqual(
      rows.map((row) => row.kind),
      ['email', 'phone'],
    );
    assert.ok(rows.every((row) => /^[A-Za-z0-9_-]{43}$/.test(row.commitment)));
    assert.equal(events.length, 2);
    assert.ok(!events.some((event) => /stores\.example|555/.test(event.body)));
  });

  it('refuses what it does not know, without repeating it', async () => {
    const bad = [
      [],
      [entry({ tenant_id: randomUUID() })],
      [entry({ kind: 'fax' })],
      [entry({ more: 1 })],
      [entry({ value: 7 })],
    ];
    for (const commitments of bad) {
      const { code, err } = await run(commitments);
      assert.equal(code, 1);
      assert.match(err, /^identity could not take the addresses: [a-z_]+\n$/);
    }
  });
});

describe('the service program', () => {
  it('starts with its own keys alone, is ready, and ends when asked', async () => {
    verifies('T4.2');
    const port = await freePort();
    const internalPort = await freePort();
    const child = start('main.ts', port, { DEADLATCH_INTERNAL_PORT: String(internalPort) });
    const outcome = outcomeOf(child);
    let status = 0;
    for (let tries = 0; tries < 200 && status !== 200; tries += 1) {
      status = await fetch(`http://127.0.0.1:${port}/readyz`).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status !== 200) await sleep(50);
    }
    assert.equal(status, 200);
    const page = await fetch(`http://127.0.0.1:${port}/approve/${'a'.repeat(22)}`);
    assert.equal(page.status, 503, 'dispatch-api does not answer');
    // Neither port has what the other one is for.
    const inside = `http://127.0.0.1:${internalPort}`;
    assert.equal((await fetch(`${inside}/readyz`)).status, 200);
    assert.equal((await fetch(`${inside}/approve/${'a'.repeat(22)}`)).status, 404);
    const session = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    assert.equal((await fetch(`${inside}/v1/sessions`, session)).status, 401);
    assert.equal((await fetch(`http://127.0.0.1:${port}/v1/sessions`, session)).status, 404);
    assert.match(await page.text(), /cannot answer right now/);
    child.kill('SIGTERM');
    assert.equal((await outcome).code, 0);
  });

  it('refuses to start half set up, naming what is missing and never a secret', async () => {
    verifies('C.7');
    const missing = await outcomeOf(
      start('main.ts', 1, { SMTP_SENDER: undefined, DEADLATCH_TENANT_ID: 'nobody' }),
    );
    assert.equal(missing.code, 2);
    assert.match(missing.err, /SMTP_SENDER/);
    assert.match(missing.err, /DEADLATCH_TENANT_ID/);
    const wrongPlace = await outcomeOf(start('main.ts', 1, { DEADLATCH_ENVIRONMENT: 'prod' }));
    assert.equal(wrongPlace.code, 2);
    assert.match(wrongPlace.err, /another environment/);
    await writeFile(join(keyDirectory, 'smtp-url'), 'http://identity:hunter2@127.0.0.1');
    try {
      const wrongMail = await outcomeOf(start('main.ts', 1));
      assert.equal(wrongMail.code, 2);
      assert.match(wrongMail.err, /smtp-url/);
      assert.ok(!wrongMail.err.includes('hunter2'));
    } finally {
      await writeFile(join(keyDirectory, 'smtp-url'), 'smtp://identity:secret@127.0.0.1:4395');
    }
  });
});
