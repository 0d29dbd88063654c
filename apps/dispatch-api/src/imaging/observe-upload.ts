import { createHash } from 'node:crypto';
import { Readable, Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { MAX_EVIDENCE_PIXELS, type UnusableReason } from '@deadlatch/catalogue';
import type { EvidenceRow, ObservedObject } from '@deadlatch/decision';
import { DispatchError, refuse } from '@deadlatch/kernel';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { Drawn, Imager } from './imager.ts';
import { PICTURE_HEAD_BYTES, readPictureSize } from './read-picture-size.ts';

export type ObserveUpload = (announced: EvidenceRow) => Promise<ObservedObject | null>;

/**
 * Looks at what was uploaded: hashes it, has it drawn anew, and keeps the picture. Nothing is held in memory as a
 * whole. Done again it does the same again, so a process that dies after it and before the commit loses nothing.
 * @returns null while the upload is not whole
 * @invariant the hash is of the very bytes that imager was given, and imager's answer is not looked at before it is
 *   the announced one
 * @invariant what is kept has the announced type, a bounded size, and the hash it is named by, all computed here
 * @source C.4, R.7
 */
export function createObserveUpload(
  store: Pick<ObjectStore, 'openUpload' | 'discardUpload' | 'keep'>,
  imager: Imager,
): ObserveUpload {
  return async ({ tenant_id: tenantId, id, sha256, size_bytes: sizeBytes, content_type: contentType }) => {
    const upload = await store.openUpload(tenantId, id, sizeBytes);
    if (upload === null) return null;
    const { drawn, found } = await look(upload, { sha256, sizeBytes, contentType }, imager);
    if (drawn === null) {
      // Somebody may have got there first with other bytes: the next upload begins anew.
      await store.discardUpload(tenantId, id);
      return { sha256: found, size_bytes: sizeBytes, kept: null, unusable: null };
    }
    if (drawn.kind === 'unusable') {
      // It will be what it is the next time, too; what was not looked at to its end may be tried again.
      if (!MAY_PASS.includes(drawn.reason)) await store.discardUpload(tenantId, id);
      return { sha256, size_bytes: sizeBytes, kept: null, unusable: drawn.reason };
    }
    const picture = { sha256: drawn.sha256, sizeBytes: drawn.sizeBytes, contentType };
    const contentKey = await store.keep(tenantId, await demandPicture(drawn.bytes, contentType), picture);
    const kept = { content_key: contentKey, sha256: drawn.sha256, size_bytes: drawn.sizeBytes };
    return { sha256, size_bytes: sizeBytes, kept, unusable: null };
  };
}

const MAY_PASS: readonly UnusableReason[] = ['too_slow', 'decoder_failed'];

interface Announced {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly contentType: string;
}

/** One pass: what is hashed is what imager gets. Null for bytes that nobody announced, whatever it says of them. */
async function look(
  upload: Readable,
  { sha256, sizeBytes, contentType }: Announced,
  imager: Imager,
): Promise<{ readonly drawn: Drawn | null; readonly found: string }> {
  const hash = createHash('sha256');
  const hashed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  upload.once('error', (cause) => hashed.destroy(cause));
  try {
    const drawn = await imager(contentType, sizeBytes, upload.pipe(hashed)).finally(() => hashed.unpipe());
    // It may answer before it has everything; the hash is of everything.
    await finished(hashed.resume());
    const found = hash.digest('hex');
    if (found === sha256) return { drawn, found };
    if (drawn.kind === 'picture') drawn.bytes.destroy();
    return { drawn: null, found };
  } finally {
    upload.destroy();
  }
}

/** The same stream, after a look at its beginning. @throws DispatchError `unavailable` when it is no such picture */
async function demandPicture(bytes: Readable, contentType: string): Promise<Readable> {
  const head: Buffer[] = [];
  let size = 0;
  const rest = bytes.iterator({ destroyOnReturn: false });
  try {
    while (size < PICTURE_HEAD_BYTES) {
      const { done, value } = await rest.next();
      if (done === true) break;
      head.push(value as Buffer);
      size += (value as Buffer).length;
    }
  } catch (cause) {
    throw new DispatchError('unavailable', { detail: 'imager stopped', cause });
  }
  const seen = readPictureSize(Buffer.concat(head));
  const isSound =
    seen !== null &&
    seen.contentType === contentType &&
    seen.width > 0 &&
    seen.height > 0 &&
    seen.width * seen.height <= MAX_EVIDENCE_PIXELS;
  if (!isSound) {
    bytes.destroy();
    return refuse('unavailable', { detail: 'imager answered no such picture' });
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield* head;
    for await (const chunk of rest) yield chunk as Buffer;
  }
  return Readable.from(all(), { objectMode: false });
}
