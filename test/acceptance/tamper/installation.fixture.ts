import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseCheckpoint, parseNote } from '@deadlatch/audit-log';
import { startEmbeddedPostgres } from '@deadlatch/postgres';
import { loadSigningKey, type ServiceKeyPair } from '@deadlatch/signing';
import pg from 'pg';
import { type AuditTrust, auditTrust } from '../../../apps/cli/src/audit/audit-trust.ts';
import { entriesOf, readTileIn } from '../../../apps/cli/src/audit/log-folder.ts';
import type { AuditReport } from '../../../apps/cli/src/audit/verify-audit.ts';
import type { Beside } from '../../../apps/cli/src/audit/verify-files.ts';
import { verifyInstallation } from '../../../apps/cli/src/audit/verify-installation.ts';
import { readRunFile } from '../../../apps/cli/src/run-file.ts';
import type { Trust } from '../../../apps/cli/src/up/keys.ts';
import { type StateDir, stateDirAt } from '../../../apps/cli/src/up/state-dir.ts';
import { createStage } from '../../scenario/create-stage.ts';
import { isClean, newOutcome } from '../../scenario/outcome.ts';
import { playScenario } from '../../scenario/play.ts';
import { freePortBase, startSystem } from '../../support/system.ts';

const CLI = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url));
const BACKUP = 'before_the_end';

export interface CliAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a real system left behind after it lived through the scenario: the trail that is attacked, in copies. */
export interface LivedInstallation {
  readonly state: StateDir;
  readonly trustFile: string;
  readonly pinned: Trust;
  readonly trust: AuditTrust;
  readonly exported: string;
  readonly proof: string;
  readonly ticketId: string;
  readonly tenantId: string;
  /** Of a smaller log, from the witness's hands, as an auditor would have kept it. */
  readonly older: Uint8Array;
  readonly checkpoint: Uint8Array;
  /** Every event, in log order. */
  readonly entries: readonly Uint8Array[];
  /** Keys that somebody may have stolen. */
  readonly keys: Readonly<Record<'log' | 'witness' | 'grant' | 'stranger', ServiceKeyPair>>;
  /** A refusal as its caller saw it, and what the operator was told of it and of the ticket. */
  readonly asked: Readonly<Record<'why' | 'whyInWords' | 'show' | 'showInWords', CliAnswer>> & {
    readonly refusal: { readonly request_id: string; readonly code: string; readonly dimension: string };
  };
  /** What the command line prints. */
  cli(...args: readonly string[]): Promise<CliAnswer>;
  /**
   * Does something to a copy of the database as its superuser with every trigger and foreign key off, then verifies
   * the copy against the log.
   */
  attack(deed: (client: pg.Client) => Promise<unknown>, options?: AttackOptions): Promise<AuditReport>;
  /** An empty folder that goes with the rest. */
  folder(): Promise<string>;
  /** A copy of the log's tiles and checkpoint. */
  copyOfLog(): Promise<string>;
  close(): Promise<void>;
}

export interface AttackOptions {
  /** The backup instead of the database that went on. */
  readonly isBackup?: boolean;
  readonly log?: string;
  readonly beside?: Beside;
}

/**
 * Starts the whole system, plays the scenario, stops it, keeps a backup, lets it go on, exports it, and stops it.
 * What remains is its PostgreSQL, with nobody else connected.
 */
