import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopOrphan } from '@deadlatch/postgres';
import { asOperator } from '../../../apps/cli/src/operator.ts';
import { readRunFile } from '../../../apps/cli/src/run-file.ts';
import { stateDirAt } from '../../../apps/cli/src/up/state-dir.ts';
import { verifies } from '../../requirements.ts';
import { freePortBase, type System, startSystem } from '../../support/system.ts';
import { gone, kill, killEach, pidsOf, portsOf, processesIn, takenPorts, untilWhole } from './casualties.ts';
import { arrivals, assertVerified, compare, drained, openBooks } from './ledger.ts';
import { type Crew, knowNothing, prepare, text, work } from './load.ts';
import { assertResolved } from './receipts.ts';

/**
 * Everybody but the simulator, which plays the world outside. Those of one wave die beside one another, those of
 * another wave live meanwhile: were all dying at once, little would be accepted that could be lost.
 */
const WAVES = [
  ['dispatch-api', 'sequencer', 'gateway', 'agent', 'worker', 'web'],
  ['postgres', 'witness', 'identity', 'vault', 'tool-bridge', 'imager'],
] as const;
const DEATHS = 10;
/** Texts that the gateway may have in its hands at once: a carrier has no idempotency keys. */
const MOST_UNDER_WAY = 8;
const END_WITHIN_MS = 15_000;

/** A whole system whose processes die under load, seen from outside. */
let system: System;
let stateDir: string;
const known = knowNothing();
/** The log's checkpoint from before anybody died, as an auditor would have kept it. */
let kept: Uint8Array;
let crew: Crew;

before(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'deadlatch-survival-'));
  system = await startSystem({ stateDir, portBase: await freePortBase() });
});
after(async () => {
  await system?.stop();
  // Where a supervisor was killed and its next start failed.
  await stopOrphan(join(stateDir, 'postgres'));
  await rm(stateDir, { recursive: true, force: true });
});

describe('survival', { concurrency: false }, () => {
  test('kill -9 of any process under load loses nothing and repeats nothing', async (t) => {
    verifies('R.1', 'R.2', 'R.5', 'F.5');
    const run = await readRunFile(stateDir);
    crew = await prepare(run, known);
    await drained(stateDir);
    kept = await readFile(join(stateDirAt(stateDir).log, 'checkpoint'));
    const over = new AbortController();
    const load = Promise.all([work(crew, over.signal), text(run, known, over.signal)]);
    known.outage.lasts = true;
    try {
      for (const victims of WAVES) {
        const ms = await killEach(stateDir, victims, DEATHS);
        t.diagnostic(`${victims.join(', ')}: ${DEATHS} times each in ${Math.round(ms / 1_000)} s`);
      }
    } finally {
      known.outage.lasts = false;
      over.abort();
      await load;
    }
    t.diagnostic(`at rest after another ${Math.round(await drained(stateDir))} ms`);

    const accepted = known.settled.filter(({ code }) => code === null).length;
    const repeated = known.settled.filter(({ attempts }) => attempts > 1).length;
    t.diagnostic(
      `${accepted} of ${known.settled.length} commands accepted, ${repeated} sent more than once, ${known.texts.length} texts`,
    );
    const books = await asOperator(stateDir, openBooks);
    compare(books, known);
    const { phones, sent } = await arrivals(books, run.simulator_url ?? '');
    t.diagnostic(`${sent} texts sent, ${phones} arrived`);
    assert.ok(phones >= sent, 'no message says that it was sent and was not');
    assert.ok(
      phones - sent <= MOST_UNDER_WAY,
      'only what was under way when the gateway died went out again',
    );
    const beside = { otherCheckpoints: [kept], receipts: known.receipts };
    t.diagnostic(`${await assertVerified(stateDir, beside)} events verified`);
    await assertResolved(stateDir, known.receipts);
    t.diagnostic(`${known.receipts.length} receipts resolved`);
    assert.ok(known.receipts.length > 100, 'there were receipts to speak of');
    assert.ok(accepted > 30 && repeated > 0 && known.texts.length > 10, 'there was a load to speak of');
  });

  test('kill -9 of the supervisor ends the services, and the next start goes on where everything stopped', async (t) => {
    verifies('R.1');
    const before = await readRunFile(stateDir);
    const over = new AbortController();
    const load = work(crew, over.signal);
    try {
      await sleep(Math.random() * 1_000);
      kill(before.pid);
      // PostgreSQL goes on alone, as it should: it may have commits to finish. The next start takes it over.
      const services = pidsOf(before).filter((pid) => pid !== before.postgres.pid);
      assert.deepEqual(await gone(services, END_WITHIN_MS), [], 'services end when their supervisor is gone');

      const started = performance.now();
      system = await startSystem({ stateDir, portBase: system.portBase });
      t.diagnostic(`started again after ${Math.round(performance.now() - started)} ms`);
      assert.deepEqual(await gone([before.postgres.pid], 0), [], 'the old PostgreSQL is gone');
      await untilWhole(stateDir);
    } finally {
      // Whoever was cut off still holds their session and their key, and now gets their answer.
      over.abort();
      await load;
    }
    await drained(stateDir);
    await crew.counter.close();
    compare(await asOperator(stateDir, openBooks), known);
    await assertVerified(stateDir, { otherCheckpoints: [kept], receipts: known.receipts });
    await assertResolved(stateDir, known.receipts);
  });

  test('Ctrl-C leaves no process, no lock and no port behind', async () => {
    const run = await readRunFile(stateDir);
    assert.equal(await system.stop(), 0);
    assert.deepEqual(await gone(pidsOf(run), 0), []);
    assert.deepEqual(await processesIn(stateDir), []);
    assert.deepEqual(await takenPorts(portsOf(run)), []);
    assert.deepEqual(
      ['lock', 'run.json'].filter((name) => existsSync(join(stateDir, name))),
      [],
    );
  });
});
