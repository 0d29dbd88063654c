import assert from 'node:assert/strict';
import { createPublicKey, randomUUID, sign, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { createSignatureSync, type RequestDescriptor, verifySignature } from 'http-message-sig';
import { jwtVerify, SignJWT } from 'jose';
import { verifies } from '../../../test/requirements.ts';
import { contentDigest } from './digests.ts';
import { signGrant, verifyGrant } from './grants.ts';
import { withoutEnd } from './keys.ts';
import {
  API,
  BRIDGE,
  claims,
  IDENTITY,
  NOW,
  NOW_S,
  newKey,
  pin,
  receive,
  type Sent,
  send,
} from './request.fixture.ts';
import { componentsOf, type RequestShape } from './request-profile.ts';
import { signRequest } from './sign-request.ts';
import { mintTxnToken, verifyTxnToken } from './txn-token.ts';

/** Our own code against implementations that others wrote: equal where the profile and the standard meet. */
const key = newKey();
const SHAPES: readonly RequestShape[] = [
  { write: true, token: true },
  { write: true, token: false },
  { write: false, token: true },
  { write: false, token: false },
];
const TARGET = '/v1/tickets?limit=20&cursor=a%2Fb';

function sendShape(shape: RequestShape): Sent {
  const body = Buffer.from(shape.write ? '{"a":1}' : '');
  const method = shape.write ? 'POST' : 'GET';
  const headers = signRequest({
    method,
    target: TARGET,
    body,
    shape,
    ...(shape.token && { token: 'aaaa.bbbb.cccc' }),
    ...(shape.write && { idempotencyKey: randomUUID() }),
    key,
    audience: API,
    now: NOW,
  });
  return { method, target: TARGET, headers, body };
}

function descriptor(sent: Sent): RequestDescriptor {
  return {
    kind: 'request',
    method: sent.method,
    targetUri: `http://127.0.0.1:4310${sent.target}`,
    fields: Object.entries(sent.headers).map(([name, value]) => ({ name, value })),
  };
}

const verifier = {
  algorithm: 'ed25519',
  verify: (data: Uint8Array, signature: Uint8Array) => verify(null, data, key.publicKey, signature),
};
const signer = {
  algorithm: 'ed25519',
  sign: (data: Uint8Array) => new Uint8Array(sign(null, data, key.privateKey)),
};

for (const shape of SHAPES) {
  describe(`http-message-sig, ${JSON.stringify(shape)}`, () => {
    it('verifies what we sign', async () => {
      verifies('T4.4');
      const options = {
        policy: {
          algorithms: ['ed25519'],
          requiredComponents: componentsOf(shape),
          requiredParameters: ['created', 'expires', 'nonce', 'keyid', 'tag', 'aud'],
          now: NOW_S,
          clockSkew: 5,
          maxAge: 60,
        },
        resolveVerifier: () => verifier,
      };
      const verified = await verifySignature(descriptor(sendShape(shape)), options);
      assert.deepEqual(
        verified.components.map((c) => c.name),
        componentsOf(shape),
      );
      assert.equal(verified.parameters.keyid, key.keyId);
      assert.equal(verified.parameters.aud, API);
      const spoiled = sendShape(shape);
      spoiled.headers['content-digest'] = contentDigest(Buffer.from('other'));
      await assert.rejects(verifySignature(descriptor(spoiled), options));
    });

    it('signs what we verify', () => {
      verifies('T4.4');
      const sent = sendShape(shape);
      delete sent.headers.signature;
      delete sent.headers['signature-input'];
      const made = createSignatureSync(descriptor(sent), {
        label: 'foreign',
        components: componentsOf(shape),
        parameters: {
          created: NOW_S,
          expires: NOW_S + 60,
          nonce: Buffer.from(randomUUID()).toString('base64url'),
          keyid: key.keyId,
          tag: 'deadlatch-request',
          aud: API,
        },
        signer,
      });
      sent.headers.signature = made.signature;
      sent.headers['signature-input'] = made.signatureInput;
      assert.deepEqual(receive(sent, pin(key), { shapes: [shape] }).shape, shape);
      sent.target = '/v1/tickets?limit=21&cursor=a%2Fb';
      assert.throws(() => receive(sent, pin(key), { shapes: [shape] }));
    });
  });
}

describe('jose', () => {
  const TYP = 'txntoken+jwt';

  it('verifies our user token', async () => {
    verifies('T4.4');
    const minted = claims();
    const { payload, protectedHeader } = await jwtVerify(mintTxnToken(minted, key), key.publicKey, {
      algorithms: ['EdDSA'],
      issuer: IDENTITY,
      audience: API,
      typ: TYP,
      currentDate: new Date(NOW),
      maxTokenAge: 60,
    });
    assert.deepEqual(payload, minted);
    assert.deepEqual(protectedHeader, { alg: 'EdDSA', kid: key.keyId, typ: TYP });
  });

  it('signs a user token that we verify, in any order of its members', async () => {
    verifies('T4.4');
    const minted = claims();
    const token = await new SignJWT({ ...minted })
      .setProtectedHeader({ typ: TYP, kid: key.keyId, alg: 'EdDSA' })
      .sign(key.privateKey);
    const options = {
      keys: [withoutEnd(key)],
      issuer: IDENTITY,
      audience: API,
      requestedBy: BRIDGE,
      now: NOW,
    };
    assert.deepEqual(verifyTxnToken(token, options), minted);
    const plain = await new SignJWT({ ...minted })
      .setProtectedHeader({ kid: key.keyId, alg: 'EdDSA' })
      .sign(key.privateKey);
    assert.throws(() => verifyTxnToken(plain, options));
  });

  it('verifies our grants', async () => {
    verifies('T4.8');
    const grant = {
      iss: API,
      aud: 'spiffe://demo.deadlatch/vault',
      iat: NOW_S,
      exp: NOW_S + 60,
      jti: randomUUID(),
      tenant: randomUUID(),
      contact: randomUUID(),
      fields: ['phone' as const],
      purpose: 'code' as const,
      ref: randomUUID(),
      holder: IDENTITY,
      correlation_id: randomUUID(),
    };
    const token = signGrant('reveal', grant, key);
    const { payload } = await jwtVerify(token, createPublicKey(key.privateKey), {
      typ: 'reveal-grant+jwt',
      currentDate: new Date(NOW),
    });
    assert.deepEqual(payload, grant);
    assert.deepEqual(verifyGrant('reveal', token, { keys: [withoutEnd(key)], now: NOW }), grant);
  });
});

describe('requests', () => {
  it('that are equal have different signatures: every one has its own nonce', () => {
    verifies('T4.3');
    const nonces = new Set(Array.from({ length: 100 }, () => receive(send(key), pin(key)).nonce));
    assert.equal(nonces.size, 100);
  });
});
