import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { before, describe, it } from 'node:test';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { verifies } from '../../../test/requirements.ts';
import {
  createAuthority,
  type Issued,
  issueFor,
  issueLeaf,
  uri,
  writeTlsFiles,
} from '../../../test/support/certificates.ts';
import { ENVIRONMENT, steppedClock } from './tls.fixture.ts';
import { openTlsFiles } from './tls-files.ts';

let authority: Issued;
before(async () => {
  authority = await createAuthority();
});

describe('TLS files', () => {
  const open = (directory: string, name: ServiceName = 'worker', now: () => number = Date.now) =>
    openTlsFiles({ directory, environment: ENVIRONMENT, service: name, now });

  it('that are caught half replaced are not used: the pair before them is', async () => {
    const clock = steppedClock();
    const first = await issueFor(authority, ENVIRONMENT, 'worker');
    const directory = await writeTlsFiles({ leaf: first, authorities: [authority] });
    const tls = open(directory, 'worker', clock.now);
    const second = await issueFor(authority, ENVIRONMENT, 'worker');
    await writeTlsFiles({ leaf: { ...second, certificate: first.certificate } }, directory);
    clock.step(5_000);
    assert.equal(tls.current().key, first.key);
    assert.equal(tls.problem(), 'key_mismatch');
    await writeTlsFiles({ leaf: second }, directory);
    clock.step(5_000);
    assert.equal(tls.current().key, second.key);
    assert.equal(tls.current().certificate, second.certificate);
    assert.equal(tls.problem(), null);
  });

  it('of another service or environment, or with more than the leaf, are not started with', async () => {
    verifies('T4.1');
    const worker = await issueFor(authority, ENVIRONMENT, 'worker');
    const other = await issueFor(authority, ENVIRONMENT, 'gateway');
    const both = await issueLeaf(authority, {
      names: [[uri(spiffeId(ENVIRONMENT, 'worker')), uri(spiffeId(ENVIRONMENT, 'gateway'))]],
    });
    const chain = { ...worker, certificate: worker.certificate + authority.certificate };
    const authorities = [authority];
    for (const leaf of [
      other,
      both,
      chain,
      await issueFor(authority, 'prod', 'worker'),
      { ...worker, key: other.key },
    ]) {
      const directory = await writeTlsFiles({ leaf, authorities });
      assert.throws(() => open(directory), { name: 'ConfigError' });
    }
    for (const trusted of [[], [worker], [authority, other]]) {
      const directory = await writeTlsFiles({ leaf: worker, authorities: trusted });
      assert.throws(() => open(directory), { name: 'ConfigError' });
    }
    assert.equal(open(await writeTlsFiles({ leaf: worker, authorities })).problem(), null);
  });

  it('without readable authorities trust nobody after a minute', async () => {
    verifies('T4.1');
    const clock = steppedClock();
    const worker = await issueFor(authority, ENVIRONMENT, 'worker');
    const directory = await writeTlsFiles({ leaf: worker, authorities: [authority] });
    const tls = open(directory, 'worker', clock.now);
    await rm(`${directory}/ca.pem`);
    clock.step(30_000);
    assert.equal(tls.current().issuers.length, 1);
    assert.equal(tls.problem(), 'authorities_unusable');
    clock.step(31_000);
    assert.throws(() => tls.current(), { code: 'unavailable', detail: 'authorities_unreadable' });
    await writeTlsFiles({ authorities: [authority] }, directory);
    clock.step(5_000);
    assert.equal(tls.current().issuers.length, 1);
  });
});
