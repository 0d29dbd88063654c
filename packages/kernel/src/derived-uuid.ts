import { createHash } from 'node:crypto';

/**
 * The UUID that belongs to these words: the same words, the same UUID, so a request that is made again after a
 * crash, on any replica, carries the same idempotency key.
 * @param words what names the request; by convention whose it is comes first
 * @source RFC 9562 section 5.8 (version 8: a hash of our own in the free bits)
 */
export function derivedUuid(...words: readonly string[]): string {
  // JSON keeps ['a', 'bc'] and ['ab', 'c'] apart.
  const hash = createHash('sha256').update(JSON.stringify(words)).digest('hex');
  const variant = ((Number.parseInt(hash.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-');
}
