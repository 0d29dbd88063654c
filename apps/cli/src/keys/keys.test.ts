import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import pg from 'pg';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { StartError, UnreachableError, UsageError } from '../arguments.ts';
import { readOperatorKey } from '../operator-event.ts';
import { bootstrap } from '../up/bootstrap.ts';
import { ensureInstallation, type Installation } from '../up/installation.ts';
import { ensureKeys, type KeyEntry, SIGNERS, type Trust } from '../up/keys.ts';
import { prepareStateDir, type StateDir, stateDirAt } from '../up/state-dir.ts';
import { issueKey } from './issue-key.ts';
import { listKeys } from './list-keys.ts';
import { type OpenKeys, withKeys } from './open-keys.ts';
import { revokeKey } from './revoke-key.ts';
import { KNOWN_EVERYWHERE_MS, rotateKeys } from './rotate-keys.ts';
import { slotNamed } from './slots.ts';

const START = Date.parse('2026-03-01T12:00:00.000Z');
const WEB = slotNamed('web');

let database: TestDatabase;
let admin: pg.Client;
let root: string;
let state: StateDir;
let installation: Installation;
let clock: number;
let waited: number[];
const now = () => clock;

before(async () => {
  database = await createTestDatabase();
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
});
after(async () => {
  await admin.end();
  await database.drop();
});

beforeEach(async () => {
  clock = START;
  waited = [];
  root = await mkdtemp(join(tmpdir(), 'deadlatch-keys-'));
  state = stateDirAt(root);
  await prepareStateDir(state);
  installation = await ensureInstallation(state, 'empty');
  const trust = await ensureKeys(state.keys, installation.environment, [...SIGNERS, 'agent'], clock);
  await bootstrap(database.adminUrl, installation, trust, await readOperatorKey(state.keys), clock);
});

afterEach(() => rm(root, { recursive: true, force: true }));

const online = <T>(work: (keys: OpenKeys) => Promise<T>) =>
  withKeys({ stateDir: root, databaseUrl: database.adminUrl }, now, work);
const offline = <T>(work: (keys: OpenKeys) => Promise<T>) =>
  withKeys({ stateDir: root, databaseUrl: undefined }, now, work);
const wait = async (ms: number) => {
  waited.push(ms);
  clock += ms;
};
const rotate = (keys: OpenKeys, name = 'web', overlapS?: number) =>
  rotateKeys(keys, [slotNamed(name)], { overlapS, now, wait });
const keyIn = async (service: string, file: string) =>
  loadSigningKey(await readFile(join(state.keys, service, file), 'utf8')).keyId;
const trustOf = async (service: string): Promise<Trust> =>
  JSON.parse(await readFile(join(state.keys, service, 'trust.json'), 'utf8'));
const webPins = async (service: string) =>
  (await trustOf(service)).services.filter((key) => key.service === 'web');
const rowsOf = async (service: string) => {
  const { rows } = await admin.query<{ keyid: string; not_after: Date; is_revoked: boolean }>(
    `select keyid, not_after, revoked_at is not null as is_revoked from trust.service_keys
      where service = $1 and event_tenant_id = $2 order by not_before, keyid`,
    [service, installation.tenantId],
  );
  return rows;
};
const eventsSince = async (count: number) => {
  const { rows } = await admin.query<{ command: string }>(
    'select command from audit.events where tenant_id = $1 order by at, id',
    [installation.tenantId],
  );
  return rows.slice(count).map(({ command }) => command);
};
const statesOf = async (service: string, purpose = 'signing') =>
  (await listKeys(state.keys, clock))
    .filter((key) => key.service === service && key.purpose === purpose)
    .map((key) => key.state);

