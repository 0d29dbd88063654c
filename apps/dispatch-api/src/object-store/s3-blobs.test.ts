import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { createS3Service, type S3Service } from '../../../../test/support/s3-service.ts';
import { createObjectStore, type ObjectStore } from './object-store.ts';
import { createS3Blobs } from './s3-blobs.ts';

const TENANT = randomUUID();
const LIFETIME_S = 900;
let s3: S3Service;

const blobsAs = (over: Partial<Parameters<typeof createS3Blobs>[0]['place']> = {}) =>
  createS3Blobs({ place: { ...s3, region: 'us-east-1', ...over }, fetch, timeoutMs: 5_000 });

before(async () => {
  s3 = await createS3Service();
});
after(() => s3.close());

type Answer = readonly [status: number, headers: Readonly<Record<string, string>>, body: string];

/** A service that answers what it is told, whoever asks. */
async function answering(
  answer: (url: URL) => Answer,
): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const [status, headers, body] = answer(new URL(request.url ?? '', 'http://s3'));
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()));
  const { port } = server.address() as { port: number };
  return {
    origin: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const isOutage = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';

describe('a signed upload', () => {
  const bytes = randomBytes(5_000);
  const announced = {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    sizeBytes: bytes.length,
    contentType: 'image/jpeg',
  };
  let store: ObjectStore;
  before(() => {
    store = createObjectStore(blobsAs());
  });
  const signed = async (id: string, lifetimeS = LIFETIME_S) => {
    const request = await store.signUpload(TENANT, id, announced, lifetimeS);
    assert.ok(request);
    return request;
  };
  const put = async (url: string, headers: Readonly<Record<string, string>>, body: Buffer = bytes) =>
    (await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) }).catch(() => ({ status: 0 })))
      .status;

  test('stores exactly what was announced where uploads are looked for, past us', async () => {
    verifies('T3.12');
    const id = randomUUID();
    const { url, headers } = await signed(id);
    assert.equal(await put(url, headers), 200);
    assert.equal(await store.offset(TENANT, id), bytes.length);
    const found = await store.openUpload(TENANT, id, bytes.length);
    assert.deepEqual(found && Buffer.concat(await found.toArray()), bytes);
  });

  test('stores nothing else: not other bytes, another length, type, name or time, and nothing twice', async () => {
    verifies('T3.12', 'C.0', 'R.7');
    const [id, other] = [randomUUID(), randomUUID()];
    const { url, headers } = await signed(id);
    const { 'content-length': _, ...unmeasured } = headers;
    const without = (name: string) =>
      Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
    assert.notEqual(await put(url, headers, randomBytes(5_000)), 200);
    assert.notEqual(await put(url, { ...unmeasured, 'content-length': '4999' }, bytes.subarray(1)), 200);
    assert.notEqual(await put(url, { ...headers, 'content-type': 'text/html' }), 200);
    assert.notEqual(await put(url, without('x-amz-checksum-sha256')), 200);
    assert.notEqual(await put(url, without('if-none-match')), 200);
    assert.notEqual(await put(url.replace(id, other), headers), 200);
    assert.notEqual(
      await put(url.replace(/uploads\/[^?]+/, `content/${TENANT}/${announced.sha256}`), headers),
      200,
    );
    assert.notEqual(await put(url.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=90000'), headers), 200);
    assert.notEqual(await put(url.replace(/&X-Amz-Signature=.*/, ''), headers), 200);
    assert.equal(await store.offset(TENANT, id), 0);
    assert.equal(await put(url, headers), 200);
    assert.equal(await put(url, headers), 412);
    const late = await signed(other, -60);
    assert.notEqual(await put(late.url, late.headers), 200);
  });
});

describe('a bucket', () => {
  test('is closed to whoever has no credential, or another one', async () => {
    verifies('C.0', 'C.6');
    const name = `uploads/${TENANT}/${randomUUID()}/000000000`;
    await assert.rejects(blobsAs({ secretAccessKey: 'guessed' }).create(name, randomBytes(3)), isOutage);
    await assert.rejects(blobsAs({ accessKeyId: 'somebody' }).list('uploads/'), isOutage);
    assert.equal(await blobsAs().open(name), null);
    assert.equal((await fetch(`${s3.bucketUrl}/${name}`, { method: 'PUT', body: 'x' })).ok, false);
  });

  test('that answers something else, or sends us elsewhere, is an outage', async () => {
    verifies('C.0', 'C.6');
    let visits = 0;
    const answers = new Map([
      ['/redirect', [302, { location: '/elsewhere' }, '']],
      ['/page', [200, { 'content-type': 'text/html' }, '<html>sign in</html>']],
      ['/half', [200, {}, '<ListBucketResult><Contents><Key>uploads/x</Key></Contents></ListBucketResult>']],
      ['/more', [200, {}, '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>']],
      ['/broken', [500, {}, '']],
    ] as const);
    const { origin, close } = await answering(({ pathname }) => {
      if (pathname === '/elsewhere') visits += 1;
      return answers.get(pathname as '/page') ?? [404, {}, ''];
    });
    for (const path of answers.keys()) {
      const blobs = blobsAs({ bucketUrl: `${origin}${path}` });
      await assert.rejects(blobs.list('uploads/'), isOutage, path);
    }
    assert.equal(visits, 0);
    await close();
  });

  test('is listed whole, however many pages it takes', async () => {
    const entry = (name: string) =>
      `<Contents><Key>uploads/${name}</Key><LastModified>2026-03-02T15:00:00.000Z</LastModified>` +
      `<ETag>&quot;d41d8cd9&quot;</ETag><Size>7</Size></Contents>`;
    const page = (rest: string, ...names: string[]) =>
      `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
      `<Prefix>uploads/</Prefix>${rest}${names.map(entry).join('')}</ListBucketResult>`;
    // Tokens are opaque: this one has everything in it that an address or a document would spell otherwise.
    const more = '<IsTruncated>true</IsTruncated><NextContinuationToken>a+b/c&amp;d=</NextContinuationToken>';
    const { origin, close } = await answering(({ searchParams }) => {
      const token = searchParams.get('continuation-token');
      if (token === null) return [200, {}, page(more, 'a', 'b')];
      return token === 'a+b/c&d=' ? [200, {}, page('<IsTruncated>false</IsTruncated>', 'c')] : [400, {}, ''];
    });
    const listed = await blobsAs({ bucketUrl: `${origin}/photos` }).list('uploads/');
    const writtenAt = Date.parse('2026-03-02T15:00:00.000Z');
    assert.deepEqual(
      listed,
      ['a', 'b', 'c'].map((name) => ({ name: `uploads/${name}`, sizeBytes: 7, writtenAt })),
    );
    await close();
  });
});
