import { refuse } from '@deadlatch/kernel';
import { aeskwp } from '@noble/ciphers/aes.js';

/** Wraps the data keys of subjects. The file-backed one is here; a cloud or hardware one takes its place. */
export interface KeyWrapper {
  wrap(dataKey: Uint8Array): Uint8Array;
  /** @throws DispatchError `unavailable` when the wrapped key is not ours or was altered */
  unwrap(wrapped: Uint8Array): Uint8Array;
}

const KEY_BYTES = 32;

/**
 * Wraps with AES-256 key wrap with padding under a key read from the vault's key directory.
 * @param kek 32 bytes
 * @throws DispatchError `unavailable` when the key has another length
 * @source RFC 5649, NIST SP 800-38F
 */
export function createFileKeyWrapper(kek: Uint8Array): KeyWrapper {
  if (kek.byteLength !== KEY_BYTES) refuse('unavailable', { detail: 'kek_length' });
  return {
    wrap: (dataKey) => aeskwp(kek).encrypt(dataKey),
    unwrap(wrapped) {
      try {
        const dataKey = aeskwp(kek).decrypt(wrapped);
        if (dataKey.byteLength !== KEY_BYTES) throw new Error('length');
        return dataKey;
      } catch {
        return refuse('unavailable', { detail: 'data_key_unwrap' });
      }
    },
  };
}
