import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { ServiceName } from '@deadlatch/catalogue';
import { OWNER_ROLE, type Pool } from '@deadlatch/postgres';
import { generateSigningKeyPem, loadSigningKey, publicX, type ServiceKeyPair } from '@deadlatch/signing';
import pg from 'pg';
import { type OperatorSigner, readOperatorKey } from '../../apps/cli/src/operator-event.ts';
import type { ServiceKeyValues } from '../../apps/cli/src/up/first-rows.ts';
import { ensureKeys, SIGNERS } from '../../apps/cli/src/up/keys.ts';
import { addresses, commandLine, environmentOf, PROCESSES } from '../../apps/cli/src/up/services.ts';
import { prepareStateDir, stateDirAt } from '../../apps/cli/src/up/state-dir.ts';
import { createTestDatabase, type TestDatabase, testPool } from './database.ts';
import { type RunningImager, startTestImager } from './imager.ts';
import { pinning, revocation, testOperator } from './operator.ts';
import { type SeededTenant, type SeedOptions, seedTenant } from './seed.ts';

export const ENVIRONMENT = 'test';
const WORKSPACE = resolve(import.meta.dirname, '../..');
const CLOCK = resolve(import.meta.dirname, 'stepped-clock.fixture.ts');
const STEPPED_CLOCK = [`--allow-fs-read=${CLOCK}`, '--import', pathToFileURL(CLOCK).href];
const HOUR_MS = 3_600_000;
const PORT_BASE = 4_300;
const START_TIMEOUT_MS = 60_000;

/** One running process of the real service. */
export interface Replica {
  readonly port: number;
  /** Makes the process's own clock wrong by so much from now on, in a world of `steppedClocks`. */
  stepClock(milliseconds: number): Promise<void>;
  /** SIGKILL: no goodbye, nothing flushed. */
  kill(): Promise<void>;
}

export interface PinOptions {
  readonly environment?: string;
  /** Milliseconds from now. */
  readonly from?: number;
  readonly until?: number;
  readonly isRevoked?: boolean;
}

/** A database, the keys of every service, and the real dispatch-api beside them. */
export interface DispatchWorld {
  readonly tenant: SeededTenant;
  /** What `--state-dir` takes. */
  readonly stateDir: string;
  readonly database: TestDatabase;
  /** The administrator's connection: sees and may do everything. */
  readonly admin: Pool;
  /** Signing keys by service; `agent` and `simulator` have one here too, which nobody pinned. */
  key(service: ServiceName): ServiceKeyPair;
  /** What identity mints tokens with, and what dispatch-api signs grants with. */
  readonly tokenKey: ServiceKeyPair;
  readonly grantKey: ServiceKeyPair;
  /** Bytes of one of dispatch-api's secrets, e.g. `upload.key`. */
  secret(name: string): Promise<Buffer>;
  readonly objects: string;
  /** Another key that the operator puts on file; replicas that started before learn of it within 30 s. */
  pin(service: ServiceName, options?: PinOptions): Promise<ServiceKeyPair>;
  /** Another tenant of the same database. */
  addTenant(options?: SeedOptions): Promise<SeededTenant>;
  /**
   * Starts a process under the permissions it has in production. @param port a free one unless told
   * @param until answers 200 on this path: one that must not get ready at least lives
   */
  start(port?: number, until?: '/readyz' | '/livez'): Promise<Replica>;
  /** Kills imager, and starts it again where it was. */
  stopImager(): Promise<void>;
  startImager(): Promise<void>;
  /** Ends every process, then removes database and folder. */
  close(): Promise<void>;
}

