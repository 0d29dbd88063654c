import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  access,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { DispatchError, refuse } from '@deadlatch/kernel';
import { type Announced, type Blob, type BlobStore, PARTIAL_BLOBS } from './blob-store.ts';

/**
 * Objects in a folder. What is not whole lies elsewhere until it is, so whoever opens an object finds all of it.
 * @param root absolute folder, writable by this process alone
 */
export function createFileBlobs(root: string): BlobStore {
  const pathOf = (name: string) => join(root, name);
  const written = async (write: (file: FileHandle) => Promise<void>) => {
    const partial = pathOf(`${PARTIAL_BLOBS}${randomUUID()}`);
    await mkdir(dirname(partial), { recursive: true });
    try {
      const file = await open(partial, 'wx', 0o400);
      try {
        await write(file);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      await unlink(partial).catch(ignoreMissing);
      throw error;
    }
    return partial;
  };
  const folderOf = async (name: string) => {
    const folder = dirname(pathOf(name));
    await mkdir(folder, { recursive: true });
    return folder;
  };

  return {
    create: (name, bytes) =>
      answering(async () => {
        const partial = await written((file) => writeWhole(file, bytes));
        try {
          const folder = await folderOf(name);
          // A link takes no name that is taken: of two, one wins.
          await link(partial, pathOf(name));
          await syncFolder(folder);
          return true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
          throw error;
        } finally {
          await unlink(partial).catch(ignoreMissing);
        }
      }),

    keep: (name, body, expected) =>
      answering(async () => {
        const partial = await written((file) => writeHashing(file, body, expected));
        const folder = await folderOf(name);
        await rename(partial, pathOf(name));
        await syncFolder(folder);
      }),

    open: (name) =>
      answering(async () => {
        const file = await open(pathOf(name), constants.O_RDONLY).catch(missingAsNull);
        return file === null ? null : file.createReadStream();
      }),

    list: (prefix) =>
      answering(async () => {
        const entries = await readdir(pathOf(prefix), { recursive: true, withFileTypes: true }).catch(
          missingAsNull,
        );
        const found: Blob[] = [];
        for (const entry of entries ?? []) {
          if (!entry.isFile()) continue;
          const path = join(entry.parentPath, entry.name);
          const facts = await stat(path).catch(missingAsNull);
          if (facts === null) continue;
          found.push({
            name: path.slice(root.length + 1),
            sizeBytes: facts.size,
            writtenAt: facts.mtimeMs,
          });
        }
        return found;
      }),

    remove: (name) =>
      answering(async () => {
        await unlink(pathOf(name)).catch(ignoreMissing);
        // The folder of an upload goes with its last part; one that is not empty stays.
        await rmdir(dirname(pathOf(name))).catch(() => undefined);
      }),

    signUpload: async () => null,

    check: () => answering(() => access(root, constants.W_OK)),
  };
}

/** @throws DispatchError as it is, and `unavailable` for whatever the system says */
async function answering<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof DispatchError) throw cause;
    throw new DispatchError('unavailable', { detail: 'object store', cause });
  }
}

/** One pass: what was hashed is what was written. */
async function writeHashing(file: FileHandle, body: Readable, expected: Announced): Promise<void> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > expected.sizeBytes) refuse('unavailable', { detail: 'object store: too many bytes' });
    hash.update(chunk);
    await writeWhole(file, chunk);
  }
  if (sizeBytes !== expected.sizeBytes || hash.digest('hex') !== expected.sha256) {
    refuse('unavailable', { detail: 'object store: other bytes than expected' });
  }
}

/** `FileHandle.write` may write less than it was given. */
async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at);
    if (bytesWritten === 0) refuse('unavailable', { detail: 'object store takes no more' });
    at += bytesWritten;
  }
}

/** A new name survives a power cut only when its folder was written too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function missingAsNull(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
