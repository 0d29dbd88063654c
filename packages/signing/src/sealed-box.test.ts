import assert from 'node:assert/strict';
import { createPublicKey, diffieHellman, hkdfSync, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { generateInboxKeyPem, inboxKeyFromX, loadInboxKey } from './keys.ts';
import { openSealed, sealTo } from './sealed-box.ts';

const inbox = loadInboxKey(generateInboxKeyPem());
const isMalformed = (error: unknown) => error instanceof DispatchError && error.code === 'malformed_body';

describe('sealed box', () => {
  it('opens to what was sealed, for every length', () => {
    verifies('T5.2');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const sealed = sealTo(inbox.x, bytes, randomBytes);
        assert.equal(sealed.byteLength, bytes.byteLength + 48);
        assert.deepEqual(new Uint8Array(openSealed(inbox.privateKey, sealed)), bytes);
      }),
      { numRuns: 50 },
    );
  });

  it('is the format that WebCrypto opens too', async () => {
    const sealed = sealTo(inbox.x, Buffer.from('front door'), randomBytes);
    const point = sealed.subarray(0, 32);
    const publicKey = inboxKeyFromX(point.toString('base64url'));
    const shared = diffieHellman({ privateKey: inbox.privateKey, publicKey });
    const salt = Buffer.concat([point, Buffer.from(inbox.x, 'base64url')]);
    const okm = new Uint8Array(hkdfSync('sha256', shared, salt, 'deadlatch-inbox-v1', 44));
    const key = await crypto.subtle.importKey('raw', okm.slice(0, 32), 'AES-GCM', false, ['decrypt']);
    const opened = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: okm.slice(32), tagLength: 128 },
      key,
      new Uint8Array(sealed.subarray(32)),
    );
    assert.equal(Buffer.from(opened).toString(), 'front door');
  });

  it('opens for nobody else, and not after any change', () => {
    verifies('T5.2');
    const sealed = sealTo(inbox.x, Buffer.from('front door'), randomBytes);
    assert.throws(() => openSealed(loadInboxKey(generateInboxKeyPem()).privateKey, sealed), isMalformed);
    for (let at = 0; at < sealed.byteLength; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => openSealed(inbox.privateKey, changed), isMalformed, `byte ${at}`);
    }
    for (let length = 0; length < sealed.byteLength; length += 1) {
      assert.throws(() => openSealed(inbox.privateKey, sealed.subarray(0, length)), isMalformed);
    }
    assert.throws(() => openSealed(inbox.privateKey, Buffer.concat([sealed, Buffer.alloc(1)])), isMalformed);
  });

  it('is never sealed with or opened under a secret that everybody knows', () => {
    // Points of small order: the shared secret would be zero. RFC 7748 section 6.1.
    for (const low of [Buffer.alloc(32), Buffer.concat([Buffer.from([1]), Buffer.alloc(31)])]) {
      assert.throws(() => sealTo(low.toString('base64url'), Buffer.from('x'), randomBytes), DispatchError);
      const sealed = Buffer.concat([low, Buffer.alloc(20)]);
      assert.throws(() => openSealed(inbox.privateKey, sealed), isMalformed);
    }
  });

  it('is different each time', () => {
    const one = sealTo(inbox.x, Buffer.from('x'), randomBytes);
    assert.notDeepEqual(one, sealTo(inbox.x, Buffer.from('x'), randomBytes));
    assert.equal(createPublicKey(inbox.privateKey).asymmetricKeyType, 'x25519');
  });
});
