import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { DispatchError, isUuid, refuse } from '@deadlatch/kernel';
import type { ObjectStore, StoredObject } from './object-store.ts';

/**
 * Evidence in a folder: `uploads/<tenant>/<evidence>` and `content/<tenant>/<sha256>`.
 * An upload is written beside its name and renamed when whole, so the file that `admit` opens never changes.
 * @param root absolute folder, writable by this process alone
 */
export function createFileStore(root: string): ObjectStore {
  const uploadPath = (tenantId: string, evidenceId: string) =>
    join(root, 'uploads', safeName(tenantId), safeName(evidenceId));

  return {
    async receive(tenantId, evidenceId, body, sizeBytes) {
      const path = uploadPath(tenantId, evidenceId);
      await mkdir(dirname(path), { recursive: true });
      const partial = `${path}.${randomUUID()}.part`;
      try {
        await writeExactly(partial, body, sizeBytes);
        await rename(partial, path);
        await syncFolder(dirname(path));
      } catch (error) {
        await unlink(partial).catch(ignoreMissing);
        throw error;
      }
    },

    async admit(tenantId, evidenceId, announced) {
      const file = await open(uploadPath(tenantId, evidenceId), constants.O_RDONLY).catch(missingAsNull);
      if (file === null) return null;
      const folder = `content/${safeName(tenantId)}`;
      await mkdir(join(root, folder), { recursive: true });
      const partial = join(root, folder, `${randomUUID()}.part`);
      try {
        const { sha256, sizeBytes } = await copyHashing(file, partial);
        if (sha256 !== announced.sha256 || sizeBytes !== announced.sizeBytes) {
          // What nobody announced is no evidence, and is not kept.
          await unlink(partial);
          return { sha256, sizeBytes, contentKey: '' } satisfies StoredObject;
        }
        const contentKey = `${folder}/${sha256}`;
        await rename(partial, join(root, contentKey));
        await syncFolder(join(root, folder));
        return { sha256, sizeBytes, contentKey } satisfies StoredObject;
      } catch (error) {
        await unlink(partial).catch(ignoreMissing);
        throw error;
      } finally {
        await file.close();
      }
    },

    async read(tenantId, sha256) {
      const path = join(root, 'content', safeName(tenantId), safeHash(sha256));
      const file = await open(path, constants.O_RDONLY).catch(missingAsNull);
      return file === null ? null : file.createReadStream();
    },

    async discardUpload(tenantId, evidenceId) {
      await unlink(uploadPath(tenantId, evidenceId)).catch(ignoreMissing);
    },

    async check() {
      try {
        await access(root, constants.W_OK);
      } catch (cause) {
        throw new DispatchError('unavailable', { detail: 'object store is not writable', cause });
      }
    },
  };
}

/** One pass: what was hashed is what was copied, whatever happens to the upload's name meanwhile. */
async function copyHashing(from: FileHandle, to: string): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const copy = await open(to, 'wx', 0o400);
  try {
    for await (const chunk of from.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      await writeWhole(copy, chunk);
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

async function writeExactly(path: string, body: Readable, sizeBytes: number): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  let written = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      written += chunk.length;
      if (written > sizeBytes) refuse('payload_too_large', { detail: 'more bytes than announced' });
      await writeWhole(file, chunk);
    }
    if (written !== sizeBytes) refuse('evidence_mismatch', { detail: 'fewer bytes than announced' });
    await file.sync();
  } finally {
    await file.close();
  }
}

/** `FileHandle.write` may write less than it was given. */
async function writeWhole(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, at);
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

/** Names come from ids alone, so no name can leave the folder. */
function safeName(id: string): string {
  if (!isUuid(id)) refuse('not_found', { detail: 'not an object name' });
  return id;
}

function safeHash(sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) refuse('not_found', { detail: 'not a hash' });
  return sha256;
}

function missingAsNull(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
