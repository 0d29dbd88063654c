/** Base64url in its one canonical spelling: no padding, no spare bits, nothing outside the alphabet. */
const ALPHABET = /^[A-Za-z0-9_-]*$/;

/** Unpadded base64url of `bytes`. @source RFC 4648 section 5 */
export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/**
 * The bytes of `text`, or `undefined` when `text` is not the one spelling that encodes them.
 * @invariant `toBase64url(fromBase64url(text)) === text`: node's decoder forgives padding, spaces and
 * non-zero spare bits, which would give one token or signature many spellings.
 */
export function fromBase64url(text: string): Buffer | undefined {
  if (!ALPHABET.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
