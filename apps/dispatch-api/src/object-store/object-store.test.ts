import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { createS3Service, type S3Service } from '../../../../test/support/s3-service.ts';
import type { BlobStore } from './blob-store.ts';
import { createFileBlobs } from './file-blobs.ts';
import { createObjectStore, type ObjectStore } from './object-store.ts';
import { createS3Blobs } from './s3-blobs.ts';

const MB = 1_048_576;
const TENANT = randomUUID();

const code = (expected: string) => (error: unknown) =>
  error instanceof DispatchError && error.code === expected;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const stream = (...chunks: (string | Uint8Array)[]) =>
  Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
const picture = (bytes: Uint8Array) => ({
  sha256: sha256(bytes),
  sizeBytes: bytes.length,
  contentType: 'image/png',
});

/** A body whose sender goes away after these bytes. */
function cut(...chunks: Uint8Array[]): Readable {
  return Readable.from(
    (async function* () {
      yield* chunks.map((chunk) => Buffer.from(chunk));
      throw new Error('the sender went away');
    })(),
  );
}

async function bytesOf(found: Readable | null): Promise<Buffer | null> {
  return found && Buffer.concat(await found.toArray());
}

let root: string;
let s3: S3Service;
const places: ReadonlyMap<string, () => BlobStore> = new Map([
  ['a folder', () => createFileBlobs(root)],
  ['a bucket', () => createS3Blobs({ place: { ...s3, region: 'us-east-1' }, fetch, timeoutMs: 10_000 })],
]);

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'deadlatch-objects-'));
  s3 = await createS3Service();
});
after(async () => {
  await s3.close();
  await rm(root, { recursive: true, force: true });
});

