import { DispatchError, type JsonValue } from '@deadlatch/kernel';
import type { SendDecision } from './decide.ts';

/** `ServiceClient.write` of dispatch-api. */
export type WriteCommand = (
  path: string,
  body: object,
  options: { readonly token: string; readonly idempotencyKey: string },
) => Promise<JsonValue>;

/**
 * Sends `approval.decide`. When no answer came it asks once more under the same idempotency key, with a token of
 * its own: if the first one was committed, the stored answer comes back; nothing happens twice.
 * @throws DispatchError with dispatch-api's code; `unavailable` when it answered neither time
 * @source R.2
 */
export function createDecisionSender(options: {
  readonly write: WriteCommand;
  readonly newId: () => string;
}): SendDecision {
  return async ({ approvalId, body, mintToken }) => {
    const idempotencyKey = options.newId();
    const send = () =>
      options.write(`/v1/approvals/${approvalId}/approval.decide`, body, {
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
