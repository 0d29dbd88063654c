import type { RateLimit, ServiceClient } from '@deadlatch/http';
import { DispatchError, derivedUuid, type JsonValue } from '@deadlatch/kernel';
import type { ReceivedItem } from './inbox.ts';

/**
 * Whether a text ends at the door.
 * @returns true only when the vault says so; never throws
 */
export type Door = (item: ReceivedItem) => Promise<boolean>;

/**
 * While few texts come, all are taken over unasked. In a flood the vault, which alone can tell, is asked who wrote
 * before a text is taken over, so that strangers beyond their rate cost neither disk nor the place of others in the line.
 * @param unasked how many are taken over without asking
 * @invariant a text of somebody on file is never turned away, and none is while the vault cannot be asked
 * @source R.5, R.6
 */
export function createDoor(vault: ServiceClient, unasked: Pick<RateLimit, 'spend'>): Door {
  return async (item) => {
    try {
      unasked.spend('texts');
      return false;
    } catch {
      return handToVault(vault, item).then(() => false, isTurnedAway);
    }
  };
}

/** What the vault makes of a text. Repeating it gives the same answer. @throws DispatchError the vault's code */
export function handToVault(vault: ServiceClient, item: ReceivedItem): Promise<JsonValue> {
  return vault.write(
    '/v1/inbound',
    { provider_id: item.provider_id, sealed: item.sealed },
    { idempotencyKey: derivedUuid('gateway', 'inbound', item.provider_id) },
  );
}

/** Whether the vault refused because nobody knows who wrote, and enough of such people is kept already. */
export function isTurnedAway(error: unknown): boolean {
  return (
    error instanceof DispatchError &&
    error.code === 'rate_limited' &&
    error.extra.rate_of === 'unknown_sender'
  );
}
