import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { acceptRestore } from '@deadlatch/audit-log';
import { generateSigningKeyPem, loadSigningKey, publicX, type ServiceKeyPair } from '@deadlatch/signing';
import { verifies } from '../../../../test/requirements.ts';
import type { OperatorKeyEntry } from '../up/keys.ts';
import { addAcceptance, demandAcceptances } from './acceptances.ts';

const NOW = Date.parse('2026-06-01T00:00:00.000Z');
const BACKUP = {
  environment: 'demo',
  origin: 'demo.deadlatch/audit',
  restored_size: 7,
  log_size: 12,
  root: Buffer.alloc(32).toString('base64'),
};
const newKey = () => loadSigningKey(generateSigningKeyPem());
const [machine, adam, sue] = [newKey(), newKey(), newKey()];

function entry(name: string, key: ServiceKeyPair, change: Partial<OperatorKeyEntry> = {}): OperatorKeyEntry {
  const times = { from: '2026-01-01T00:00:00.000Z', until: '2027-01-01T00:00:00.000Z' };
  return { name, keyid: key.keyId, x: publicX(key.publicKey), ...times, ...change };
}
const OPERATORS = [entry('cli', machine), entry('adam', adam), entry('sue', sue)];

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'deadlatch-accept-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('two people accept one backup, one after the other', async (t) => {
  verifies('F.8');
  const path = await folder(t);
  const first = await addAcceptance(path, BACKUP, adam, OPERATORS, NOW);
  assert.throws(
    () => demandAcceptances(BACKUP, first, OPERATORS, machine.keyId, NOW),
    /fewer than two people/,
  );
  const again = await addAcceptance(path, BACKUP, adam, OPERATORS, NOW);
  assert.throws(
    () => demandAcceptances(BACKUP, again, OPERATORS, machine.keyId, NOW),
    /fewer than two people/,
  );
  const both = await addAcceptance(path, BACKUP, sue, OPERATORS, NOW);
  demandAcceptances(BACKUP, both, OPERATORS, machine.keyId, NOW);
});

test('what lies in the folder and was not signed by a second person counts for nobody', async (t) => {
  verifies('F.8');
  const path = await folder(t);
  await addAcceptance(path, BACKUP, adam, OPERATORS, NOW);
  const [inner = ''] = await readdir(path);
  const others = { ...BACKUP, log_size: 13 };
  for (const planted of [
    '',
    `${sue.keyId} ${'A'.repeat(86)}==`,
    acceptRestore(BACKUP, adam).replace(adam.keyId, sue.keyId),
    acceptRestore(others, sue),
  ]) {
    await writeFile(join(path, inner, sue.keyId), planted);
    const found = await addAcceptance(path, BACKUP, adam, OPERATORS, NOW);
    assert.equal(found.length, 2);
    assert.throws(
      () => demandAcceptances(BACKUP, found, OPERATORS, machine.keyId, NOW),
      /Nothing was restored/,
    );
  }
});

test('the machine, strangers, and people outside their time or revoked accept nothing', async (t) => {
  verifies('F.8');
  const path = await folder(t);
  const late = { until: '2026-05-01T00:00:00.000Z' };
  const early = { from: '2026-07-01T00:00:00.000Z' };
  const revoked = { revoked_at: '2027-01-01T00:00:00.000Z' };
  for (const [key, operators] of [
    [machine, OPERATORS],
    [newKey(), OPERATORS],
    [adam, []],
    ...[late, early, revoked].map((change) => [adam, [entry('adam', adam, change)]] as const),
  ] as const) {
    await assert.rejects(addAcceptance(path, BACKUP, key, operators, NOW), /not the key of a person/);
  }
  assert.deepEqual(await readdir(path), []);
});
