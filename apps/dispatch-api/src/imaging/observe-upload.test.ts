import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { MAX_EVIDENCE_BYTES } from '@deadlatch/catalogue';
import type { EvidenceRow } from '@deadlatch/decision';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { pngChunk, randomPicture } from '../../../../test/support/pictures.ts';
import { createFileBlobs } from '../object-store/file-blobs.ts';
import { createObjectStore, type ObjectStore } from '../object-store/object-store.ts';
import { createImager } from './imager.ts';
import { createObserveUpload, type ObserveUpload } from './observe-upload.ts';
import { readPictureSize } from './read-picture-size.ts';

/** An imager that somebody else has taken over: it says what the test tells it. */
type Lie = (received: Buffer, response: ServerResponse) => void;

const TENANT = randomUUID();
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let root: string;
let store: ObjectStore;
let server: Server;
let lie: Lie = () => undefined;
let observe: ObserveUpload;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'dl-imaging-'));
  store = createObjectStore(createFileBlobs(root));
  const socketPath = join(root, 'imager.sock');
  server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => lie(Buffer.concat(chunks), response));
  });
  await new Promise<void>((done) => server.listen(socketPath, () => done()));
  observe = createObserveUpload(store, createImager({ socketPath, timeoutMs: 500 }));
});
after(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await rm(root, { recursive: true, force: true });
});

async function uploaded(bytes: Buffer, announced: Buffer = bytes): Promise<EvidenceRow> {
  const id = randomUUID();
  await store.append(TENANT, id, Readable.from([bytes]), { offset: 0, sizeBytes: announced.length });
  const row = { tenant_id: TENANT, id, sha256: hashOf(announced), size_bytes: announced.length };
  return { ...row, content_type: 'image/png' } as EvidenceRow;
}

const answers =
  (bytes: Buffer, over: Readonly<Record<string, string | number>> = {}): Lie =>
  (_received, response) => {
    const headers = { 'content-length': bytes.length, 'image-sha256': hashOf(bytes), ...over };
    response.writeHead(200, headers).end(bytes);
  };

