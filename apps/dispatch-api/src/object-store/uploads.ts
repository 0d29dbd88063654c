import type { Readable } from 'node:stream';
import { refuse } from '@deadlatch/kernel';
import type { Blob, BlobStore } from './blob-store.ts';

/** What an upload is held to. */
export interface UploadBounds {
  /** Where these bytes begin; what was stored before ends there. */
  readonly offset: number;
  /** Of the whole upload, as it was announced. */
  readonly sizeBytes: number;
}

/** Uploads that arrive in pieces, in order, over as many requests as it takes. */
export interface Uploads {
  /** Bytes that are stored from the first on, without a gap: where an upload that was cut goes on. */
  offset(tenantId: string, evidenceId: string): Promise<number>;
  /**
   * Stores bytes while they arrive. What came before a cut stays.
   * @returns the new offset
   * @throws DispatchError `upload_conflict` with `expected_offset` when they begin elsewhere or somebody else was first;
   *   `payload_too_large` when there are more than announced, and the upload is forgotten; what the body throws
   */
  append(tenantId: string, evidenceId: string, body: Readable, bounds: UploadBounds): Promise<number>;
}

/**
 * So many bytes are in memory for each upload, and lost at most when a process dies. Parts of S3's own multipart
 * uploads have five times as many at least: most photos are smaller, and could not go on after a cut.
 */
const PART_BYTES = 1_048_576;

/** The name of a part is where it begins, so that of two that begin at the same place only one can be. */
export const PART_NAME = (offset: number): string => String(offset).padStart(9, '0');
const PART = /\/([0-9]{9})$/;

/**
 * @invariant of two clients that upload at once, each byte is one's or the other's, never both: a part is stored whole
 *   or not at all, and never replaced. What they made together is evidence only if it is what was announced.
 */
export function createUploads(
  blobs: BlobStore,
  folderOf: (tenantId: string, evidenceId: string) => string,
): Uploads {
  const offset = async (folder: string) =>
    chainOf(await blobs.list(folder)).reduce((sum, part) => sum + part.sizeBytes, 0);
  return {
    offset: (tenantId, evidenceId) => offset(folderOf(tenantId, evidenceId)),
    async append(tenantId, evidenceId, body, bounds) {
      const folder = folderOf(tenantId, evidenceId);
      const stored = await offset(folder);
      if (bounds.offset !== stored) conflict(stored);
      let at = stored;
      const store = async (bytes: Uint8Array) => {
        if (bytes.length === 0) return;
        if (!(await blobs.create(`${folder}${PART_NAME(at)}`, bytes))) conflict(await offset(folder));
        at += bytes.length;
      };
      for await (const part of partsOf(body)) {
        if (at + part.length > bounds.sizeBytes) {
          for (const { name } of await blobs.list(folder)) await blobs.remove(name);
          refuse('payload_too_large', { detail: 'more bytes than announced' });
        }
        await store(part);
      }
      return at;
    },
  };
}

function conflict(expected: number): never {
  return refuse('upload_conflict', { extra: { expected_offset: expected } });
}

/** The parts that follow on each other from the first byte. */
export function chainOf(blobs: readonly Blob[]): readonly Blob[] {
  const byOffset = new Map<number, Blob>();
  for (const blob of blobs) {
    const [, offset] = PART.exec(blob.name) ?? [];
    if (offset !== undefined && blob.sizeBytes > 0) byOffset.set(Number(offset), blob);
  }
  const chain: Blob[] = [];
  for (let at = 0; ; ) {
    const next = byOffset.get(at);
    if (next === undefined) return chain;
    chain.push(next);
    at += next.sizeBytes;
  }
}

/** A body in pieces of one part each; what had come when it failed is a piece too, before the failure. */
async function* partsOf(body: Readable): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let size = 0;
  let failure: unknown;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size < PART_BYTES) continue;
      yield Buffer.concat(chunks, size);
      chunks = [];
      size = 0;
    }
  } catch (error) {
    failure = error;
  }
  if (size > 0) yield Buffer.concat(chunks, size);
  if (failure !== undefined) throw failure;
}