describe('keys rotate', () => {
  it('pins everywhere, waits, puts the new key in place and ends the old one', async () => {
    verifies('T4.2');
    const old = await keyIn('web', 'signing.pem');
    const before = (await eventsSince(0)).length;
    const seenWhileWaiting: unknown[] = [];
    const [rotated] = await online((keys) =>
      rotateKeys(keys, [WEB], {
        overlapS: undefined,
        now,
        wait: async (ms) => {
          seenWhileWaiting.push(await keyIn('web', 'signing.pem'), (await rowsOf('web')).length);
          for (const service of ['web', 'agent', 'dispatch-api'])
            seenWhileWaiting.push((await webPins(service)).length);
          await wait(ms);
        },
      }),
    );
    assert.deepEqual(seenWhileWaiting, [old, 2, 2, 2, 2]);
    assert.deepEqual(waited, [KNOWN_EVERYWHERE_MS]);
    assert.equal(await keyIn('web', 'signing.pem'), rotated?.keyid);
    await assert.rejects(keyIn('web', 'signing.next.pem'));
    const until = START + KNOWN_EVERYWHERE_MS + 130_000;
    assert.deepEqual(
      (await rowsOf('web')).map(({ keyid, not_after }) => [keyid, not_after.getTime() === until]),
      [
        [old, true],
        [rotated?.keyid, false],
      ],
    );
    assert.equal(Date.parse((await webPins('gateway'))[0]?.until ?? ''), until);
    assert.deepEqual(await eventsSince(before), ['operator.put_service_key', 'operator.retire_service_key']);
    assert.deepEqual(await statesOf('web'), ['retiring', 'current']);
    clock = until;
    assert.deepEqual(await statesOf('web'), ['expired', 'current']);
  });

  it('uses the key that was issued before, and does not wait for what is known already', async () => {
    const issued = await online((keys) => issueKey(keys, WEB, clock));
    assert.deepEqual(await statesOf('web'), ['current', 'next']);
    clock += KNOWN_EVERYWHERE_MS;
    const [rotated] = await online(rotate);
    assert.equal(rotated?.keyid, issued.keyid);
    assert.deepEqual(waited, [0]);
  });

  it('goes on where it was interrupted, and leaves no key behind', async () => {
    verifies('T4.2');
    const interrupted = new Error('killed');
    const killed = online((keys) =>
      rotateKeys(keys, [WEB], { overlapS: 65, now, wait: () => Promise.reject(interrupted) }),
    );
    await assert.rejects(killed, interrupted);
    const next = await keyIn('web', 'signing.next.pem');
    // Killed between the new file and the end of the old key: as if nobody had retired it.
    await online(rotate);
    assert.equal(await keyIn('web', 'signing.pem'), next);
    const trust = await trustOf('cli');
    const endless = trust.services.map((key) => ({ ...key, until: '2099-01-01T00:00:00.000Z' }));
    await writeFile(join(state.keys, 'trust.json'), JSON.stringify({ ...trust, services: endless }));
    await online((keys) => rotate(keys, 'web', 65));
    const usable = (await webPins('web')).filter((key) => Date.parse(key.until) > clock + 65_000);
    assert.deepEqual(
      usable.map(({ keyid }) => keyid),
      [await keyIn('web', 'signing.pem')],
    );
  });

  it('of a key whose file is lost waits too: a process may hold it and sign with it', async () => {
    for (const spoil of [(path: string) => rm(path), (path: string) => writeFile(path, 'no key')]) {
      const old = await keyIn('web', 'signing.pem');
      await spoil(join(state.keys, 'web', 'signing.pem'));
      const [rotated] = await online(rotate);
      assert.deepEqual([rotated?.old?.keyid, waited.pop()], [old, KNOWN_EVERYWHERE_MS]);
      assert.equal(await keyIn('web', 'signing.pem'), rotated?.keyid);
    }
  });

  it('of grants and tokens changes every bundle and leaves its events', async () => {
    verifies('T4.2');
    const before = (await eventsSince(0)).length;
    const olds = [await keyIn('dispatch-api', 'grant.pem'), await keyIn('identity', 'token.pem')];
    const [grant] = await online((keys) => rotate(keys, 'grant'));
    const [token] = await online((keys) => rotate(keys, 'token'));
    for (const service of ['identity', 'vault', 'tool-bridge', 'agent']) {
      const trust = await trustOf(service);
      const idsOf = (pins: readonly KeyEntry[]) => pins.map(({ keyid }) => keyid);
      assert.deepEqual(idsOf(trust.grant_keys), [olds[0], grant?.keyid]);
      assert.deepEqual(idsOf(trust.token_keys), [olds[1], token?.keyid]);
    }
    // A page that was opened a moment ago shows its grant for a quarter of an hour.
    assert.equal(Date.parse(grant?.old?.until ?? ''), START + KNOWN_EVERYWHERE_MS + 970_000);
    assert.deepEqual(await eventsSince(before), [
      'operator.put_grant_key',
      'operator.retire_grant_key',
      'operator.put_token_key',
      'operator.retire_token_key',
    ]);
    assert.deepEqual(await statesOf('identity', 'token'), ['retiring', 'current']);
  });

  it('without anything that runs waits for nobody, and the table learns of it at the next start', async () => {
    const old = await keyIn('web', 'signing.pem');
    const [rotated] = await offline(rotate);
    assert.deepEqual(waited, []);
    assert.equal((await rowsOf('web')).length, 1);
    const trust = await ensureKeys(state.keys, installation.environment, SIGNERS, clock);
    await bootstrap(database.adminUrl, installation, trust, await readOperatorKey(state.keys), clock);
    const rows = await rowsOf('web');
    assert.deepEqual(
      rows.map(({ keyid }) => keyid),
      [old, rotated?.keyid],
    );
    assert.equal(rows[0]?.not_after.getTime(), clock + 130_000);
  });
});