async function kept(): Promise<number> {
  const entries = await readdir(join(root, 'content'), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return entries.filter((entry) => entry.isFile()).length;
}

const isOutage = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';

describe('what was uploaded', () => {
  test('is kept as imager drew it, under the hash that was computed here', async () => {
    verifies('R.7');
    const [original, picture] = [randomPicture(), randomPicture(20, 10)];
    let given: Buffer | undefined;
    lie = (received, response) => {
      given = received;
      answers(picture)(received, response);
    };
    const found = await observe(await uploaded(original));
    assert.deepEqual(given, original);
    const sha256 = hashOf(picture);
    const content_key = `content/${TENANT}/${sha256}`;
    assert.deepEqual(found, {
      sha256: hashOf(original),
      size_bytes: original.length,
      kept: { content_key, sha256, size_bytes: picture.length },
      unusable: null,
    });
    const bytes = await store.read(TENANT, content_key);
    assert.deepEqual(bytes && Buffer.concat(await bytes.toArray()), picture);
  });

  test('is nothing while it is not whole, and forgotten when it is something else', async () => {
    verifies('C.4', 'R.7');
    lie = answers(randomPicture());
    const before = await kept();
    const whole = randomPicture();
    assert.equal(await observe(await uploaded(whole.subarray(0, 50), whole)), null);
    const other = await uploaded(Buffer.from(whole).fill(0, 60), whole);
    const found = await observe(other);
    assert.equal(found?.kept, null);
    assert.notEqual(found?.sha256, other.sha256);
    assert.equal(await observe(other), null);
    assert.equal(await kept(), before);
  });

  test('is refused for what imager says, and its bytes are gone unless another try can help', async () => {
    verifies('C.0');
    const refuses =
      (reason: string): Lie =>
      (_received, response) => {
        response.writeHead(422).end(JSON.stringify({ code: 'evidence_unusable', reason }));
      };
    for (const [reason, isForgotten] of [
      ['animated', true],
      ['too_slow', false],
    ] as const) {
      const row = await uploaded(randomPicture());
      lie = refuses(reason);
      assert.deepEqual(
        [(await observe(row))?.unusable, (await observe(row)) === null],
        [reason, isForgotten],
      );
    }
    for (const reason of ['because_i_say_so', '', 'constructor']) {
      lie = refuses(reason);
      await assert.rejects(observe(await uploaded(randomPicture())), isOutage, reason);
    }
  });
});

describe('an imager that is somebody else’s by now', () => {
  test('can have nothing kept but a picture of the announced type, bounded and with its own hash', async () => {
    verifies('C.0', 'R.7');
    const picture = randomPicture();
    const huge = Buffer.from(picture);
    const header = Buffer.from(huge.subarray(16, 29));
    header.writeUInt32BE(100_000, 0);
    header.writeUInt32BE(100_000, 4);
    pngChunk('IHDR', header).copy(huge, 8);
    const lies: readonly Lie[] = [
      answers(Buffer.from('<html><script>alert(1)</script></html>')),
      answers(Buffer.concat([Buffer.from([0xff, 0xd8]), picture])),
      answers(huge),
      answers(picture, { 'image-sha256': 'f'.repeat(64) }),
      answers(picture, { 'image-sha256': '../../../etc/passwd' }),
      answers(picture, { 'content-length': MAX_EVIDENCE_BYTES + 1 }),
      answers(Buffer.alloc(0)),
      (_received, response) => {
        response.writeHead(200, { 'content-length': picture.length, 'image-sha256': hashOf(picture) });
        response.write(picture.subarray(0, 60), () => response.destroy());
      },
      (_received, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      (_received, response) => void response.writeHead(422).end('x'.repeat(100_000)),
      (_received, response) => void response.destroy(),
      // It says nothing at all.
      () => undefined,
    ];
    const before = await kept();
    for (const one of lies) {
      lie = one;
      await assert.rejects(observe(await uploaded(randomPicture())), isOutage);
    }
    assert.equal(await kept(), before);
  });

  test('is an outage when it is not there', async () => {
    verifies('C.6');
    const nobody = createObserveUpload(store, createImager({ socketPath: join(root, 'x'), timeoutMs: 500 }));
    await assert.rejects(nobody(await uploaded(randomPicture())), isOutage);
  });
});

test('type and size are read from the head of what our coder writes, and from nothing else', () => {
  const head = (hex: string, length = 64) => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(length)]);
  const jpeg = head('ffd8ffe000104a46494600010100000100010000ffc00011080bd00fc003');
  assert.deepEqual(readPictureSize(jpeg), { contentType: 'image/jpeg', width: 4032, height: 3024 });
  assert.deepEqual(readPictureSize(randomPicture(7, 9)), { contentType: 'image/png', width: 7, height: 9 });
  const webp = (rest: string) =>
    head(`${Buffer.from('RIFF').toString('hex')}00000000${Buffer.from('WEBP').toString('hex')}${rest}`);
  const sizes = [
    webp('56503820000000000000009d012a40013000'),
    webp('5650384c000000002f3f414b00'),
    webp('565038580a0000000000000' + '03f01002f0000'),
  ].map((file) => readPictureSize(file));
  assert.deepEqual(sizes, [
    { contentType: 'image/webp', width: 320, height: 48 },
    { contentType: 'image/webp', width: 320, height: 302 },
    { contentType: 'image/webp', width: 320, height: 48 },
  ]);
  for (const nothing of ['', 'ffd8', 'ffd8ffe0ffff', '89504e470d0a1a0a', '52494646', '3c7376673e']) {
    assert.equal(readPictureSize(Buffer.from(nothing, 'hex')), null, nothing);
  }
});
