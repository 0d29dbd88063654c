import type { Facts } from '@deadlatch/decision';
import type { Proven } from './caller.ts';

/**
 * What a carrier says of a message belongs to the message's own chain (F.2): a call without a user token has no
 * correlation of its own to bring.
 */
export function correlate(proven: Proven, facts: Facts): Proven {
  const correlationId = facts.message?.correlation_id;
  if (proven.caller.scope !== 'service' || correlationId === undefined) return proven;
  const context = { ...proven.caller.context, correlationId };
  return { ...proven, caller: { ...proven.caller, context } };
}