export interface WorldOptions extends SeedOptions {
  /** Given the real one, answers what dispatch-api connects to: a test may stand in between. */
  readonly databaseUrl?: (real: string) => Promise<string>;
  /** Where the witness is; nobody is there unless told. */
  readonly witnessUrl?: string;
  /** Where photos are kept; a folder unless told. */
  readonly bucket?: {
    readonly bucketUrl: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  /** Processes start with a clock that `stepClock` can make wrong. */
  readonly steppedClocks?: boolean;
}

export async function createDispatchWorld(options: WorldOptions = {}): Promise<DispatchWorld> {
  const { databaseUrl, witnessUrl = 'http://127.0.0.1:1', steppedClocks = false, bucket, ...seed } = options;
  const database = await createTestDatabase();
  const admin = testPool(database.adminUrl, 2);
  const root = await mkdtemp(join(tmpdir(), 'deadlatch-wire-'));
  const state = stateDirAt(root);
  await prepareStateDir(state);
  const trust = await ensureKeys(state.keys, ENVIRONMENT, [...PROCESSES, 'cli'], Date.now());
  const operatorKey = await readOperatorKey(state.keys);
  const seedOf = (more: SeedOptions) =>
    seedTenant(database.adminUrl, { environment: ENVIRONMENT, operatorKey, ...more });
  const tenant = await seedOf(seed);
  const operator = testOperator(ENVIRONMENT, tenant.tenantId, operatorKey);
  const pemOf = async (service: ServiceName, file: string) =>
    loadSigningKey(await readFile(join(state.keys, service, file), 'utf8'));
  const keys = new Map<ServiceName, ServiceKeyPair>();
  for (const service of SIGNERS) keys.set(service, await pemOf(service, 'signing.pem'));
  const real = database.urls.dispatch;
  const url = databaseUrl === undefined ? real : await databaseUrl(real);
  await writeFile(join(state.keys, 'dispatch-api', 'database-url'), url, { mode: 0o600 });
  if (bucket) {
    const secrets = {
      's3-access-key-id': bucket.accessKeyId,
      's3-secret-access-key': bucket.secretAccessKey,
    };
    for (const [name, secret] of Object.entries(secrets)) {
      await writeFile(join(state.keys, 'dispatch-api', name), secret, { mode: 0o600 });
    }
  }
  for (const { service, keyid, x, from, until } of trust.services) {
    await putKey(database.adminUrl, operator, {
      keyid,
      service,
      environment: ENVIRONMENT,
      x,
      not_before: from,
      not_after: until,
    });
  }
  let imager: Promise<RunningImager> | undefined;
  const running = new Set<ChildProcess>();
  const endAll = () => {
    for (const child of running) child.kill('SIGKILL');
  };
  process.once('exit', endAll);

  const start = async (wanted?: number, until = '/readyz'): Promise<Replica> => {
    imager ??= startTestImager(state, WORKSPACE);
    const port = wanted ?? (await freePort());
    const installation = {
      environment: ENVIRONMENT,
      tenantId: tenant.tenantId,
      twilioAccountSid: `AC${'0'.repeat(32)}`,
      twilioNumber: '+15550100',
    };
    const env = environmentOf('dispatch-api', state, addresses(PORT_BASE, 'mesh'), installation);
    const line = commandLine('dispatch-api', state, WORKSPACE);
    const child = spawn(process.execPath, [...(steppedClocks ? STEPPED_CLOCK : []), ...line], {
      cwd: WORKSPACE,
      env: {
        ...env,
        WITNESS_URL: witnessUrl,
        ...(bucket && { OBJECT_STORE_URL: `s3:${bucket.bucketUrl}` }),
        DEADLATCH_PORT: String(port),
        DEADLATCH_LOG_LEVEL: 'warn',
        DEADLATCH_SUPERVISED: 'yes',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(child);
    let said = '';
    const keep = (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-4_000);
    };
    child.stdin?.on('error', () => undefined);
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const gone = new Promise<void>((done) => child.once('close', () => done()));
    void gone.then(() => running.delete(child));
    await Promise.all([imager, ready(port, until, child, () => said)]);
    return {
      port,
      stepClock: async (milliseconds) => {
        const answer = `clock ${milliseconds}\n`;
        said = '';
        child.stdin?.write(`${milliseconds}\n`);
        while (!said.includes(answer)) {
          if (child.exitCode !== null) throw new Error(`dispatch-api ended: ${said}`);
          await sleep(5);
        }
      },
      kill: async () => {
        child.kill('SIGKILL');
        await gone;
      },
    };
  };

  return {
    tenant,
    stateDir: root,
    database,
    admin,
    key: (service) => {
      const known = keys.get(service) ?? loadSigningKey(generateSigningKeyPem());
      keys.set(service, known);
      return known;
    },
    tokenKey: await pemOf('identity', 'token.pem'),
    grantKey: await pemOf('dispatch-api', 'grant.pem'),
    secret: async (name) =>
      Buffer.from(await readFile(join(state.keys, 'dispatch-api', name), 'utf8'), 'base64url'),
    objects: state.objects,
    pin: async (service, { environment = ENVIRONMENT, from = -HOUR_MS, until = HOUR_MS, isRevoked } = {}) => {
      const key = loadSigningKey(generateSigningKeyPem());
      const values = {
        keyid: key.keyId,
        service,
        environment,
        x: publicX(key.publicKey),
        not_before: new Date(Date.now() + from).toISOString(),
        not_after: new Date(Date.now() + until).toISOString(),
      };
      await putKey(database.adminUrl, operator, values);
      if (isRevoked === true)
        await asOwner(database.adminUrl, 'select trust.revoke_service_key($1)', revocation(operator, values));
      return key;
    },
    addTenant: (more) => seedOf({ slug: `t${randomBytes(4).toString('hex')}`, ...more }),
    start,
    stopImager: async () => {
      await (await imager)?.stop();
    },
    startImager: async () => {
      imager = startTestImager(state, WORKSPACE);
      await imager;
    },
    close: async () => {
      const ended = [...running].map((child) => new Promise((done) => child.once('close', done)));
      endAll();
      await Promise.all(ended);
      process.off('exit', endAll);
      await (await imager)?.stop();
      await admin.end();
      await database.drop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

function putKey(adminUrl: string, operator: OperatorSigner, key: ServiceKeyValues): Promise<void> {
  return asOwner(adminUrl, 'select trust.put_service_key($1)', pinning(operator, key));
}

/** Calls one of the operator's functions. */
async function asOwner(adminUrl: string, statement: string, input: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`set role ${OWNER_ROLE}`);
    await client.query(statement, [input]);
  } finally {
    await client.end();
  }
}

async function ready(port: number, path: string, child: ChildProcess, said: () => string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const isReady = await fetch(`http://127.0.0.1:${port}${path}`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`dispatch-api did not start: ${said()}`);
    }
    await sleep(50);
  }
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address ? done(address.port) : fail()));
    });
  });
}
