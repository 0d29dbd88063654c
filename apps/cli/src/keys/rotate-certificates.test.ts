import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { StartError } from '../arguments.ts';
import { ensureCertificates } from '../up/certificates.ts';
import { ensureInstallation } from '../up/installation.ts';
import { ensureKeys } from '../up/keys.ts';
import { prepareStateDir, type StateDir, stateDirAt } from '../up/state-dir.ts';
import { listKeys } from './list-keys.ts';
import { certificatePlace, rotateCertificates } from './rotate-certificates.ts';

const WORKSPACE = resolve(import.meta.dirname, '../../../..');
const SERVICES = ['web', 'cli'] as const;

let root: string;
let state: StateDir;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'deadlatch-tls-'));
  state = stateDirAt(root);
  await prepareStateDir(state);
  const { environment } = await ensureInstallation(state, 'empty');
  await ensureKeys(state.keys, environment, SERVICES, Date.now());
  const place = { authority: state.authority, keys: state.keys, environment, services: SERVICES };
  await ensureCertificates(place, WORKSPACE);
});
after(() => rm(root, { recursive: true, force: true }));

const leafOf = (service: string) => readFile(join(state.keys, service, 'tls.pem'), 'utf8');
const namesOf = async (purpose: string) =>
  (await listKeys(state.keys, Date.now())).filter((key) => key.purpose === purpose);

describe('rotating certificates', () => {
  it('gives every service that has one another, of the same authority', async () => {
    verifies('T4.1', 'T4.2');
    const before = [await leafOf('web'), await leafOf('cli')];
    const authority = await namesOf('ca');
    const place = await certificatePlace(state);
    assert.deepEqual([...place.services].sort(), [...SERVICES].sort());
    await rotateCertificates(place);
    const now = [await leafOf('web'), await leafOf('cli')];
    assert.equal(new Set([...before, ...now]).size, 4);
    assert.deepEqual(await namesOf('ca'), authority);
    assert.deepEqual(
      (await namesOf('tls')).map(({ service, state: standing }) => [service, standing]),
      [
        ['cli', 'current'],
        ['web', 'current'],
      ],
    );
  });

  it('is not ours where somebody else issues', async () => {
    verifies('T4.1');
    const leaf = await leafOf('web');
    await rm(join(state.authority, 'ca-key.pem'));
    await assert.rejects(rotateCertificates(await certificatePlace(state)), StartError);
    assert.equal(await leafOf('web'), leaf);
  });
});
