import { existsSync } from 'node:fs';
import { chmod, link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StartError } from '../arguments.ts';

/** Where everything of one running system lives. Each path is absolute. */
export interface StateDir {
  readonly root: string;
  readonly keys: string;
  /** The certificate authority's key and certificate: for whoever issues, and for no service. */
  readonly authority: string;
  readonly data: string;
  readonly logs: string;
  readonly objects: string;
  readonly inbox: string;
  /** Where imager listens; nobody but the services' user gets in. */
  readonly imager: string;
  /** Tiles and checkpoints of the Merkle log: public within the installation, no secrets. */
  readonly log: string;
  /** What the witness has seen; nobody else writes there. */
  readonly witness: string;
  /** What people accepted of restored backups. */
  readonly restore: string;
  /** Keys of the demo's people who may accept one; elsewhere each keeps their own. */
  readonly people: string;
  readonly runFile: string;
  readonly installationFile: string;
}

export function stateDirAt(path: string): StateDir {
  const root = resolve(path);
  return {
    root,
    keys: join(root, 'keys'),
    authority: join(root, 'ca'),
    data: join(root, 'postgres'),
    logs: join(root, 'logs'),
    objects: join(root, 'objects'),
    inbox: join(root, 'inbox'),
    imager: join(root, 'imager'),
    log: join(root, 'log'),
    witness: join(root, 'witness'),
    restore: join(root, 'restore'),
    people: join(root, 'people'),
    runFile: join(root, 'run.json'),
    installationFile: join(root, 'installation.json'),
  };
}

/** Creates what is missing. @throws StartError when the folder cannot be written */
export async function prepareStateDir(dir: StateDir): Promise<void> {
  try {
    // PostgreSQL may run as another user and has to walk through; names inside are no secret, contents are.
    await makeFolders(dir.root);
    await chmod(dir.root, 0o711);
    for (const path of [
      dir.keys,
      dir.authority,
      dir.logs,
      dir.objects,
      dir.inbox,
      dir.imager,
      dir.log,
      dir.witness,
      dir.restore,
      dir.people,
    ])
      await mkdir(path, { recursive: true, mode: 0o700 });
    const probe = join(dir.root, '.probe');
    await writeFile(probe, '');
    await rm(probe);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error';
    throw new StartError(
      `The state directory ${dir.root} cannot be written (${code}). Choose another with --state-dir.`,
    );
  }
}

/** One after the other: where the system says "no such file" for a folder to be, node's own recursion never ends. */
async function makeFolders(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; !existsSync(at); at = dirname(at)) missing.push(at);
  for (const at of missing.reverse()) await mkdir(at, { mode: 0o711 });
  if (!(await stat(path)).isDirectory()) throw Object.assign(new Error('a file'), { code: 'ENOTDIR' });
}

/** A document that an earlier start wrote. @throws StartError naming a file that holds something else */
export async function readDocument<T>(path: string): Promise<T> {
  const text = await readFile(path, 'utf8');
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new StartError(
      `The file ${path} is damaged: restore it, or move the state directory away to start anew.`,
      { cause },
    );
  }
}

/** The directory, held by this process. */
export interface StateDirLock {
  /** Whether it was taken over from a process that ended without giving it back. */
  readonly isInherited: boolean;
  release(): Promise<void>;
}

/**
 * Takes the directory for this process. A lock of a process that is gone is taken over.
 * @throws StartError when a live process holds it
 */
export async function lockStateDir(dir: StateDir): Promise<StateDirLock> {
  const path = join(dir.root, 'lock');
  // Linked, not written in place: nobody ever reads half a lock and takes it for a stale one.
  const own = `${path}.${process.pid}.part`;
  await writeFile(own, `${process.pid} ${(await birthOf(process.pid)) ?? ''}`, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (await linkNew(own, path)) {
        return { isInherited: attempt > 0, release: () => rm(path, { force: true }) };
      }
      const [holder = '', birth = ''] = (await readFile(path, 'utf8').catch(() => '')).split(' ');
      if (await isStillAlive(Number(holder), birth)) {
        throw new StartError(
          `Deadlatch is already running in ${dir.root} (process ${holder}). Stop it first, or use another --state-dir and --port-base.`,
        );
      }
      await rm(path, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
  throw new StartError(`The lock ${path} cannot be taken.`);
}

/** Replaces a file as a whole, so that a reader never sees half of it. */
export async function writeWhole(path: string, content: string, mode = 0o600): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  await writeFile(partial, content, { mode });
  await rename(partial, path);
}

async function linkNew(existing: string, path: string): Promise<boolean> {
  try {
    await link(existing, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** In a container every start gets the same number, so the process must also be as old as the lock says. */
async function isStillAlive(pid: number, birth: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return false;
  const now = await birthOf(pid);
  return now === null || birth === '' || now === birth;
}

/** When a process began, as this machine counts it; null where that cannot be read. */
async function birthOf(pid: number): Promise<string | null> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name that may hold anything; the 22nd is the start in clock ticks since boot.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return ticks === undefined ? null : `${boot}/${ticks}`;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
