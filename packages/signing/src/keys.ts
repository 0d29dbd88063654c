import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { refuse } from '@deadlatch/kernel';
import { fromBase64url } from './base64url.ts';

/** A service's own Ed25519 key. `keyId` is the RFC 7638 thumbprint of the public half. */
export interface ServiceKeyPair {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Somebody's public key with its name: all a verifier needs. */
export interface NamedPublicKey {
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

/** A public key and when it counts. Times are milliseconds since the epoch, half-open. */
export interface TimedKey extends NamedPublicKey {
  readonly notBefore: number;
  readonly notAfter: number;
  /** Set = refused from now on, whatever the time says: a late clock must not revive a stolen key. */
  readonly revokedAt: number | null;
}

/** A service's public key as the operator pinned it. */
export interface PinnedKey extends TimedKey {
  readonly service: string;
}

/** A key that always counts: how a signer reads back what it signed itself. */
export function withoutEnd(key: NamedPublicKey): TimedKey {
  return { ...key, notBefore: Number.NEGATIVE_INFINITY, notAfter: Number.POSITIVE_INFINITY, revokedAt: null };
}

/**
 * The key of that name, proven to count at that time.
 * @param nowMs milliseconds since the epoch
 * @throws DispatchError `unauthenticated`
 * @source T4.2
 */
export function usableKey<K extends TimedKey>(key: K | undefined, keyId: string, nowMs: number): K {
  if (key === undefined || key.keyId !== keyId) return refuse('unauthenticated', { detail: 'key_unknown' });
  if (key.revokedAt !== null) refuse('unauthenticated', { detail: 'key_revoked' });
  if (!(key.notBefore <= nowMs && nowMs < key.notAfter)) {
    refuse('unauthenticated', { detail: 'key_out_of_time' });
  }
  if (key.publicKey.type !== 'public' || key.publicKey.asymmetricKeyType !== 'ed25519') {
    refuse('unauthenticated', { detail: 'key_of_wrong_kind' });
  }
  return key;
}

/** A look-up among the keys of one purpose, for what is verified at that time. */
export function keysAt<K extends TimedKey>(keys: readonly K[], nowMs: number): (keyId: string) => K {
  return (keyId) =>
    usableKey(
      keys.find((key) => key.keyId === keyId),
      keyId,
      nowMs,
    );
}

type Curve = 'Ed25519' | 'X25519';

function loadPrivate(pem: string, curve: Curve): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // Node's message may quote the input; a private key must not travel in an error.
    return refuse('unavailable', { detail: 'key_unreadable' });
  }
  if (key.asymmetricKeyType !== curve.toLowerCase()) refuse('unavailable', { detail: 'key_of_wrong_kind' });
  return key;
}

/** Reads an Ed25519 private key (PKCS#8 PEM). @throws DispatchError `unavailable` when it is not one */
export function loadSigningKey(pem: string): ServiceKeyPair {
  const privateKey = loadPrivate(pem, 'Ed25519');
  const publicKey = createPublicKey(privateKey);
  return { keyId: thumbprintOfX(publicX(publicKey)), privateKey, publicKey };
}

/** A fresh Ed25519 private key (PKCS#8 PEM). */
export function generateSigningKeyPem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Reads an X25519 private key (PKCS#8 PEM). @throws DispatchError `unavailable` when it is not one */
export function loadInboxKey(pem: string): { readonly privateKey: KeyObject; readonly x: string } {
  const privateKey = loadPrivate(pem, 'X25519');
  return { privateKey, x: publicX(createPublicKey(privateKey)) };
}

/** A fresh X25519 private key (PKCS#8 PEM). */
export function generateInboxKeyPem(): string {
  return generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The base64url public point `x` of an Ed25519 or X25519 public key. */
export function publicX(publicKey: KeyObject): string {
  const { x } = publicKey.export({ format: 'jwk' });
  return x ?? refuse('unavailable', { detail: 'key_of_wrong_kind' });
}

function fromX(x: string, crv: Curve): KeyObject {
  if (fromBase64url(x)?.byteLength !== 32) refuse('unavailable', { detail: 'public_key_malformed' });
  return createPublicKey({ key: { kty: 'OKP', crv, x }, format: 'jwk' });
}

/** An Ed25519 public key from its `x`. @throws DispatchError `unavailable` when it is not 32 bytes of base64url */
export function publicKeyFromX(x: string): KeyObject {
  return fromX(x, 'Ed25519');
}

/** An X25519 public key from its `x`. @throws DispatchError `unavailable` when it is not 32 bytes of base64url */
export function inboxKeyFromX(x: string): KeyObject {
  return fromX(x, 'X25519');
}

/** The thumbprint of an Ed25519 public key: its `keyid`. @source RFC 7638 section 3, RFC 8037 section 2 */
export function thumbprintOfX(x: string): string {
  return createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
}
