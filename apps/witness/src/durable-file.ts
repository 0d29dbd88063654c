import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Puts `bytes` in the place of the file, as a whole, and returns once they are on the disk.
 * @throws the file system's error: the file then holds either all of the old or all of the new
 */
export async function replaceDurably(path: string, bytes: Uint8Array): Promise<void> {
  const scratch = `${path}.part`;
  const handle = await open(scratch, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(scratch, path);
  const directory = await open(dirname(path), 'r');
  try {
    // Without this a power cut may bring the old file back.
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The file's bytes, or `undefined` when there is none. @throws the file system's error */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Runs what it is given one after the other, each once the one before has ended, however it ended. */
export function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
}
