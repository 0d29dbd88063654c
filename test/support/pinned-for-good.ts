import { publicX, type ServiceKeyPair } from '@deadlatch/signing';

/** A key as a trust bundle pins it, for longer than any test. */
export function pinnedForGood(key: ServiceKeyPair) {
  return {
    keyid: key.keyId,
    x: publicX(key.publicKey),
    from: '2020-01-01T00:00:00.000Z',
    until: '2100-01-01T00:00:00.000Z',
  };
}
