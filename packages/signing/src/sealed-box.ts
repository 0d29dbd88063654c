import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { refuse } from '@deadlatch/kernel';
import { inboxKeyFromX, publicX } from './keys.ts';

const INFO = 'deadlatch-inbox-v1';
const TAG_BYTES = 16;
const POINT_BYTES = 32;
/** PKCS#8 of a raw X25519 private key, up to the key itself. @source RFC 8410 section 7 */
const X25519_PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** Key and nonce depend on both points, so a box cannot be re-addressed and no nonce is ever used twice. */
function deriveKey(shared: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array) {
  const okm = Buffer.from(hkdfSync('sha256', shared, Buffer.concat([ephemeral, recipient]), INFO, 44));
  return { key: okm.subarray(0, 32), iv: okm.subarray(32) };
}

function rawX(publicKey: KeyObject): Buffer {
  return Buffer.from(publicX(publicKey), 'base64url');
}

/**
 * Seals `bytes` so that only the holder of the recipient's X25519 key can read them; not even the sealer can again.
 * @param recipientX the recipient's public `x`, base64url
 * @param randomBytes returns exactly `n` random bytes
 * @returns ephemeral point (32) || ciphertext || tag (16)
 * @throws DispatchError `unavailable` when `recipientX` is no usable key
 */
export function sealTo(
  recipientX: string,
  bytes: Uint8Array,
  randomBytes: (n: number) => Uint8Array,
): Buffer {
  const recipient = inboxKeyFromX(recipientX);
  const pkcs8 = Buffer.concat([X25519_PKCS8, randomBytes(POINT_BYTES)]);
  const ephemeral = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const point = rawX(createPublicKey(ephemeral));
  let shared: Buffer;
  try {
    shared = diffieHellman({ privateKey: ephemeral, publicKey: recipient });
  } catch (cause) {
    return refuse('unavailable', { detail: 'inbox_key_unusable', cause });
  }
  const { key, iv } = deriveKey(shared, point, rawX(recipient));
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  return Buffer.concat([point, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Opens what `sealTo` made.
 * @throws DispatchError `malformed_body` for anything else, without saying what was wrong
 * @invariant the tag is always 16 bytes: node accepts 4 unless told
 */
export function openSealed(privateKey: KeyObject, sealed: Uint8Array): Buffer {
  if (sealed.byteLength < POINT_BYTES + TAG_BYTES) refuse('malformed_body', { detail: 'sealed_box' });
  const point = Buffer.from(sealed.subarray(0, POINT_BYTES));
  const body = sealed.subarray(POINT_BYTES, sealed.byteLength - TAG_BYTES);
  try {
    const publicKey = inboxKeyFromX(point.toString('base64url'));
    // OpenSSL refuses points of small order here: the shared secret would be zero and known to everybody.
    const shared = diffieHellman({ privateKey, publicKey });
    const { key, iv } = deriveKey(shared, point, rawX(createPublicKey(privateKey)));
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(sealed.byteLength - TAG_BYTES));
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch (cause) {
    return refuse('malformed_body', { detail: 'sealed_box', cause });
  }
}
