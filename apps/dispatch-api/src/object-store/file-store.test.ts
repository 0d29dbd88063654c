import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { createFileStore } from './file-store.ts';
import type { ObjectStore } from './object-store.ts';

const TENANT = randomUUID();
let root: string;
let store: ObjectStore;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'deadlatch-objects-'));
  store = createFileStore(root);
});
after(() => rm(root, { recursive: true, force: true }));

const code = (expected: string) => (error: unknown) =>
  error instanceof DispatchError && error.code === expected;
const sha256 = (bytes: string) => createHash('sha256').update(bytes).digest('hex');
const stream = (...chunks: string[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

const announcing = (bytes: string) => ({ sha256: sha256(bytes), sizeBytes: Buffer.byteLength(bytes) });

/** Every file below the root, but for what is not whole. */
async function files(folder = root): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
}

describe('an upload', () => {
  test('is there when every byte has arrived, in however many pieces', async () => {
    const id = randomUUID();
    await store.receive(TENANT, id, stream('pho', 'to', '!'), 6);
    const found = await store.admit(TENANT, id, announcing('photo!'));
    assert.deepEqual([found?.sha256, found?.sizeBytes], [sha256('photo!'), 6]);
  });

  test('that is too long, too short or cut leaves nothing behind, not even the one before', async () => {
    verifies('I.4', 'R.7');
    const id = randomUUID();
    await store.receive(TENANT, id, stream('whole'), 5);
    const before = await files();
    await assert.rejects(store.receive(TENANT, id, stream('who', 'le!'), 5), code('payload_too_large'));
    await assert.rejects(store.receive(TENANT, id, stream('who'), 5), code('evidence_mismatch'));
    await assert.rejects(store.receive(TENANT, id, stream(), 5), code('evidence_mismatch'));
    const cut = Readable.from(
      (async function* () {
        yield Buffer.from('wh');
        throw new Error('the sender went away');
      })(),
    );
    await assert.rejects(store.receive(TENANT, id, cut, 5), /went away/);
    assert.deepEqual(await files(), before);
    assert.equal((await store.admit(TENANT, id, announcing('whole')))?.sha256, sha256('whole'));
  });

  test('of many at once is one of them, whole', async () => {
    const id = randomUUID();
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(2_000));
    await Promise.all(texts.map((text) => store.receive(TENANT, id, stream(text), 2_000)));
    const found = await store.admit(TENANT, id, announcing(texts[0] ?? ''));
    assert.ok(texts.map(sha256).includes(found?.sha256 ?? ''));
    assert.ok((await files()).every((file) => !file.endsWith('.part')));
  });

  test('has an id for a name, and no other', async () => {
    verifies('C.0');
    for (const name of ['..', '../../etc', '', 'a/b', `${randomUUID()}/..`, randomUUID().toUpperCase()]) {
      await assert.rejects(store.receive(TENANT, name, stream('x'), 1), code('not_found'), name);
      await assert.rejects(store.receive(name, randomUUID(), stream('x'), 1), code('not_found'), name);
      await assert.rejects(store.admit(TENANT, name, announcing('x')), code('not_found'), name);
    }
  });
});

describe('admitting', () => {
  test('what is not there, or belongs to another tenant, finds nothing', async () => {
    verifies('C.4');
    const id = randomUUID();
    assert.equal(await store.admit(TENANT, id, announcing('x')), null);
    await store.receive(TENANT, id, stream('x'), 1);
    assert.equal(await store.admit(randomUUID(), id, announcing('x')), null);
    assert.notEqual(await store.admit(TENANT, id, announcing('x')), null);
  });

  test('what was not announced keeps nothing, by its hash or by its size', async () => {
    verifies('C.4', 'R.7');
    const id = randomUUID();
    await store.receive(TENANT, id, stream('another photo'), 13);
    const before = await files();
    const wrong = [announcing('announced'), { ...announcing('another photo'), sizeBytes: 12 }];
    for (const announced of wrong) {
      const found = await store.admit(TENANT, id, announced);
      assert.deepEqual([found?.sha256, found?.contentKey], [sha256('another photo'), '']);
    }
    assert.deepEqual(await files(), before);
    assert.notEqual((await store.admit(TENANT, id, announcing('another photo')))?.contentKey, '');
  });

  test('what was hashed is what is kept, whoever replaces the upload meanwhile', async () => {
    verifies('R.7');
    const id = randomUUID();
    const texts = ['a', 'b'].map((letter) => letter.repeat(300_000));
    await store.receive(TENANT, id, stream(texts[0] ?? ''), 300_000);
    const rounds = Array.from({ length: 10 }, async (_, i) => {
      const [found] = await Promise.all([
        store.admit(TENANT, id, announcing(texts[0] ?? '')),
        store.receive(TENANT, id, stream(texts[i % 2] ?? ''), 300_000),
      ]);
      assert.ok(texts.map(sha256).includes(found?.sha256 ?? ''));
      if (found?.contentKey === '') return;
      const kept = await readFile(join(root, found?.contentKey ?? ''), 'utf8');
      assert.equal(kept, texts[0]);
    });
    await Promise.all(rounds);
  });

  test('names content by its hash, so that nothing that comes later changes it', async () => {
    verifies('R.7');
    const [id, other] = [randomUUID(), randomUUID()];
    await store.receive(TENANT, id, stream('the truth'), 9);
    const first = await store.admit(TENANT, id, announcing('the truth'));
    await store.receive(TENANT, id, stream('a forgery'), 9);
    const second = await store.admit(TENANT, id, announcing('a forgery'));
    assert.notEqual(second?.contentKey, first?.contentKey);
    assert.equal(first?.contentKey, `content/${TENANT}/${sha256('the truth')}`);
    assert.equal(await readFile(join(root, first?.contentKey ?? ''), 'utf8'), 'the truth');
    await store.receive(TENANT, other, stream('the truth'), 9);
    assert.equal((await store.admit(TENANT, other, announcing('the truth')))?.contentKey, first?.contentKey);
    await store.discardUpload(TENANT, id);
    await store.discardUpload(TENANT, id);
    assert.equal(await store.admit(TENANT, id, announcing('the truth')), null);
    assert.equal(await readFile(join(root, first?.contentKey ?? ''), 'utf8'), 'the truth');
  });
});

test('a folder that is gone is an outage', async () => {
  verifies('C.6');
  await store.check();
  await assert.rejects(createFileStore(join(root, 'nowhere')).check(), code('unavailable'));
});
