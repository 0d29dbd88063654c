import { createHmac } from 'node:crypto';
import { keyedDigest } from '@deadlatch/signing';

/** Digests under keys of the vault. Each use has a prefix of its own, so one can never be taken for another. */
export interface KeyedDigests {
  /** Look-up by address without holding it: equal addresses of a tenant are equal here. */
  addressIndex(tenantId: string, kind: 'phone' | 'email', address: string): string;
  /** Counts strangers without knowing them. */
  senderHash(tenantId: string, address: string): string;
  /** A placeholder's value, within one contact: numbers placeholders and feeds the exit gate. */
  placeholderIndex(tenantId: string, contactId: string, comparable: string): string;
  /** What a command and the audit trail hold instead of words. */
  commitment(tenantId: string, textId: string, text: string): string;
}

/**
 * @param indexKey 32 bytes; independent of the key-encryption key
 * @throws DispatchError `unavailable` at first use when the key is too short
 */
export function createKeyedDigests(indexKey: Uint8Array): KeyedDigests {
  const digest = (parts: readonly string[]) => keyedDigest(indexKey, JSON.stringify(parts));
  return {
    addressIndex: (tenantId, kind, address) => digest(['address', tenantId, kind, address]),
    senderHash: (tenantId, address) => digest(['sender', tenantId, address]),
    placeholderIndex: (tenantId, contactId, comparable) =>
      digest(['placeholder', tenantId, contactId, comparable]),
    commitment: (tenantId, textId, text) => {
      // A key per tenant: a commitment of one tenant can be opened without touching another's.
      const tenantKey = createHmac('sha256', indexKey).update(`commitments:${tenantId}`).digest();
      return keyedDigest(tenantKey, JSON.stringify(['text', textId, text]));
    },
  };
}
