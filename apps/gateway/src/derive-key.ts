import { createHash } from 'node:crypto';

/**
 * The idempotency key of one event at the carrier: the same event gives the same key after any crash,
 * on any replica, so a repeated hand-over has no second effect.
 * @param parts what names the event, e.g. `'receive', <MessageSid>`
 * @returns a lower-case UUID of version 8 (the bits are ours: the first 122 of a SHA-256)
 * @source RFC 9562 section 5.8
 */
export function deriveIdempotencyKey(...parts: readonly string[]): string {
  // JSON keeps ['a','bc'] and ['ab','c'] apart.
  const hash = createHash('sha256')
    .update(`deadlatch-gateway-v1${JSON.stringify(parts)}`)
    .digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
