import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { livingPostmaster, removeStaleLock } from './embedded-lock.ts';
import {
  type Account,
  childOptions,
  runInitdb,
  runnableServer,
  type ServerBinaries,
  serverHome,
  systemAccount,
} from './embedded-server.ts';
import { StartError } from './start-error.ts';

/** A running PostgreSQL of our own, on 127.0.0.1. */
export interface EmbeddedPostgres {
  /** The administrator's URL of database `postgres`. Holds the password: never log it. */
  readonly adminUrl: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Stops it and waits: open transactions roll back, nothing that was committed is lost. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Holds `data/`, `admin-password` and `server.log`; made when missing. See `serverHome` for the exception. */
  readonly directory: string;
  readonly port: number;
  /** Default 60,000. */
  readonly startTimeoutMs?: number;
}

/**
 * Sane settings for one machine. Durability is never traded: a command that was answered is on disk.
 * Statements and their values stay out of the server's log (T5.1): it would be a sink of personal data.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '64MB',
  max_connections: '100',
  max_worker_processes: '2',
  max_parallel_workers_per_gather: '0',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  max_wal_size: '256MB',
  // Under load a commit waits this many microseconds for others to share its flush: 1.7x commits/s at 16 clients
  // on a disk with a 5 ms flush. With fewer than commit_siblings transactions open nobody waits.
  commit_delay: '1000',
  commit_siblings: '5',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_statement: 'none',
  // LOG, FATAL and PANIC. Not ERROR: its message quotes the value that was wrong.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
};

/**
 * Starts PostgreSQL from the npm package, creating the cluster on first use. The package's own wrapper is not used:
 * it installs exit hooks and logs to the console.
 * @throws StartError with a sentence for: already running, port in use, other version, disk full, no
 * folder that the server's user can enter, and anything else with the last line of the server's log
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { directory, port } = options;
  const account = await systemAccount();
  await mkdir(directory, { recursive: true });
  // The server's user must be able to pass through; `data` itself is its own.
  if (account !== null) await chmod(directory, 0o711);
  const home = await serverHome(directory, account);
  const dataDir = join(home, 'data');
  const server = await runnableServer(home, account);

  const living = await livingPostmaster(dataDir);
  if (living !== null) {
    throw new StartError(
      'already_running',
      `PostgreSQL is already running on ${dataDir} (process ${living}); is Deadlatch started twice?`,
    );
  }
  await removeStaleLock(dataDir);
  await demandFreePort(port);
  const password = await initialise(directory, home, server, account);
  await demandSameVersion(dataDir, server);

  const child = await launch(home, port, server, account);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const adminUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  try {
    await untilReady(child, adminUrl, home, join(directory, PASSWORD_FILE), options.startTimeoutMs ?? 60_000);
  } catch (error) {
    // The wrong password is no reason to make the database recover at its next start.
    await stop(child, ended);
    throw error;
  }
  return { adminUrl, port, pid: child.pid ?? 0, ended, stop: () => stop(child, ended) };
}

const PASSWORD_FILE = 'admin-password';

async function initialise(
  directory: string,
  home: string,
  server: ServerBinaries,
  account: Account | null,
): Promise<string> {
  const dataDir = join(home, 'data');
  const passwordFile = join(directory, PASSWORD_FILE);
  const known = await readFile(passwordFile, 'utf8').catch(() => null);
  const created = await readFile(join(dataDir, 'PG_VERSION'), 'utf8').catch(() => null);
  if (created !== null) {
    if (known !== null) return known.trim();
    throw new StartError(
      'did_not_start',
      `There is a database in ${dataDir} but no ${passwordFile}: restore the file, or move the folder away to start empty.`,
    );
  }
  const inTheWay = await readdir(dataDir).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? [] : [String(error.code)],
  );
  if (inTheWay.length > 0) {
    throw new StartError(
      'did_not_start',
      `${dataDir} holds something that is no database of PostgreSQL: move it away, or choose another folder.`,
    );
  }
  const password = randomBytes(24).toString('base64url');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  // Made beside its place and renamed: a start that was killed half way leaves nothing that looks like a database.
  const unfinished = `${dataDir}.unfinished`;
  const handOver = join(home, 'initdb-password');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  // initdb reads the password from a file, as the server's own user.
  await writeFile(handOver, `${password}\n`, { mode: 0o600 });
  try {
    if (account !== null) {
      await chown(unfinished, account.uid, account.gid);
      await chown(handOver, account.uid, account.gid);
    }
    await runInitdb(unfinished, handOver, server, account);
  } finally {
    await rm(handOver, { force: true });
  }
  await rename(unfinished, dataDir);
  return password;
}

async function demandSameVersion(dataDir: string, server: ServerBinaries): Promise<void> {
  const version = (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
  if (version === server.major) return;
  throw new StartError(
    'version_mismatch',
    `The database in ${dataDir} was made by PostgreSQL ${version}, this is PostgreSQL ${server.major}: export it with the old version and import it into a new folder.`,
  );
}

function demandFreePort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === 'EADDRINUSE'
          ? new StartError('port_in_use', `Port ${port} on 127.0.0.1 is in use by another program.`, {
              cause,
            })
          : new StartError('did_not_start', `Port ${port} on 127.0.0.1 cannot be used (${cause.code}).`, {
              cause,
            }),
      );
    });
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve()));
  });
}

async function launch(
  home: string,
  port: number,
  server: ServerBinaries,
  account: Account | null,
): Promise<ChildProcess> {
  const log = await open(join(home, 'server.log'), 'w', 0o600);
  const settings = { ...SETTINGS, port: String(port) };
  const args = [
    '-D',
    join(home, 'data'),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  try {
    // Detached: Ctrl-C reaches the supervisor, which stops the services first and this last.
    const child = spawn(server.postgres, args, {
      ...childOptions(account),
      cwd: home,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    child.once('error', () => undefined);
    return child;
  } finally {
    await log.close();
  }
}

/** invalid_password. @source PostgreSQL, appendix A */
const WRONG_PASSWORD = '28P01';

