import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import type { RunFile } from '../run-file.ts';
import { putUpNotice } from './run-notice.ts';

test('deaths at the same moment leave one whole run.json, and none after it was taken down', async (t) => {
  verifies('R.1');
  const directory = await mkdtemp(join(tmpdir(), 'deadlatch-notice-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'run.json');
  const complaints: string[] = [];
  let pid = 1;
  const run = (): RunFile => ({
    environment: 'demo',
    tenant_id: 't',
    pid,
    services: {},
    postgres: { pid: 2, port: 3 },
    imager: { pid: 4, socket: '' },
    web_url: '',
    identity_url: '',
    simulator_url: null,
    subjects: {},
    site_id: null,
  });
  const notice = await putUpNotice(path, run, (line) => complaints.push(line));
  for (pid = 2; pid < 12; pid += 1) notice.renew();
  // Written one after the other: the last of them says what is true now.
  while ((JSON.parse(await readFile(path, 'utf8')) as RunFile).pid !== pid) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  notice.renew();
  await notice.takeDown();
  notice.renew();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(existsSync(path), false);
  assert.deepEqual(complaints, []);
});