export async function liveThrough(): Promise<LivedInstallation> {
  const root = await mkdtemp(join(tmpdir(), 'deadlatch-tamper-'));
  const stateDir = join(root, 'state');
  const state = stateDirAt(stateDir);
  const portBase = await freePortBase();
  const cli = (...args: readonly string[]) => runCli([...args, '--state-dir', stateDir]);
  let system = await startSystem({ stateDir, portBase });
  let server: Awaited<ReturnType<typeof startEmbeddedPostgres>> | undefined;
  const port = portBase + 99;
  try {
    const outcome = newOutcome(() => undefined);
    const run = await readRunFile(stateDir);
    const ticketId = await playScenario(createStage(run), outcome);
    if (!isClean(outcome)) throw new Error('the scenario was not played');
    await untilLogged(state, port);
    const older = readFileSync(join(state.log, 'checkpoint'));
    await system.stop();
    server = await startEmbeddedPostgres({ directory: state.data, port });
    await clone(server.adminUrl, 'deadlatch', BACKUP);
    await server.stop();

    system = await startSystem({ stateDir, portBase });
    const exported = join(root, 'export');
    const proof = join(root, 'proof.jsonl');
    const pause = ['call', 'autonomy.pause', '--as', 'sue-supervisor', '--body', '{"scope":"tenant"}'];
    await demandDone(cli(...pause));
    const refused = await cli('call', 'tech.start', '--as', 'tom-technician', '--target', ticketId);
    const refusal = JSON.parse(refused.out) as LivedInstallation['asked']['refusal'];
    const asked = {
      refusal,
      why: await cli('audit', 'why', refusal.request_id, '--json'),
      whyInWords: await cli('audit', 'why', refusal.request_id),
      show: await cli('audit', 'show', '--ticket', ticketId, '--json'),
      showInWords: await cli('audit', 'show', '--ticket', ticketId),
    };
    await untilLogged(state, port);
    await demandDone(cli('audit', 'export', '--out', exported));
    await untilLogged(state, port);
    await demandDone(cli('audit', 'export', '--out', proof, '--ticket', ticketId));
    await untilLogged(state, port);
    await system.stop();
    server = await startEmbeddedPostgres({ directory: state.data, port });
    const { adminUrl } = server;
    const trustFile = join(state.keys, 'trust.json');
    const pinned = JSON.parse(await readFile(trustFile, 'utf8')) as Trust;
    const checkpoint = readFileSync(join(state.log, 'checkpoint'));
    const keyOf = async (path: string) => loadSigningKey(await readFile(join(state.keys, path), 'utf8'));
    let copies = 0;
    return {
      ...{ state, trustFile, pinned, exported, proof, ticketId, older, checkpoint, cli, asked },
      tenantId: run.tenant_id,
      trust: auditTrust(pinned),
      entries: [...entriesOf(readTileIn(state.log), sizeOf(checkpoint))].map((entry) => Buffer.from(entry)),
      keys: {
        log: await keyOf('sequencer/log.pem'),
        witness: await keyOf('witness/witness.pem'),
        grant: await keyOf('dispatch-api/grant.pem'),
        stranger: await keyOf('web/signing.pem'),
      },
      folder: () => mkdtemp(join(root, 'files-')),
      copyOfLog: async () => {
        const folder = await mkdtemp(join(root, 'log-'));
        await cp(state.log, folder, { recursive: true });
        return folder;
      },
      attack: async (deed, options = {}) => {
        const { isBackup = false, log = state.log, beside } = options;
        copies += 1;
        const name = `copy_${copies}`;
        await clone(adminUrl, isBackup ? BACKUP : 'deadlatch', name);
        const client = await connect(adminUrl, name);
        try {
          await client.query('set session_replication_role = replica');
          await deed(client);
          await client.query('set session_replication_role = origin');
          return await verifyInstallation({ client, trust: pinned, state: { log } }, beside);
        } finally {
          await client.end();
          await onServer(adminUrl, `drop database ${name} with (force)`);
        }
      },
      close: async () => {
        await server?.stop();
        await rm(root, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await system.stop();
    await server?.stop();
    await rm(root, { recursive: true, force: true });
    throw error;
  }
}

/** How many entries a checkpoint note says there are. */
export function sizeOf(note: Uint8Array): number {
  return parseCheckpoint(parseNote(note).text).size;
}

/** Waits until every event of the running system is under a cosigned checkpoint. */
async function untilLogged(state: StateDir, port: number): Promise<void> {
  const password = (await readFile(join(state.data, 'admin-password'), 'utf8')).trim();
  const client = await connect(`postgres://postgres:${password}@127.0.0.1:${port}/postgres`, 'deadlatch');
  try {
    for (let tries = 0; ; tries += 1) {
      const { rows } = await client.query<{ count: number }>(
        `select count(*)::int as count from audit.events where not exists (
           select from dispatch.outbox where delivered_at is null and abandoned_at is null)`,
      );
      const count = rows[0]?.count ?? 0;
      if (count > 0 && sizeOf(readFileSync(join(state.log, 'checkpoint'))) === count) return;
      if (tries > 300) throw new Error('the log does not catch up with the events');
      await sleep(100);
    }
  } finally {
    await client.end();
  }
}

async function connect(adminUrl: string, database: string): Promise<pg.Client> {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href, application_name: 'tamper' });
  await client.connect();
  return client;
}

function clone(adminUrl: string, from: string, to: string): Promise<void> {
  return onServer(adminUrl, `create database ${to} template ${from}`);
}

async function onServer(adminUrl: string, statement: string): Promise<void> {
  const client = await connect(adminUrl, 'postgres');
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function demandDone(answer: Promise<CliAnswer>): Promise<void> {
  const { code, out, err } = await answer;
  if (code !== 0) throw new Error(`it ended with ${code}: ${out}${err}`);
}

function runCli(args: readonly string[]): Promise<CliAnswer> {
  return new Promise((done) => {
    execFile(process.execPath, [CLI, ...args], { maxBuffer: 64e6 }, (error, out, err) => {
      done({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, out, err });
    });
  });
}
