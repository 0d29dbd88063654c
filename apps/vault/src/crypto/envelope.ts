import { createCipheriv, createDecipheriv } from 'node:crypto';
import { refuse } from '@deadlatch/kernel';

/** Where a ciphertext lives. Part of what is authenticated, so it cannot be moved to another row or column. */
export interface Place {
  readonly table: string;
  readonly column: string;
  readonly tenantId: string;
  /** The subject whose key it is, or the row itself where the row has a key of its own. */
  readonly subjectId: string;
  readonly rowId: string;
  /** Version of the data key. */
  readonly version: number;
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Length-prefixed, so no two places share bytes. */
function associatedData(place: Place): Buffer {
  const parts = [
    'deadlatch-vault-v1',
    place.table,
    place.column,
    place.tenantId,
    place.subjectId,
    place.rowId,
    String(place.version),
  ];
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.byteLength);
      return [length, bytes];
    }),
  );
}

/**
 * Encrypts one value: iv (12) || ciphertext || tag (16).
 * @param dataKey 32 bytes, of one subject or one text; far below 2^32 values each, so a random iv is safe
 * @param randomBytes returns exactly `n` random bytes
 * @source NIST SP 800-38D section 8.2.2
 */
export function encryptValue(
  plaintext: string,
  dataKey: Uint8Array,
  place: Place,
  randomBytes: (n: number) => Uint8Array,
): Buffer {
  if (dataKey.byteLength !== KEY_BYTES) refuse('unavailable', { detail: 'data_key_length' });
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', dataKey, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(place));
  return Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Decrypts what `encryptValue` made for exactly this place.
 * @throws DispatchError `unavailable` for anything else, without saying what was wrong
 * @invariant the tag is always 16 bytes: node accepts 4 unless told
 */
export function decryptValue(sealed: Uint8Array, dataKey: Uint8Array, place: Place): string {
  if (sealed.byteLength < IV_BYTES + TAG_BYTES) refuse('unavailable', { detail: 'ciphertext' });
  const tagAt = sealed.byteLength - TAG_BYTES;
  try {
    const decipher = createDecipheriv('aes-256-gcm', dataKey, sealed.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(associatedData(place));
    decipher.setAuthTag(sealed.subarray(tagAt));
    const bytes = Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, tagAt)), decipher.final()]);
    return bytes.toString('utf8');
  } catch {
    return refuse('unavailable', { detail: 'ciphertext' });
  }
}
