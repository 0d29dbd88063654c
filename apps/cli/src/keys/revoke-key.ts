import { StartError, UsageError } from '../arguments.ts';
import type { KeyEntry, Trust } from '../up/keys.ts';
import { readKeyFile } from './key-files.ts';
import type { OpenKeys } from './open-keys.ts';
import { isUsable, KEY_SLOTS, type KeySlot, pinsOf } from './slots.ts';

export interface RevokedKey {
  readonly slot: KeySlot;
  readonly pin: KeyEntry;
  /** Whether its holder has no other key to sign with: it is refused everywhere until it gets one. */
  readonly isSilenced: boolean;
}

/**
 * Revokes a key, for good: within 60 s nobody accepts it any more.
 * @param isAgreed whether the holder may be left without a key
 * @throws UsageError for a key that nobody knows; StartError when it would silence its holder and that is not agreed
 * @source T4.2
 */
export async function revokeKey(
  keys: OpenKeys,
  keyId: string,
  isAgreed: boolean,
  nowMs: number,
): Promise<RevokedKey> {
  const { slot, pin } = findPin(await keys.trust(), keyId);
  const current = await readKeyFile(keys.keysRoot, slot, 'current');
  const isSilenced = current?.keyid === pin.keyid && isUsable(pin, nowMs);
  if (isSilenced && !isAgreed) {
    throw new StartError(
      `${slot.name} signs with this key: it would be refused everywhere within 60 s, until it gets another. ` +
        `To replace it first: deadlatch keys rotate ${slot.name}. To revoke it all the same: add --yes.`,
    );
  }
  const revoked = { ...pin, revoked_at: pin.revoked_at ?? new Date(nowMs).toISOString() };
  await keys.apply([{ slot, deed: 'revoke', pin: revoked }]);
  return { slot, pin: revoked, isSilenced };
}

function findPin(trust: Trust, keyId: string): { readonly slot: KeySlot; readonly pin: KeyEntry } {
  for (const slot of KEY_SLOTS) {
    const pin = pinsOf(trust, slot).find((known) => known.keyid === keyId);
    if (pin !== undefined) return { slot, pin };
  }
  throw new UsageError(`there is no pinned key "${keyId}"; see deadlatch keys list`);
}