for (const [place, open] of places) {
  describe(`in ${place}`, () => {
    let blobs: BlobStore;
    let store: ObjectStore;
    before(() => {
      blobs = open();
      store = createObjectStore(blobs);
    });
    const uploaded = (id: string, sizeBytes: number) => store.openUpload(TENANT, id, sizeBytes).then(bytesOf);

    test('an upload is there when every byte has arrived, in however many pieces and requests', async () => {
      const id = randomUUID();
      const bytes = randomBytes(3 * MB + 17);
      assert.equal(await store.offset(TENANT, id), 0);
      assert.equal(await uploaded(id, bytes.length), null);
      const bounds = { offset: 0, sizeBytes: bytes.length };
      const first = stream(bytes.subarray(0, 100_000), bytes.subarray(100_000, 2 * MB));
      assert.equal(await store.append(TENANT, id, first, bounds), 2 * MB);
      assert.equal(await uploaded(id, bytes.length), null);
      const rest = stream(bytes.subarray(2 * MB));
      assert.equal(await store.append(TENANT, id, rest, { ...bounds, offset: 2 * MB }), bytes.length);
      assert.deepEqual(await uploaded(id, bytes.length), bytes);
    });

    test('an upload that was cut goes on from where it stood, to the byte', async () => {
      verifies('R.1', 'R.7');
      const id = randomUUID();
      const bytes = randomBytes(MB + 400_000);
      const bounds = { offset: 0, sizeBytes: bytes.length };
      const sent = bytes.subarray(0, MB + 123_456);
      await assert.rejects(store.append(TENANT, id, cut(sent), bounds), /went away/);
      const stood = await store.offset(TENANT, id);
      assert.equal(stood, sent.length);
      assert.equal(await uploaded(id, bytes.length), null);
      await store.append(TENANT, id, stream(bytes.subarray(stood)), { ...bounds, offset: stood });
      assert.deepEqual(await uploaded(id, bytes.length), bytes);
    });

    test('bytes that begin elsewhere are not stored, and the answer says where they should', async () => {
      verifies('C.0');
      const id = randomUUID();
      await store.append(TENANT, id, stream('12345'), { offset: 0, sizeBytes: 10 });
      for (const offset of [0, 4, 6, 10]) {
        await assert.rejects(
          store.append(TENANT, id, stream('abcde'), { offset, sizeBytes: 10 }),
          (error: DispatchError) => error.code === 'upload_conflict' && error.extra.expected_offset === 5,
        );
      }
      await store.append(TENANT, id, stream('67890'), { offset: 5, sizeBytes: 10 });
      assert.equal((await uploaded(id, 10))?.toString(), '1234567890');
    });

    test('an upload that is longer than announced is forgotten, not even its beginning stays', async () => {
      verifies('I.4', 'R.7');
      const id = randomUUID();
      const append = (text: string, offset: number) =>
        store.append(TENANT, id, stream(text), { offset, sizeBytes: 5 });
      await append('who', 0);
      await assert.rejects(append('le!', 3), code('payload_too_large'));
      assert.equal(await store.offset(TENANT, id), 0);
      await append('whole', 0);
      await assert.rejects(append('!', 5), code('payload_too_large'));
      assert.equal(await uploaded(id, 5), null);
    });

    test('of many that upload at once, every part is one of theirs, whole', async () => {
      verifies('R.2', 'R.7');
      const id = randomUUID();
      const senders = Array.from({ length: 6 }, (_, i) => Buffer.alloc(2 * MB, String(i)));
      const results = await Promise.allSettled(
        senders.map((bytes) => store.append(TENANT, id, stream(bytes), { offset: 0, sizeBytes: 2 * MB })),
      );
      assert.equal(results.filter((r) => r.status === 'fulfilled').length, 1);
      for (const result of results) {
        if (result.status === 'rejected') assert.ok(code('upload_conflict')(result.reason));
      }
      const found = await uploaded(id, 2 * MB);
      assert.ok(senders.some((bytes) => found?.equals(bytes)));
    });

    test('has ids and hashes for names, and no others', async () => {
      verifies('C.0', 'T4.6');
      const bounds = { offset: 0, sizeBytes: 1 };
      for (const name of ['..', '../../etc', '', 'a/b', `${randomUUID()}/..`, randomUUID().toUpperCase()]) {
        await assert.rejects(async () => store.append(TENANT, name, stream('x'), bounds), code('not_found'));
        await assert.rejects(
          async () => store.append(name, randomUUID(), stream('x'), bounds),
          code('not_found'),
        );
        await assert.rejects(store.openUpload(TENANT, name, 1), code('not_found'), name);
        await assert.rejects(store.read(TENANT, `content/${TENANT}/${name}`), code('not_found'), name);
      }
      const id = randomUUID();
      await store.append(TENANT, id, stream('x'), bounds);
      assert.equal(await store.openUpload(randomUUID(), id, 1), null);
    });

    test('what is kept is named by its hash, and nothing that is uploaded changes it', async () => {
      verifies('R.7');
      const bytes = randomBytes(200_000);
      const name = await store.keep(TENANT, stream(bytes), picture(bytes));
      assert.equal(name, `content/${TENANT}/${sha256(bytes)}`);
      assert.equal(await store.keep(TENANT, stream(bytes), picture(bytes)), name);
      assert.deepEqual(await store.read(TENANT, name).then(bytesOf), bytes);
      assert.equal(await store.read(randomUUID(), name), null);
      assert.equal(await store.read(TENANT, `uploads/${TENANT}/${sha256(bytes)}`), null);
      assert.equal(
        await store.read(
          TENANT,
          name.replace(/.$/, (c) => (c === '0' ? '1' : '0')),
        ),
        null,
      );
    });

    test('what is not what it is said to be is not kept', async () => {
      verifies('C.0', 'R.7');
      const bytes = randomBytes(2_000);
      const said = picture(bytes);
      const lies: readonly (readonly [Readable, ReturnType<typeof picture>])[] = [
        [stream(bytes.subarray(1)), said],
        [stream(bytes, 'x'), said],
        [stream(randomBytes(2_000)), said],
        [stream(bytes), { ...said, sizeBytes: 1_999 }],
        [stream(bytes), { ...said, sizeBytes: 2_001 }],
        [cut(bytes.subarray(0, 1_000)), said],
      ];
      for (const [body, lie] of lies) await assert.rejects(store.keep(TENANT, body, lie));
      assert.equal(await store.read(TENANT, `content/${TENANT}/${said.sha256}`), null);
    });

    test('what was never finished is swept, and what is young or kept is not', async () => {
      const [id, bytes] = [randomUUID(), randomBytes(10)];
      await store.append(TENANT, id, stream('half'), { offset: 0, sizeBytes: 8 });
      const name = await store.keep(TENANT, stream(bytes), picture(bytes));
      await store.sweep(Date.now() - 60_000);
      assert.equal(await store.offset(TENANT, id), 4);
      await store.sweep(Date.now() + 60_000);
      assert.equal(await store.offset(TENANT, id), 0);
      assert.notEqual(await store.read(TENANT, name), null);
      assert.deepEqual(await blobs.list('uploads/'), []);
    });

    test('discarding forgets an upload, and again', async () => {
      const id = randomUUID();
      await store.append(TENANT, id, stream('x'), { offset: 0, sizeBytes: 1 });
      await store.discardUpload(TENANT, id);
      await store.discardUpload(TENANT, id);
      assert.equal(await store.openUpload(TENANT, id, 1), null);
    });

    test('answers when it is there', () => store.check());
  });
}

test('a folder keeps nothing that is not whole', async () => {
  verifies('R.1');
  const folder = await mkdtemp(join(root, 'partial-'));
  const store = createObjectStore(createFileBlobs(folder));
  const bytes = randomBytes(100);
  await assert.rejects(store.keep(TENANT, cut(bytes), picture(randomBytes(200))));
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  assert.deepEqual(
    files.filter((entry) => entry.isFile()),
    [],
  );
});

test('a place that is gone is an outage, and says no more', async () => {
  verifies('C.6');
  await assert.rejects(
    createObjectStore(createFileBlobs(join(root, 'nowhere'))).check(),
    code('unavailable'),
  );
  const place = { ...s3, bucketUrl: 'http://127.0.0.1:1/photos', region: 'us-east-1' };
  const nobody = createObjectStore(createS3Blobs({ place, fetch, timeoutMs: 2_000 }));
  await assert.rejects(nobody.check(), code('unavailable'));
  await assert.rejects(nobody.offset(TENANT, randomUUID()), code('unavailable'));
  await assert.rejects(nobody.discardUpload(TENANT, randomUUID()), code('unavailable'));
});
