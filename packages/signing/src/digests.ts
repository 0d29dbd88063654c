import { createHash, createHmac } from 'node:crypto';
import { refuse } from '@deadlatch/kernel';

/** An HMAC key shorter than its hash is a mistake in set-up, not a choice. @source RFC 2104 section 3 */
const MIN_KEY_BYTES = 32;

/**
 * The value of a `Content-Digest` header with its one member.
 * @source RFC 9530 section 2
 */
export function contentDigest(bytes: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
}

/**
 * The digest of exactly what somebody is asked to approve: SHA-256 of its canonical JSON, base64url.
 * @source T3.4
 */
export function actionDigest(canonical: string): string {
  return createHash('sha256').update(canonical, 'utf8').digest('base64url');
}

/**
 * HMAC-SHA256 of `bytes` (a string counts as UTF-8), base64url. For values that could be guessed
 * (numbers, bodies), where a bare hash would give them away.
 * @throws DispatchError `unavailable` when the key is shorter than 32 bytes
 */
export function keyedDigest(key: Uint8Array, bytes: Uint8Array | string): string {
  if (key.byteLength < MIN_KEY_BYTES) refuse('unavailable', { detail: 'hmac_key_too_short' });
  return createHmac('sha256', key).update(bytes).digest('base64url');
}
