import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EVENT_TIME_SLACK_MS, leafHash, verifyLog } from '@deadlatch/audit-log';
import type { Pool } from '@deadlatch/postgres';
import { canonicalJson } from '@deadlatch/signing';
import { newId } from '../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../test/support/database.ts';
import {
  ENVIRONMENT,
  freePort,
  makeTestKeys,
  type TestKeys,
  until,
} from '../../../test/support/signed-peer.ts';
import { compose } from './compose.ts';
import { readSettings } from './env.ts';
import { readLogTrust } from './log-trust.ts';
import { assertOneTree, startTestWitness, type TestWitness } from './witness.fixture.ts';

/** A log in the making: a real database, a directory, keys, a witness, and as many sequencers as a test starts. */
export interface LogWorld {
  readonly db: TestDatabase;
  readonly admin: Pool;
  readonly keys: TestKeys;
  readonly keyDirectory: string;
  readonly directory: string;
  readonly witness: TestWitness;
  readonly tenantId: string;
  /** What is undone when the test ends, before the database goes. */
  readonly closing: (() => unknown)[];
  /** Writes events as the services' roles do, in one transaction; answers their ids. */
  addEvents(count: number, sizeBytes?: number): Promise<string[]>;
  /** Connections under the sequencer's role, for what it could do by hand. */
  sequencerPool(): Pool;
  /** Starts a sequencer in this process. */
  start(): Promise<RunningSequencer>;
  /** Starts a sequencer as a process of its own, not waiting for it. */
  spawn(): Promise<{ readonly child: ChildProcess; readonly url: string }>;
  /** Of the published checkpoint; 0 when there is none. */
  publishedSize(): number;
  count(what: 'events' | 'log_entries' | 'unsequenced'): Promise<number>;
  /** Waits until every event is in the published checkpoint, then proves the log from outside. */
  assertWholeLog(): Promise<void>;
}

export interface RunningSequencer {
  readonly url: string;
  readonly logs: { readonly event: string; readonly reason?: string; readonly size?: number }[];
  close(): Promise<void>;
}

/** A tenant of which nothing but events exists: the log knows no more of it. */
export async function startLogWorld(t: TestContext): Promise<LogWorld> {
  const db = await createTestDatabase();
  const admin = testPool(db.adminUrl);
  const keys = await makeTestKeys(t, ['sequencer', 'witness', 'cli', 'worker']);
  const keyDirectory = keys.directoryFor('sequencer', {
    'database-url': db.urls.sequencer,
    'log.pem': keys.log.logPem,
  });
  const directory = mkdtempSync(join(tmpdir(), 'deadlatch-log-'));
  const witness = await startTestWitness(t, keys);
  const tenantId = newId();
  const closing: (() => unknown)[] = [];
  t.after(async () => {
    await Promise.all(closing.map((close) => close()));
    await admin.end();
    await db.drop();
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  });
  const environment = (port: number) => ({
    DEADLATCH_ENVIRONMENT: ENVIRONMENT,
    DEADLATCH_KEY_DIR: keyDirectory,
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: String(port),
    DEADLATCH_MTLS: 'mesh',
    DEADLATCH_LOG_LEVEL: 'debug',
    LOG_DIR: directory,
    WITNESS_URL: witness.url,
  });
  const world: LogWorld = {
    db,
    admin,
    keys,
    keyDirectory,
    directory,
    witness,
    tenantId,
    closing,
    addEvents: (count, sizeBytes = 400) => addEvents(admin, tenantId, count, sizeBytes),
    sequencerPool() {
      const pool = testPool(db.urls.sequencer, 2);
      closing.push(() => pool.end());
      return pool;
    },
    async start() {
      const port = await freePort();
      const logs: RunningSequencer['logs'] = [];
      const running = await compose(readSettings(environment(port)), {
        now: Date.now,
        random: (n) => randomBytes(n),
        fetch: globalThis.fetch,
        write: (line) => logs.push(JSON.parse(line)),
      });
      let closed: Promise<void> | undefined;
      const close = () => {
        closed ??= running.close();
        return closed;
      };
      closing.push(close);
      return { url: `http://127.0.0.1:${port}`, logs, close };
    },
    async spawn() {
      const port = await freePort();
      const main = fileURLToPath(new URL('./main.ts', import.meta.url));
      const child = spawn(process.execPath, [main], { env: environment(port), stdio: 'ignore' });
      closing.push(() => child.kill('SIGKILL'));
      return { child, url: `http://127.0.0.1:${port}` };
    },
    publishedSize: () => Number(checkpointText(directory)?.split('\n')[1] ?? 0),
    async count(what) {
      const { rows } = await admin.query<{ n: number }>(`select count(*) as n from audit.${what}`);
      return rows[0]?.n ?? 0;
    },
    assertWholeLog: () => assertWholeLog(world),
  };
  return world;
}

