import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { decryptValue, encryptValue, type Place } from './envelope.ts';
import { createFileKeyWrapper } from './key-wrapper.ts';
import { createKeyedDigests } from './keyed-digests.ts';

const PLACE: Place = {
  table: 'values',
  column: 'ciphertext',
  tenantId: '0199aaaa-0000-7000-8000-000000000001',
  subjectId: '0199aaaa-0000-7000-8000-000000000002',
  rowId: '0199aaaa-0000-7000-8000-000000000003',
  version: 1,
};
const isUnavailable = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';

test('a value comes back only with its key and at its place', () => {
  const key = randomBytes(32);
  const sealed = encryptValue('+15125550123', key, PLACE, randomBytes);
  assert.equal(decryptValue(sealed, key, PLACE), '+15125550123');
  assert.equal(sealed.includes('5125550123'), false);
  assert.throws(() => decryptValue(sealed, randomBytes(32), PLACE), isUnavailable);
  const elsewhere: readonly Partial<Place>[] = [
    { table: 'texts' },
    { column: 'wrapped_key' },
    { tenantId: '0199aaaa-0000-7000-8000-000000000009' },
    { subjectId: '0199aaaa-0000-7000-8000-000000000009' },
    { rowId: '0199aaaa-0000-7000-8000-000000000009' },
    { version: 2 },
  ];
  for (const change of elsewhere) {
    assert.throws(() => decryptValue(sealed, key, { ...PLACE, ...change }), isUnavailable);
  }
});

test('places cannot be shifted into one another', () => {
  const key = randomBytes(32);
  const sealed = encryptValue('x', key, { ...PLACE, table: 'values', column: 'a' }, randomBytes);
  assert.throws(() => decryptValue(sealed, key, { ...PLACE, table: 'value', column: 'sa' }), isUnavailable);
});

test('every altered bit, a short tag and swapped rows are refused', () => {
  const key = randomBytes(32);
  const sealed = encryptValue('Maria', key, PLACE, randomBytes);
  for (let at = 0; at < sealed.byteLength; at += 1) {
    const altered = Buffer.from(sealed);
    altered[at] = (altered[at] ?? 0) ^ 1;
    assert.throws(() => decryptValue(altered, key, PLACE), isUnavailable, `byte ${at}`);
  }
  for (let length = 0; length < sealed.byteLength; length += 1) {
    assert.throws(
      () => decryptValue(sealed.subarray(0, length), key, PLACE),
      isUnavailable,
      `cut to ${length}`,
    );
  }
  const other = { ...PLACE, rowId: '0199aaaa-0000-7000-8000-000000000004' };
  const neighbour = encryptValue('Olga', key, other, randomBytes);
  assert.throws(() => decryptValue(neighbour, key, PLACE), isUnavailable);
});

test('equal values have unequal ciphertexts', () => {
  const key = randomBytes(32);
  const one = encryptValue('Maria', key, PLACE, randomBytes);
  assert.notDeepEqual(one, encryptValue('Maria', key, PLACE, randomBytes));
});

test('data keys are wrapped by their own key-encryption key only', () => {
  const wrapper = createFileKeyWrapper(randomBytes(32));
  const dataKey = randomBytes(32);
  const wrapped = wrapper.wrap(dataKey);
  assert.deepEqual(Buffer.from(wrapper.unwrap(wrapped)), dataKey);
  assert.throws(() => createFileKeyWrapper(randomBytes(32)).unwrap(wrapped), isUnavailable);
  const altered = Uint8Array.from(wrapped);
  altered[3] = (altered[3] ?? 0) ^ 1;
  assert.throws(() => wrapper.unwrap(altered), isUnavailable);
  assert.throws(() => wrapper.unwrap(wrapped.subarray(0, 16)), isUnavailable);
  assert.throws(() => wrapper.unwrap(new Uint8Array()), isUnavailable);
  assert.throws(() => createFileKeyWrapper(randomBytes(16)), isUnavailable);
});

test('a wrapped key of another length is no data key', () => {
  const wrapper = createFileKeyWrapper(randomBytes(32));
  assert.throws(() => wrapper.unwrap(wrapper.wrap(randomBytes(16))), isUnavailable);
});

test('wrapping follows RFC 5649 as to layout: eight bytes longer, the same each time', () => {
  const wrapper = createFileKeyWrapper(Buffer.alloc(32, 7));
  const dataKey = Buffer.alloc(32, 9);
  assert.equal(wrapper.wrap(dataKey).byteLength, 40);
  assert.deepEqual(wrapper.wrap(dataKey), wrapper.wrap(dataKey));
});

test('digests differ by use, tenant and key, and agree otherwise', () => {
  const key = randomBytes(32);
  const [a, b] = [createKeyedDigests(key), createKeyedDigests(randomBytes(32))];
  const number = '+15125550123';
  const seen = new Set([
    a.addressIndex('t1', 'phone', number),
    a.addressIndex('t2', 'phone', number),
    a.addressIndex('t1', 'email', number),
    a.senderHash('t1', number),
    a.placeholderIndex('t1', 'c1', number),
    a.placeholderIndex('t1', 'c2', number),
    a.commitment('t1', 'x1', number),
    a.commitment('t1', 'x2', number),
    a.commitment('t2', 'x1', number),
    b.addressIndex('t1', 'phone', number),
  ]);
  assert.equal(seen.size, 10);
  for (const digest of seen) assert.match(digest, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(a.addressIndex('t1', 'phone', number), a.addressIndex('t1', 'phone', number));
  assert.throws(() => createKeyedDigests(randomBytes(16)).senderHash('t1', number), isUnavailable);
});
