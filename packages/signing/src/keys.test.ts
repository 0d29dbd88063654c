import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { calculateJwkThumbprint } from 'jose';
import { fromBase64url, toBase64url } from './base64url.ts';
import {
  generateInboxKeyPem,
  generateSigningKeyPem,
  loadInboxKey,
  loadSigningKey,
  publicKeyFromX,
  publicX,
  thumbprintOfX,
} from './keys.ts';

const isUnavailable = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';

describe('keys', () => {
  it('have the thumbprint of RFC 8037 appendix A.3', () => {
    assert.equal(
      thumbprintOfX('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'),
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });

  it('have the thumbprint that jose computes', async () => {
    const key = loadSigningKey(generateSigningKeyPem());
    assert.equal(key.keyId, await calculateJwkThumbprint(key.publicKey.export({ format: 'jwk' })));
    assert.ok(publicKeyFromX(publicX(key.publicKey)).equals(key.publicKey));
  });

  it('of another kind are refused, and no error quotes them', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const rsaPem = rsa.export({ type: 'pkcs8', format: 'pem' }).toString();
    for (const pem of ['', 'x', rsaPem, generateInboxKeyPem(), generateSigningKeyPem().slice(0, 60)]) {
      assert.throws(() => loadSigningKey(pem), isUnavailable);
      assert.throws(
        () => loadSigningKey(pem),
        (e) => e instanceof Error && e.cause === undefined,
      );
    }
    assert.throws(() => loadInboxKey(generateSigningKeyPem()), isUnavailable);
  });

  it('are 32 bytes in their one spelling', () => {
    const x = publicX(loadSigningKey(generateSigningKeyPem()).publicKey);
    for (const wrong of ['', 'AAAA', `${x}=`, x.slice(1), `${x}AA`, x.replace(/.$/, '+')]) {
      assert.throws(() => publicKeyFromX(wrong), isUnavailable);
    }
  });
});

describe('base64url', () => {
  it('has one spelling', () => {
    for (const wrong of ['A', 'AB', 'AA=', 'AA==', 'A+', 'A/', 'A A', 'AAAAA', '\u00e9', 'AA\n']) {
      assert.equal(fromBase64url(wrong), undefined, wrong);
    }
    assert.deepEqual(fromBase64url(''), Buffer.alloc(0));
    assert.deepEqual(fromBase64url('AA'), Buffer.alloc(1));
    assert.equal(toBase64url(new Uint8Array([1, 2, 3, 255]).subarray(3)), '_w');
  });
});
