import { Readable } from 'node:stream';
import { isUuid, refuse } from '@deadlatch/kernel';
import { type Announced, type BlobStore, PARTIAL_BLOBS, type SignedRequest } from './blob-store.ts';
import { chainOf, createUploads, PART_NAME, type Uploads } from './uploads.ts';

/**
 * Where evidence bytes live, in two name spaces. `uploads/<tenant>/<evidence>/<offset>`: the parts of what is being
 * uploaded, written by whoever holds a presigned address. `content/<tenant>/<sha256>`: pictures, written by `keep`
 * alone and named by what they are, so that nothing which comes later can change them.
 */
export interface ObjectStore extends Uploads {
  /** The whole upload, from its first byte; null while it has not exactly so many. */
  openUpload(tenantId: string, evidenceId: string, sizeBytes: number): Promise<Readable | null>;
  /** Forgets an upload, finished or not. */
  discardUpload(tenantId: string, evidenceId: string): Promise<void>;
  /**
   * Keeps a picture for good.
   * @returns its name
   * @throws DispatchError `unavailable` when the bytes are others than `picture` says; nothing is kept then
   */
  keep(tenantId: string, body: Readable, picture: Announced): Promise<string>;
  /** The bytes under a name that `keep` gave out for this tenant; null when there are none. */
  read(tenantId: string, contentKey: string): Promise<Readable | null>;
  /** A request by which a client uploads everything at once to where it is stored; null where that cannot be. */
  signUpload(
    tenantId: string,
    evidenceId: string,
    announced: Announced,
    lifetimeS: number,
  ): Promise<SignedRequest | null>;
  /** Removes what was uploaded before this time (milliseconds since the epoch) and never finished. */
  sweep(before: number): Promise<void>;
  /** @throws DispatchError `unavailable` */
  check(): Promise<void>;
}

export function createObjectStore(blobs: BlobStore): ObjectStore {
  const uploads = createUploads(blobs, uploadFolder);
  return {
    ...uploads,
    async openUpload(tenantId, evidenceId, sizeBytes) {
      const parts = chainOf(await blobs.list(uploadFolder(tenantId, evidenceId)));
      const total = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      return total === sizeBytes ? Readable.from(bytesOf(blobs, parts), { objectMode: false }) : null;
    },
    async discardUpload(tenantId, evidenceId) {
      for (const { name } of await blobs.list(uploadFolder(tenantId, evidenceId))) await blobs.remove(name);
    },
    async keep(tenantId, body, picture) {
      const name = contentName(tenantId, picture.sha256);
      await blobs.keep(name, body, picture);
      return name;
    },
    async read(tenantId, contentKey) {
      const hash = contentKey.slice(contentKey.lastIndexOf('/') + 1);
      // Only a name that this tenant's pictures have.
      return contentName(tenantId, hash) === contentKey ? blobs.open(contentKey) : null;
    },
    signUpload: (tenantId, evidenceId, announced, lifetimeS) =>
      blobs.signUpload(`${uploadFolder(tenantId, evidenceId)}${PART_NAME(0)}`, announced, lifetimeS),
    async sweep(before) {
      for (const prefix of [PARTIAL_BLOBS, 'uploads/']) {
        for (const { name, writtenAt } of await blobs.list(prefix)) {
          if (writtenAt < before) await blobs.remove(name);
        }
      }
    },
    check: () => blobs.check(),
  };
}

function uploadFolder(tenantId: string, evidenceId: string): string {
  return `uploads/${safeId(tenantId)}/${safeId(evidenceId)}/`;
}

function contentName(tenantId: string, sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) refuse('not_found', { detail: 'not a hash' });
  return `content/${safeId(tenantId)}/${sha256}`;
}

/** Names come from ids alone, so no name can leave its folder. */
function safeId(id: string): string {
  if (!isUuid(id)) refuse('not_found', { detail: 'not an object name' });
  return id;
}

async function* bytesOf(
  blobs: BlobStore,
  parts: readonly { readonly name: string }[],
): AsyncGenerator<Buffer> {
  for (const { name } of parts) {
    const part = await blobs.open(name);
    // Discarded meanwhile, by whoever finished first.
    if (part === null) return refuse('unavailable', { detail: 'object store: a part is gone' });
    yield* part as AsyncIterable<Buffer>;
  }
}
