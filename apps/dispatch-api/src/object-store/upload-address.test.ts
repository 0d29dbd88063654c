import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { readUploadAddress, type UploadPermit, uploadAddress } from './upload-address.ts';

const KEY = randomBytes(32);
const NOW_S = 1_800_000_000;
const PERMIT: UploadPermit = {
  tenantId: randomUUID(),
  evidenceId: randomUUID(),
  sizeBytes: 1_000,
  expires: NOW_S + 900,
};

/** What a server makes of an address that comes back. */
function read(address: string, nowS = NOW_S, key: Uint8Array = KEY): UploadPermit {
  const url = new URL(address, 'http://localhost');
  const [, , tenantId = '', evidenceId = ''] = url.pathname.split('/');
  return readUploadAddress({ tenantId, evidenceId }, Object.fromEntries(url.searchParams), key, nowS);
}

const isUnknown = (error: unknown) => error instanceof DispatchError && error.code === 'not_found';

describe('an upload address', () => {
  test('gives back exactly what was permitted, until it expires', () => {
    verifies('T3.12');
    const address = uploadAddress(PERMIT, KEY);
    assert.deepEqual(read(address), PERMIT);
    assert.deepEqual(read(address, PERMIT.expires), PERMIT);
    assert.throws(() => read(address, PERMIT.expires + 1), isUnknown);
  });

  test('permits nothing else: every part of it is signed, with this key', () => {
    verifies('T3.12', 'C.0');
    const address = uploadAddress(PERMIT, KEY);
    const changed = [
      uploadAddress(PERMIT, randomBytes(32)),
      address.replace('size=1000', 'size=1001'),
      address.replace(`expires=${PERMIT.expires}`, `expires=${PERMIT.expires + 1}`),
      address.replace(PERMIT.tenantId, randomUUID()),
      address.replace(PERMIT.evidenceId, randomUUID()),
    ];
    for (const other of changed) {
      assert.notEqual(other, address);
      assert.throws(() => read(other), isUnknown, other);
    }
  });

  test('has one spelling', () => {
    verifies('C.0', 'I.4');
    const good = Object.fromEntries(new URL(uploadAddress(PERMIT, KEY), 'http://localhost').searchParams);
    const path = { tenantId: PERMIT.tenantId, evidenceId: PERMIT.evidenceId };
    assert.deepEqual(readUploadAddress(path, good, KEY, NOW_S), PERMIT);
    const wrong: Record<string, unknown>[] = [
      {},
      { ...good, size: undefined },
      { ...good, signature: '' },
      { ...good, signature: undefined },
      { ...good, signature: [good.signature, good.signature] },
      { ...good, signature: `${good.signature}=` },
      { ...good, size: '01000' },
      { ...good, size: '1e3' },
      { ...good, size: ' 1000' },
      { ...good, size: '0' },
      { ...good, size: '-1' },
      { ...good, size: 1_000 },
      { ...good, expires: '9'.repeat(20) },
      { ...good, expires: 'NaN' },
      { ...good, expires: `${good.expires}.0` },
    ];
    for (const query of wrong) {
      assert.throws(() => readUploadAddress(path, query, KEY, NOW_S), isUnknown, JSON.stringify(query));
    }
  });
});