async function untilReady(
  child: ChildProcess,
  adminUrl: string,
  directory: string,
  passwordFile: string,
  timeoutMs: number,
): Promise<void> {
  const until = Date.now() + timeoutMs;
  while (Date.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      throw await whyItEnded(directory);
    }
    const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 1_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return;
    } catch (error) {
      if ((error as { readonly code?: unknown }).code === WRONG_PASSWORD) {
        throw new StartError(
          'did_not_start',
          `The database in ${join(directory, 'data')} has another password than ${passwordFile}: restore that file.`,
        );
      }
      await sleep(50);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  throw new StartError('did_not_start', `PostgreSQL did not answer within ${timeoutMs / 1000} s.`);
}

/** The server's last words, as a sentence. */
async function whyItEnded(directory: string): Promise<StartError> {
  const path = join(directory, 'server.log');
  const log = await readFile(path, 'utf8').catch(() => '');
  if (/No space left on device/.test(log)) {
    return new StartError('disk_full', `The disk that holds ${directory} is full.`);
  }
  if (/Address already in use/.test(log)) {
    return new StartError('port_in_use', 'The port of PostgreSQL is in use by another program.');
  }
  if (/database files are incompatible with server/.test(log)) {
    return new StartError('version_mismatch', `The database in ${directory} was made by another PostgreSQL.`);
  }
  if (/lock file "postmaster.pid" already exists/.test(log)) {
    return new StartError('already_running', `PostgreSQL is already running on ${directory}.`);
  }
  const last = log.trim().split('\n').at(-1) ?? 'no output';
  return new StartError('did_not_start', `PostgreSQL did not start: ${last} (see ${path}).`);
}

const STOP_PATIENCE_MS = 15_000;

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // SIGINT is PostgreSQL's fast shutdown; SIGQUIT recovers from the log at the next start.
  child.kill('SIGINT');
  const timer = new AbortController();
  const patience = sleep(STOP_PATIENCE_MS, undefined, { signal: timer.signal }).then(
    () => child.kill('SIGQUIT'),
    () => undefined,
  );
  await ended;
  timer.abort();
  await patience;
}
