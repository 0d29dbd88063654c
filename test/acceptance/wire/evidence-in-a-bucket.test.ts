import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld } from '../../support/dispatch-api.ts';
import { type Crew, createCrew } from '../../support/job.ts';
import { randomPicture } from '../../support/pictures.ts';
import { createS3Service, type S3Service } from '../../support/s3-service.ts';
import { createWire, type Wire } from '../../support/wire.ts';

/** Photos in a bucket of a real S3-compatible service, under the permissions of production. */
let s3: S3Service;
let world: DispatchWorld;
let wire: Wire;
let crew: Crew;

before(async () => {
  s3 = await createS3Service();
  world = await createDispatchWorld({ bucket: s3 });
  wire = createWire(world, (await world.start()).port);
  crew = createCrew(world, wire);
});
after(async () => {
  await world.close();
  await s3.close();
});

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const announcementOf = (bytes: Buffer) => ({
  key: 'photo.before.opening',
  content_type: 'image/png',
  size_bytes: bytes.byteLength,
  sha256: hashOf(bytes),
});

test('a photo that a client uploads straight to the bucket is evidence once it was looked at, and cannot change then', async () => {
  verifies('R.7', 'C.4', 'T3.12');
  const id = await crew.ticket();
  const bytes = randomPicture(50, 50);
  const announced = (await crew.does(crew.dana, 'evidence.presign', id, announcementOf(bytes))).body.result;
  const { method, url, headers } = announced.direct_upload;
  const direct = (body: Buffer) => fetch(url, { method, headers, body: new Uint8Array(body) });
  const finalize = () =>
    wire.command(crew.dana, 'evidence.finalize', id, { evidence_id: announced.evidence_id });
  assert.equal((await finalize()).code, 'evidence_missing');
  const other = randomPicture(50, 50);
  assert.notEqual((await direct(other).catch(() => ({ status: 0 }))).status, 200);
  assert.equal((await direct(bytes)).status, 200);
  assert.equal((await finalize()).status, 200);

  const { evidence } = (await wire.read(crew.dana, `/v1/tickets/${id}/evidence`)).body;
  const read = async () =>
    hashOf((await wire.read(crew.dana, `/v1/evidence/${announced.evidence_id}/content`)).body);
  assert.equal(await read(), evidence[0].kept_sha256);
  // The address still works, for bytes that nobody looks at any more.
  await direct(bytes);
  assert.equal((await finalize()).code, 'invalid_state');
  assert.equal(await read(), evidence[0].kept_sha256);
});

test('a photo goes through us into the bucket too, in pieces, and half of it is none', async () => {
  verifies('R.1', 'C.4');
  const id = await crew.ticket();
  const bytes = randomPicture(600, 600);
  const announced = (await crew.does(crew.dana, 'evidence.presign', id, announcementOf(bytes))).body.result;
  const patch = (offset: number, body: Buffer) =>
    wire.send({
      method: 'PATCH',
      target: announced.upload_url,
      headers: [
        ['content-type', 'application/partial-upload'],
        ['upload-offset', String(offset)],
      ],
      body,
    });
  const finalize = () =>
    wire.command(crew.dana, 'evidence.finalize', id, { evidence_id: announced.evidence_id });
  assert.equal((await patch(0, bytes.subarray(0, 500_000))).status, 204);
  assert.equal((await finalize()).code, 'evidence_missing');
  assert.equal((await patch(0, bytes)).code, 'upload_conflict');
  assert.equal((await patch(500_000, bytes.subarray(500_000))).status, 204);
  assert.equal((await finalize()).status, 200);
});

test('without the bucket nothing is taken as evidence, and everything else goes on', async () => {
  verifies('C.6');
  const id = await crew.ticket();
  const bytes = randomPicture();
  const announced = (await crew.does(crew.dana, 'evidence.presign', id, announcementOf(bytes))).body.result;
  const headers: [string, string][] = [['content-type', 'image/png']];
  const put = () => wire.send({ method: 'PUT', target: announced.upload_url, headers, body: bytes });
  assert.equal((await put()).status, 204);
  await s3.close();
  const finalize = () =>
    wire.command(crew.dana, 'evidence.finalize', id, { evidence_id: announced.evidence_id });
  assert.equal((await finalize()).code, 'unavailable');
  assert.equal((await put()).code, 'unavailable');
  assert.ok(await crew.ticket());
});
