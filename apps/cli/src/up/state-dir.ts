import { chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StartError } from '../arguments.ts';

/** Where everything of one running system lives. Each path is absolute. */
export interface StateDir {
  readonly root: string;
  readonly keys: string;
  readonly data: string;
  readonly logs: string;
  readonly objects: string;
  readonly inbox: string;
  readonly runFile: string;
  readonly installationFile: string;
}

export function stateDirAt(path: string): StateDir {
  const root = resolve(path);
  return {
    root,
    keys: join(root, 'keys'),
    data: join(root, 'postgres'),
    logs: join(root, 'logs'),
    objects: join(root, 'objects'),
    inbox: join(root, 'inbox'),
    runFile: join(root, 'run.json'),
    installationFile: join(root, 'installation.json'),
  };
}

/** Creates what is missing. @throws StartError when the folder cannot be written */
export async function prepareStateDir(dir: StateDir): Promise<void> {
  try {
    // PostgreSQL may run as another user and has to walk through; names inside are no secret, contents are.
    await mkdir(dir.root, { recursive: true, mode: 0o711 });
    await chmod(dir.root, 0o711);
    for (const path of [dir.keys, dir.logs, dir.objects, dir.inbox])
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

/**
 * Takes the directory for this process. A lock of a process that is gone is taken over.
 * @returns the function that gives it back
 * @throws StartError when a live process holds it
 */
export async function lockStateDir(dir: StateDir): Promise<() => Promise<void>> {
  const path = join(dir.root, 'lock');
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const file = await open(path, 'wx', 0o600).catch(existsAsNull);
    if (file) {
      await file.writeFile(String(process.pid));
      await file.close();
      return () => rm(path, { force: true });
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (Number.isInteger(holder) && holder > 0 && isAlive(holder)) {
      throw new StartError(
        `Deadlatch is already running in ${dir.root} (process ${holder}). Stop it first, or use another --state-dir and --port-base.`,
      );
    }
    await rm(path, { force: true });
  }
  throw new StartError(`The lock ${path} cannot be taken.`);
}

/** Replaces a file as a whole, so that a reader never sees half of it. */
export async function writeWhole(path: string, content: string, mode = 0o600): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  await writeFile(partial, content, { mode });
  await rename(partial, path);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function existsAsNull(error: NodeJS.ErrnoException): null {
  if (error.code === 'EEXIST') return null;
  throw error;
}