async function addEvents(admin: Pool, tenantId: string, count: number, sizeBytes: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId());
  const time = new Date().toISOString();
  const bodies = ids.map((id) => {
    const event = { v: 1, id, time, tenant: tenantId, command: 'test.event', filler: '' };
    const rest = sizeBytes - canonicalJson(event).length;
    return Buffer.from(canonicalJson({ ...event, filler: 'x'.repeat(Math.max(0, rest)) }));
  });
  await admin.query(
    `insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
     select $1, x.id, 'dispatch', 'test.event', 'test', 'accepted', x.id, x.body
       from unnest($2::uuid[], $3::bytea[]) as x (id, body)`,
    [tenantId, ids, bodies],
  );
  return ids;
}

function checkpointText(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, 'checkpoint'), 'utf8');
  } catch {
    return undefined;
  }
}

/** The stored log, as anybody may read it. */
export function readStored(directory: string, path: string): Buffer | undefined {
  try {
    return readFileSync(join(directory, path));
  } catch {
    return undefined;
  }
}

async function assertWholeLog(world: LogWorld): Promise<void> {
  const { admin, directory, keys, witness } = world;
  const events = await world.count('events');
  await until(() => world.publishedSize() === events);
  const { rows } = await admin.query<{ id: string; at: Date; body: Buffer; index: number }>(
    `select e.id, e.at, e.body, l.index from audit.events e
       left join audit.log_entries l on l.tenant_id = e.tenant_id and l.event_id = e.id order by l.index`,
  );
  assert.deepEqual(
    rows.map((row) => row.index),
    rows.map((_, index) => index),
    'each event has one index, and no index is missing',
  );
  const report = verifyLog(
    {
      source: { kind: 'tiles', read: (path) => readStored(directory, path) },
      checkpoint: readFileSync(join(directory, 'checkpoint')),
      otherCheckpoints: [],
      receipts: rows.map((row) => ({
        eventId: row.id,
        leafHash: leafHash(row.body),
        timeMs: row.at.getTime(),
      })),
    },
    { ...readLogTrust(() => keys.log.trust), slackMs: EVENT_TIME_SLACK_MS },
  );
  assert.deepEqual(report.problems, []);
  assert.equal(report.size, events);
  assert.equal(await world.count('unsequenced'), 0);
  assertOneTree(witness.signed);
}

/** Of a log that nobody writes at the moment. */
export function assertNothingHalfWritten({ directory }: LogWorld): void {
  const left = readdirSync(directory).filter((name) => name.startsWith('.'));
  assert.deepEqual(left, []);
}

export async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).status === 200;
  } catch {
    return false;
  }
}

/** Names of the log lines with their reasons, without those that every batch makes. */
export function said(sequencer: RunningSequencer): string[] {
  return sequencer.logs
    .filter(({ event }) => event.startsWith('log.') && !/^log\.(sequenced|published)$/.test(event))
    .map(({ event, reason }) => (reason === undefined ? event : `${event} ${reason}`));
}
