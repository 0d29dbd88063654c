import { DispatchError, type JsonValue } from '@deadlatch/kernel';
import type { SendDecision } from './decide.ts';

/** `ServiceClient.write` of dispatch-api. */
export type WriteCommand = (
  path: string,
  body: object,
  options: { readonly token: string; readonly idempotencyKey: string },
) => Promise<JsonValue>;

/** The words in which each command takes a yes and a no. */
const ACT_WORDS = { APPROVE: 'CONFIRM', DENY: 'DECLINE' } as const;

/**
 * Sends `approval.decide`, or `act.confirm` for an act. When no answer came it asks once more under the same idempotency key, with a token of
 * its own: if the first one was committed, the stored answer comes back; nothing happens twice.
 * @throws DispatchError with dispatch-api's code; `unavailable` when it answered neither time
 * @source R.2
 */
export function createDecisionSender(options: {
  readonly write: WriteCommand;
  readonly newId: () => string;
}): SendDecision {
  return async ({ object, id, decision, actionDigest, mintToken }) => {
    const idempotencyKey = options.newId();
    const isAct = object === 'act';
    const path = isAct ? `/v1/acts/${id}/act.confirm` : `/v1/approvals/${id}/approval.decide`;
    const body = { decision: isAct ? ACT_WORDS[decision] : decision, action_digest: actionDigest };
    const send = () =>
      options.write(path, body, {
        token: mintToken(),
        idempotencyKey,
      });
    try {
      return await send();
    } catch (error) {
      if (error instanceof DispatchError && error.code === 'unavailable') return await send();
      throw error;
    }
  };
}
