import { link, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Names that can stand in a path without leaving their directory. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Joins a directory and a name that must be a plain file name. @throws Error on anything else */
export function fileIn(directory: string, name: string): string {
  if (!SAFE_NAME.test(name)) throw new Error('unsafe file name');
  return join(directory, name);
}

/** Whether `error` is a file system error with this code, e.g. `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/**
 * Creates `path` with `bytes`, completely or not at all, and returns once it is on the disk.
 * @param scratch a path in the same file system, private to this call
 * @returns false when `path` was there before; it is then left as it was
 * @throws the file system's error (disk full, unwritable): nothing is promised then
 */
export async function createDurably(path: string, scratch: string, bytes: Uint8Array): Promise<boolean> {
  await writeThrough(scratch, bytes);
  try {
    // Unlike rename, link refuses to replace: two deliveries of one event become one file.
    await link(scratch, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    // The other call may still be before its own sync; the promise of this one must not rest on that.
    await syncDirectory(dirname(path));
    return false;
  } finally {
    await unlink(scratch);
  }
  await syncDirectory(dirname(path));
  return true;
}

/** Like `createDurably`, but puts the new content in the place of the old one. */
export async function replaceDurably(path: string, scratch: string, bytes: Uint8Array): Promise<void> {
  await writeThrough(scratch, bytes);
  await rename(scratch, path);
  await syncDirectory(dirname(path));
}

/** Removes the files of `directory` that were last written before `beforeMs`. */
export async function pruneOlder(directory: string, beforeMs: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if ((await stat(path)).mtimeMs < beforeMs) await unlink(path);
  }
}

/** Makes creations, renames and removals in `directory` survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeThrough(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}
