import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTlsFiles } from '@deadlatch/http';
import { verifies } from '../../../../test/requirements.ts';
import { createAuthority } from '../../../../test/support/certificates.ts';
import { type CertificatePlace, dueCertificates, whatIsWrong } from './certificate-files.ts';
import { ensureCertificates } from './certificates.ts';
import { issueCertificates } from './issue-certificates.ts';

const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));
const HOUR_MS = 3_600_000;

let root: string;
let place: CertificatePlace;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'deadlatch-ca-'));
});
after(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  const at = await mkdtemp(join(root, 'state-'));
  place = {
    authority: join(at, 'ca'),
    keys: join(at, 'keys'),
    environment: 'demo',
    services: ['worker', 'vault'],
  };
});

const fileOf = (service: string, file: string) => readFile(join(place.keys, service, file), 'utf8');
const leafOf = async (service: string) => new X509Certificate(await fileOf(service, 'tls.pem'));

describe('issued certificates', () => {
  it('name one service of one environment, for a day, and can sign nothing', async () => {
    verifies('T4.1');
    const now = Date.now();
    assert.deepEqual(await issueCertificates(place, now), ['worker', 'vault']);
    const leaf = await leafOf('worker');
    assert.equal(leaf.subjectAltName, 'URI:spiffe://demo.deadlatch/worker');
    assert.equal(leaf.subject, undefined);
    assert.equal(leaf.ca, false);
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    assert.equal(leaf.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.ok(Math.abs(leaf.validToDate.getTime() - (now + 24 * HOUR_MS)) < 1_000);
    const authority = new X509Certificate(await readFile(join(place.authority, 'ca.pem'), 'utf8'));
    assert.equal(authority.ca, true);
    assert.ok(leaf.verify(authority.publicKey));
    // What the services themselves make of them.
    for (const service of place.services) {
      const directory = join(place.keys, service);
      const { leaf } = openTlsFiles({ directory, environment: 'demo', service, now: Date.now }).current();
      assert.ok(leaf.checkIssued(authority), service);
    }
  });

  it('have keys for their owner alone', async () => {
    verifies('T4.2');
    await issueCertificates(place, Date.now());
    const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
    assert.equal(await modeOf(join(place.authority, 'ca-key.pem')), 0o600);
    assert.equal(await modeOf(place.authority), 0o700);
    assert.equal(await modeOf(join(place.keys, 'worker', 'tls-key.pem')), 0o600);
    assert.notEqual(await fileOf('worker', 'tls-key.pem'), await fileOf('vault', 'tls-key.pem'));
  });

  it('are left alone until a third of their life is left, then issued with another key', async () => {
    const now = Date.now();
    await issueCertificates(place, now);
    const first = await fileOf('worker', 'tls-key.pem');
    assert.deepEqual(await issueCertificates(place, now + 15.9 * HOUR_MS), []);
    assert.equal(await fileOf('worker', 'tls-key.pem'), first);
    assert.deepEqual(await issueCertificates(place, now + 16.1 * HOUR_MS), ['worker', 'vault']);
    assert.notEqual(await fileOf('worker', 'tls-key.pem'), first);
  });

  it('are issued again when anything about them is wrong, and only those', async () => {
    verifies('T4.1');
    const now = Date.now();
    const damage: Record<string, () => Promise<void>> = {
      missing: () => rm(join(place.keys, 'worker', 'tls.pem')),
      // What a supervisor leaves that was killed between its two files.
      key_mismatch: async () =>
        writeFile(join(place.keys, 'worker', 'tls-key.pem'), await fileOf('vault', 'tls-key.pem')),
      foreign_name: async () =>
        writeFile(join(place.keys, 'worker', 'tls.pem'), await fileOf('vault', 'tls.pem')),
      other_authority: () => writeFile(join(place.keys, 'worker', 'ca.pem'), ''),
    };
    await issueCertificates(place, now);
    for (const [problem, harm] of Object.entries(damage)) {
      await harm();
      assert.equal(await whatIsWrong(place, 'worker', now), problem);
      assert.deepEqual(await issueCertificates(place, now), ['worker'], problem);
      assert.equal(await whatIsWrong(place, 'worker', now), null);
    }
    assert.equal(await whatIsWrong(place, 'worker', now + 24 * HOUR_MS), 'expired');
  });

  it('of an authority that was made anew replace all others', async () => {
    const now = Date.now();
    await issueCertificates(place, now);
    await rm(place.authority, { recursive: true });
    assert.equal(await whatIsWrong(place, 'worker', now), 'no_authority');
    assert.deepEqual(await issueCertificates(place, now), ['worker', 'vault']);
  });
});

describe('the program that issues', () => {
  it('is run when something is due', async () => {
    await issueCertificates(place, Date.now() - 20 * HOUR_MS);
    await ensureCertificates(place, WORKSPACE);
    assert.deepEqual(await dueCertificates(place, Date.now()), []);
    const before = await fileOf('worker', 'tls.pem');
    await ensureCertificates(place, WORKSPACE);
    assert.equal(await fileOf('worker', 'tls.pem'), before);
  });

  it('says why it cannot', async () => {
    await issueCertificates(place, Date.now());
    await writeFile(join(place.authority, 'ca-key.pem'), 'not a key');
    await rm(join(place.keys, 'vault', 'tls.pem'));
    await assert.rejects(
      ensureCertificates(place, WORKSPACE),
      /^StartError: Certificates could not be issued: the authority or a key directory is not usable: \w+/,
    );
  });

  it('issues nothing where somebody else does: the authorities are handed on, and that is all', async () => {
    await issueCertificates(place, Date.now());
    await rm(join(place.authority, 'ca-key.pem'));
    const theirs = await fileOf('worker', 'tls.pem');
    await rm(join(place.keys, 'vault', 'tls.pem'));
    const next = await createAuthority();
    const two = next.certificate + (await readFile(join(place.authority, 'ca.pem'), 'utf8'));
    await writeFile(join(place.authority, 'ca.pem'), two);
    await ensureCertificates(place, WORKSPACE);
    assert.equal(await whatIsWrong(place, 'worker', Date.now()), null);
    assert.equal(await whatIsWrong(place, 'vault', Date.now()), 'missing');
    assert.equal(await fileOf('worker', 'tls.pem'), theirs);
    assert.equal(await fileOf('vault', 'ca.pem'), two);
    await assert.rejects(fileOf('vault', 'tls.pem'), { code: 'ENOENT' });
  });
});