describe('keys issue', () => {
  it('gives a service without a key its first one, at once', async () => {
    await rm(join(state.keys, 'web', 'signing.pem'));
    const { kind, pin } = await online((keys) => issueKey(keys, WEB, clock));
    assert.deepEqual([kind, Date.parse(pin.from) < clock], ['first', true]);
    assert.equal(await keyIn('web', 'signing.pem'), pin.keyid);
  });

  it('pins the key that an issuer of your own put there, and makes no other', async () => {
    verifies('T4.2');
    const pem = generateSigningKeyPem();
    await writeFile(join(state.keys, 'web', 'signing.pem'), pem);
    assert.deepEqual(await statesOf('web'), ['retiring', 'not_pinned']);
    const found = await online((keys) => issueKey(keys, WEB, clock));
    assert.deepEqual([found.kind, found.keyid], ['found', loadSigningKey(pem).keyId]);
    await writeFile(join(state.keys, 'web', 'signing.next.pem'), generateSigningKeyPem());
    clock += 1_000;
    const next = await online((keys) => issueKey(keys, WEB, clock));
    assert.equal(next.keyid, await keyIn('web', 'signing.next.pem'));
    const again = await online((keys) => issueKey(keys, WEB, clock));
    assert.equal(again.keyid, next.keyid);
    assert.equal((await rowsOf('web')).length, 3);
  });

  it('quotes nothing of a file that is no key', async () => {
    await writeFile(join(state.keys, 'web', 'signing.next.pem'), 'canary');
    const failed = online((keys) => issueKey(keys, WEB, clock));
    await assert.rejects(failed, (error) => error instanceof StartError && !/canary/.test(String(error)));
  });
});

describe('keys revoke', () => {
  it('is in the table and in every bundle, for good', async () => {
    verifies('T4.2');
    const old = await keyIn('web', 'signing.pem');
    await online(rotate);
    const before = (await eventsSince(0)).length;
    const { isSilenced } = await online((keys) => revokeKey(keys, old, false, clock));
    assert.equal(isSilenced, false);
    assert.deepEqual(
      (await rowsOf('web')).map(({ is_revoked }) => is_revoked),
      [true, false],
    );
    for (const service of [...SIGNERS, 'agent'])
      assert.equal((await webPins(service))[0]?.revoked_at, new Date(clock).toISOString(), service);
    assert.deepEqual(await statesOf('web'), ['revoked', 'current']);
    clock += 5_000;
    const again = await online((keys) => revokeKey(keys, old, false, clock));
    assert.equal(again.pin.revoked_at, new Date(clock - 5_000).toISOString());
    assert.deepEqual(await eventsSince(before), ['operator.revoke_service_key']);
  });

  it('asks before it leaves a service without a key', async () => {
    verifies('T4.2');
    const current = await keyIn('identity', 'token.pem');
    const ask = () => online((keys) => revokeKey(keys, current, false, clock));
    await assert.rejects(ask(), (error) => error instanceof StartError && /--yes/.test(error.message));
    assert.equal((await trustOf('identity')).token_keys[0]?.revoked_at, undefined);
    const { isSilenced } = await online((keys) => revokeKey(keys, current, true, clock));
    assert.equal(isSilenced, true);
    // Nobody accepts the old one: there is nothing to wait for.
    await online((keys) => rotate(keys, 'token'));
    assert.deepEqual(waited, []);
    const newest = await keyIn('identity', 'token.pem');
    await online((keys) => rotate(keys, 'token'));
    assert.deepEqual(waited.splice(0), [KNOWN_EVERYWHERE_MS]);
    await online((keys) => revokeKey(keys, newest, false, clock));
    assert.deepEqual(await statesOf('identity', 'token'), ['revoked', 'revoked', 'current']);
  });

  it('reaches the bundles also when the database does not take it', async () => {
    verifies('T4.2', 'C.6');
    const old = await keyIn('web', 'signing.pem');
    await online(rotate);
    await admin.query('alter table trust.service_keys rename to hidden_keys');
    try {
      await assert.rejects(online((keys) => revokeKey(keys, old, false, clock)));
    } finally {
      await admin.query('alter table trust.hidden_keys rename to service_keys');
    }
    assert.ok((await webPins('gateway'))[0]?.revoked_at);
    assert.equal((await rowsOf('web'))[0]?.is_revoked, false);
    await online((keys) => revokeKey(keys, old, false, clock));
    assert.equal((await rowsOf('web'))[0]?.is_revoked, true);
  });

  it('does not know what is not pinned', async () => {
    const unknown = online((keys) => revokeKey(keys, 'A'.repeat(43), true, clock));
    await assert.rejects(unknown, UsageError);
  });
});

describe('opening keys', () => {
  it('is for one process at a time', async () => {
    await offline(async () => {
      await assert.rejects(
        offline(rotate),
        (error) => error instanceof StartError && /Another/.test(error.message),
      );
    });
    await offline(rotate);
  });

  it('needs keys, and a database that answers when one is named', async () => {
    const nowhere = { stateDir: join(root, 'nowhere'), databaseUrl: undefined };
    await assert.rejects(withKeys(nowhere, now, rotate), StartError);
    const gone = { stateDir: root, databaseUrl: 'postgres://postgres:x@127.0.0.1:1/deadlatch' };
    await assert.rejects(withKeys(gone, now, rotate), UnreachableError);
    assert.deepEqual(await statesOf('web'), ['current']);
  });
});
