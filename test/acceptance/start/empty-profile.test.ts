import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { test } from 'node:test';
import { asOperator } from '../../../apps/cli/src/operator.ts';
import { readRunFile } from '../../../apps/cli/src/run-file.ts';
import { verifies } from '../../requirements.ts';
import { freePortBase, startSystem } from '../../support/system.ts';
import { temporaryFolder } from './start.fixture.ts';

test('without the demo there are no people, no simulator, and nobody who could make sign-in links', async (t) => {
  verifies('T4.2');
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  await chmod(folder.path, 0o711);
  const stateDir = `${folder.path}/state`;
  const system = await startSystem({ stateDir, portBase: await freePortBase(), profile: 'empty' });
  try {
    const run = await readRunFile(stateDir);
    assert.equal(run.simulator_url, null);
    assert.deepEqual(run.subjects, {});
    assert.doesNotMatch(system.output(), /sign-in|phone/i);
    const roles = await asOperator(stateDir, async ({ client }) => {
      const { rows } = await client.query<{ rolname: string }>(
        "select rolname from pg_roles where rolname like 'deadlatch%' and rolcanlogin order by rolname",
      );
      return rows.map((row) => row.rolname);
    });
    assert.deepEqual(roles, [
      'deadlatch_dispatch',
      'deadlatch_identity',
      'deadlatch_sequencer',
      'deadlatch_vault',
      'deadlatch_worker',
    ]);
  } finally {
    await system.stop();
  }
});
