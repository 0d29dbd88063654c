import {
  StartError as DatabaseStartError,
  type EmbeddedPostgres,
  ensureDatabase,
  migrate,
  startEmbeddedPostgres,
} from '@deadlatch/postgres';
import { StartError } from '../arguments.ts';
import { sleep } from './child.ts';
import type { Installation } from './installation.ts';
import type { StateDir } from './state-dir.ts';

export const DATABASE_NAME = 'deadlatch';
const ROLES = ['dispatch', 'identity', 'vault', 'worker', 'sequencer', 'demo'] as const;
const RESTART_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 5_000;
/** Attempts that fail without a word: the first ones after a crash do. */
const SAY_AFTER = 4;

/** The embedded PostgreSQL, kept running. */
export interface Database {
  /** The administrator's connection to our database. */
  readonly adminUrl: string;
  /** Connection of a service's role. */
  urlOf(role: (typeof ROLES)[number]): string;
  pid(): number;
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL, brings it to this version's schema, and starts it again whenever it dies.
 * @throws StartError with one sentence
 */
export async function startDatabase(
  state: StateDir,
  port: number,
  installation: Installation,
  say: (line: string) => void,
  onRestart: () => void,
): Promise<Database> {
  const start = () => startEmbeddedPostgres({ directory: state.data, port });
  let started: EmbeddedPostgres | undefined;
  let adminUrl: string;
  try {
    started = await start();
    adminUrl = await ensureDatabase(started.adminUrl, DATABASE_NAME);
    // The demo's role can make sign-in links for anybody: elsewhere it may not even log in.
    const roles = ROLES.filter((role) => role !== 'demo' || installation.profile === 'demo');
    const passwords = Object.fromEntries(
      roles.map((role) => [role, installation.passwords[`deadlatch_${role}`] ?? '']),
    );
    await migrate({ adminUrl, passwords });
  } catch (error) {
    // It has a session of its own: nobody else would ever stop it.
    await started?.stop();
    if (error instanceof DatabaseStartError) throw new StartError(error.message);
    throw error;
  }
  let server = started;
  let stopping = false;
  const keep = async () => {
    while (!stopping) {
      await server.ended;
      if (stopping) return;
      say('PostgreSQL ended unexpectedly; starting it again');
      server = await restart(start, () => stopping, server, say);
      onRestart();
    }
  };
  const keeping = keep();
  return {
    adminUrl,
    urlOf: (role) => {
      const password = installation.passwords[`deadlatch_${role}`] ?? '';
      return `postgres://deadlatch_${role}:${password}@127.0.0.1:${port}/${DATABASE_NAME}`;
    },
    pid: () => server.pid,
    async stop() {
      stopping = true;
      await server.stop();
      await keeping;
      // A start that was under way when we were told to stop.
      await server.stop();
    },
  };
}

/** Tries until it runs: right after a crash, children of the old server may still hold its memory and port. */
async function restart(
  start: () => Promise<EmbeddedPostgres>,
  isStopping: () => boolean,
  dead: EmbeddedPostgres,
  say: (line: string) => void,
): Promise<EmbeddedPostgres> {
  for (let attempt = 1; ; attempt += 1) {
    await sleep(Math.min(RESTART_PAUSE_MS * attempt, LONGEST_PAUSE_MS));
    if (isStopping()) return dead;
    try {
      return await start();
    } catch (error) {
      // Whatever is in the way, a full disk say, may go away; the services answer "unavailable" until then.
      if (attempt === SAY_AFTER) say(error instanceof Error ? error.message : 'PostgreSQL does not start');
    }
  }
}
