import type { ServiceClient } from '@deadlatch/http';
import { DispatchError, derivedUuid, type JsonValue } from '@deadlatch/kernel';
import type { ReceivedItem } from './inbox.ts';

/**
 * What becomes of a text at the door: it is kept, kept and handed on before the others, or turned away. Never throws.
 */
export type Door = (item: ReceivedItem) => Promise<'kept' | 'first' | 'turned_away'>;

/** So many waiting is a flood, or an outage. */
const LONG_LINE = 20;

/**
 * While the line is short, every text is taken over unasked. While it is long the vault, which alone can tell, is asked
 * who wrote before a text is taken over: somebody on file need not wait behind strangers, and strangers beyond their
 * rate cost no disk.
 * @param waiting how many texts wait to be handed on
 * @invariant a text of somebody on file is never turned away, and none is while the vault cannot be asked
 * @source R.5, R.6
 */
export function createDoor(vault: ServiceClient, waiting: () => number): Door {
  return async (item) => {
    if (waiting() < LONG_LINE) return 'kept';
    try {
      return isOnFile(await handToVault(vault, item)) ? 'first' : 'kept';
    } catch (error) {
      return isTurnedAway(error) ? 'turned_away' : 'kept';
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

/** Decides about the place in the line and nothing else: the answer is proven when it is handed on. */
function isOnFile(answer: JsonValue): boolean {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return false;
  return typeof answer.contact_id === 'string';
}
