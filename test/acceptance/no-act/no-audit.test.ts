import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DispatchError } from '@deadlatch/kernel';
import { makeSignInLinks } from '../../../apps/cli/src/demo-session.ts';
import { peersOf } from '../../../apps/cli/src/peers.ts';
import { readRunFile } from '../../../apps/cli/src/run-file.ts';
import { verifies } from '../../requirements.ts';
import { until } from '../../scenario/browser.ts';
import { isServiceReady, kill, pidOf, untilWhole } from '../survival/casualties.ts';
import { type Crew, work } from '../survival/load.ts';
import { serviceClient } from '../survival/senders.ts';
import { assertNothingDone, type Installation, startAtWork } from './installation.fixture.ts';

/** A flush takes so long that most of what dies, dies in it. Microseconds. */
const SLOW_FLUSH_US = 50_000;
const DEATHS = 9;
/** Processes look at their files again within 5 s. */
const REREAD_MS = 6_000;
const WORK_MS = 1_500;
const UNDER_WAY_MS = 500;

let it: Installation<Crew>;

before(async () => {
  it = await startAtWork();
});
after(async () => it?.close());

describe('no audit, no act', { concurrency: false }, () => {
  test('without the right to insert events nothing is done under load, and all of it goes on when it is back', async () => {
    verifies('C.6', 'F.1', 'T4.7');
    const columns =
      '(tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body) on audit.events';
    const roles = 'deadlatch_dispatch, deadlatch_identity, deadlatch_vault';
    const change = (words: string) => it.asOperator(({ client }) => client.query(words));
    const { people, run } = it;
    const keyDir = run.services.cli?.key_dir ?? '';
    const link = (await makeSignInLinks(keyDir, run, ['quinn-qa'])).get('quinn-qa') ?? '';
    const identity = serviceClient(run, peersOf(run), 'identity');
    const signIn = () => identity.write('/v1/sessions', { link });

    await it.during(work, async () => {
      await it.untilAccepted();
      await sleep(WORK_MS);
      await change(`revoke insert ${columns} from ${roles}`);
      try {
        await sleep(UNDER_WAY_MS);
        await assertNothingDone(it, [
          ['tess-technician', 'time.record', people.tesssTicket, { minutes: 1 }],
          // This would be refused, and a refusal is an event.
          ['dana-dispatcher', 'ticket.ready', people.tesssTicket, {}],
        ]);
        await assert.rejects(signIn(), isUnavailable);
      } finally {
        await change(`grant insert ${columns} to ${roles}`);
      }
      await it.untilAccepted();
    });
    assert.ok(await signIn(), 'a sign-in that could not be written down did not use up its link');
    await it.settle();
  });

  test('PostgreSQL dies in the middle of commits: sessions, one process, all of it', async (t) => {
    verifies('R.1', 'R.2', 'T4.7');
    const setRole = (what: string) =>
      it.asOperator(({ client }) => client.query(`alter role deadlatch_dispatch ${what}`));
    await setRole(`set commit_delay = ${SLOW_FLUSH_US}`);
    await setRole('set commit_siblings = 0');
    let inCommit = 0;
    await it.during(work, async () => {
      // New sessions have the role's settings.
      await endSessions();
      for (let death = 0; death < DEATHS; death += 1) {
        await it.untilAccepted();
        await sleep(Math.random() * 200);
        inCommit += await untilCommitting();
        if (death % 3 === 0) await endSessions();
        else if (death % 3 === 1) kill(await oneBackend());
        else kill(pidOf(await readRunFile(it.stateDir), 'postgres'));
        await untilServing();
      }
    });
    await setRole('reset commit_delay');
    await setRole('reset commit_siblings');
    t.diagnostic(`${DEATHS} deaths, ${inCommit} commands in PostgreSQL's hands at that moment`);
    const repeated = it.known.settled.filter(({ attempts }) => attempts > 1).length;
    assert.ok(repeated > 0, 'somebody was cut off');
    await it.settle();
  });

  test('keys that are taken away while they are used are missed by nobody, and by everybody after a restart', async () => {
    verifies('C.6', 'T4.2');
    const fileOf = (service: string, name: string) => join(it.run.services[service]?.key_dir ?? '', name);
    const taken = [
      fileOf('dispatch-api', 'grant.pem'),
      fileOf('dispatch-api', 'signing.pem'),
      fileOf('identity', 'token.pem'),
      fileOf('worker', 'signing.pem'),
    ];
    const away = (path: string) => `${path}.away`;
    const give = () => Promise.all(taken.map((path) => rename(away(path), path)));
    await it.during(work, async () => {
      await it.untilAccepted();
      for (const path of taken) await rename(path, away(path));
      try {
        await sleep(REREAD_MS);
        // What is in use goes on: whoever takes a file away has not revoked a key.
        await it.untilAccepted();
        // Half a key is no key.
        await writeFile(taken[0] ?? '', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n', { mode: 0o600 });
        for (const service of ['dispatch-api', 'identity', 'worker']) await die(service);
        await sleep(UNDER_WAY_MS);
        await assertNothingDone(it);
        for (const service of ['dispatch-api', 'identity', 'worker'] as const) {
          assert.equal(
            await isServiceReady(it.run, service),
            false,
            `${service} has no key and does not serve`,
          );
        }
      } finally {
        await give();
      }
      await untilWhole(it.stateDir);
      await it.untilAccepted();
    });
    await it.settle();
  });
});

const isUnavailable = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';

async function die(service: string): Promise<void> {
  kill(pidOf(await readRunFile(it.stateDir), service));
}

/** Of dispatch-api, whatever it is doing. */
const COMMITTING = `from pg_stat_activity where usename = 'deadlatch_dispatch' and state = 'active'`;

async function endSessions(): Promise<void> {
  await it.asOperator(({ client }) =>
    client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'deadlatch_dispatch'`,
    ),
  );
}

/** Waits until commands are in PostgreSQL's hands. @returns how many */
function untilCommitting(): Promise<number> {
  return until('a commit', () =>
    it.asOperator(async ({ client }) => {
      const { rows } = await client.query<{ n: number }>(
        `select count(*)::int as n ${COMMITTING} and query like '%commit%'`,
      );
      return rows[0]?.n || undefined;
    }),
  );
}

async function oneBackend(): Promise<number> {
  return until('a session at work', () =>
    it.asOperator(async ({ client }) => {
      const { rows } = await client.query<{ pid: number }>(`select pid ${COMMITTING} limit 1`);
      return rows[0]?.pid;
    }),
  );
}

/** Waits until the database takes connections again. */
function untilServing(): Promise<true> {
  return until(
    'PostgreSQL to serve',
    () => it.asOperator(async () => true as const).catch(() => undefined),
    60_000,
  );
}
