import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createCommandPath, type Pool } from '@deadlatch/postgres';
import { commitOf, newId } from '../../../test/support/commits.ts';
import { createTestDatabase, testPool } from '../../../test/support/database.ts';
import { type SeededTenant, seedTenant } from '../../../test/support/seed.ts';
import {
  ENVIRONMENT,
  freePort,
  makeTestKeys,
  type SignedPeer,
  startSignedPeer,
  until,
} from '../../../test/support/signed-peer.ts';
import { compose } from './compose.ts';
import { readSettings } from './env.ts';

/** Fixtures of this app's tests: a real database, real workers, and stand-ins for whom they call. */
export interface Neighbourhood {
  readonly tenant: SeededTenant;
  readonly gateway: SignedPeer;
  readonly agent: SignedPeer;
  readonly api: SignedPeer;
  readonly admin: Pool;
  readonly database: string;
  /** Commits outbox rows as dispatch-api does; answers their references. */
  sendMessages(conversation: string, count: number): Promise<string[]>;
  wakeAgent(grantEndsInS: number): Promise<{ turn: string; grant: string }>;
  setTimer(dueInMs: number): Promise<{ timer: string; approval: string }>;
  /** Starts a worker in this process. */
  start(clock?: { skewMs: number }): Promise<{ url: string; logs: string[]; close(): Promise<void> }>;
  /** Starts a worker as a process of its own. */
  spawn(): Promise<ChildProcess>;
  /** What waits, timers too; of everything else what became of it. */
  waiting(): Promise<Record<string, unknown>[]>;
  settled(): Promise<Record<string, unknown>[]>;
}

export async function startNeighbourhood(t: TestContext): Promise<Neighbourhood> {
  const db = await createTestDatabase();
  const tenant = await seedTenant(db.adminUrl);
  const [dispatch, admin] = [testPool(db.urls.dispatch), testPool(db.adminUrl)];
  const keys = await makeTestKeys(t, ['worker']);
  const sender = { name: 'worker', key: keys.service('worker') } as const;
  const peer = (name: 'gateway' | 'agent' | 'dispatch-api') =>
    startSignedPeer(t, { name, sender, answer: () => ({ status: 200, body: {} }) });
  const [gateway, agent, api] = await Promise.all([peer('gateway'), peer('agent'), peer('dispatch-api')]);
  const directory = keys.directoryFor('worker', { 'database-url': db.urls.worker });
  const environment = (port: number) => ({
    DEADLATCH_ENVIRONMENT: ENVIRONMENT,
    DEADLATCH_KEY_DIR: directory,
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: String(port),
    DEADLATCH_MTLS: 'mesh',
    DEADLATCH_LOG_LEVEL: 'debug',
    DISPATCH_API_URL: api.url,
    WITNESS_URL: 'http://127.0.0.1:1',
    GATEWAY_URL: gateway.url,
    AGENT_URL: agent.url,
  });
  const closing: (() => unknown)[] = [];
  t.after(async () => {
    await Promise.all(closing.map((close) => close()));
    await Promise.all([dispatch.end(), admin.end()]);
    await db.drop();
  });
  const path = createCommandPath(dispatch);
  const outbox = (kind: string, order_key: string, ref_id: string, payload = {}) =>
    path.commitDecision(
      commitOf(tenant, 'test.send', { outbox: [{ id: newId(), kind, ref_id, order_key, payload }] } as never),
    );
  const rowsWhere = async (condition: string) => {
    const { rows } = await admin.query(
      `select * from (
         select id, attempts, delivered_at as done_at, abandoned_at, last_error, payload from dispatch.outbox
         union all
         select id, attempts, fired_at, abandoned_at, last_error, '{}' from dispatch.timers
       ) r where ${condition} order by id`,
    );
    return rows;
  };
  return {
    tenant,
    gateway,
    agent,
    api,
    admin,
    database: db.name,
    async sendMessages(conversation, count) {
      const sent: string[] = [];
      for (let index = 0; index < count; index += 1) {
        const id = newId();
        await outbox('message.deliver', conversation, id);
        sent.push(id);
      }
      return sent;
    },
    async wakeAgent(grantEndsInS) {
      const exp = Math.floor(Date.now() / 1000) + grantEndsInS;
      const grant = `a.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.c`;
      const turn = newId();
      await outbox('agent.wake', randomUUID(), turn, { turn_grant: grant });
      return { turn, grant };
    },
    async setTimer(dueInMs) {
      const [timer, approval] = [newId(), newId()];
      const due_at = new Date(Date.now() + dueInMs).toISOString();
      const timers = [{ id: timer, kind: 'approval.expire', target_id: approval, due_at }] as const;
      await path.commitDecision(commitOf(tenant, 'test.ask', { changes: { timers } }));
      return { timer, approval };
    },
    async start(clock = { skewMs: 0 }) {
      const port = await freePort();
      const logs: string[] = [];
      const running = await compose(readSettings(environment(port)), {
        now: () => Date.now() + clock.skewMs,
        random: (n) => randomBytes(n),
        fetch: globalThis.fetch,
        write: (line) => logs.push(line),
      });
      let isClosed = false;
      const close = async () => {
        if (isClosed) return;
        isClosed = true;
        await running.close();
      };
      closing.push(close);
      return { url: `http://127.0.0.1:${port}`, logs, close };
    },
    async spawn() {
      const port = await freePort();
      const main = fileURLToPath(new URL('./main.ts', import.meta.url));
      const child = spawn(process.execPath, [main], { env: environment(port), stdio: 'ignore' });
      closing.push(() => child.kill('SIGKILL'));
      await until(() => isReady(`http://127.0.0.1:${port}`));
      return child;
    },
    waiting: () => rowsWhere('done_at is null and abandoned_at is null'),
    settled: () => rowsWhere('done_at is not null or abandoned_at is not null'),
  };
}

export async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).status === 200;
  } catch {
    return false;
  }
}

/** Message ids in the order in which the gateway first heard of them. */
export function firstHeard(gateway: SignedPeer): string[] {
  return [...new Set(gateway.calls.map((call) => String(call.body.message_id)))];
}
