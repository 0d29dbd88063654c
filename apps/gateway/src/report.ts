import type { DELIVERY_STATUSES } from '@deadlatch/catalogue';
import type { ServiceClient } from '@deadlatch/http';
import { DispatchError, derivedUuid } from '@deadlatch/kernel';

/**
 * Tells dispatch-api what became of one message. A message that has moved on (`delivered` after `failed`,
 * say) is no error: the carrier's word came too late to matter.
 * @throws DispatchError the peer's refusal
 */
export type Report = (
  messageId: string,
  status: (typeof DELIVERY_STATUSES)[number],
  /** The carrier's id, when it took the text. */
  providerId: string | null,
) => Promise<void>;

/** The same report again is the same command: its key is derived from what it says. */
export function createReport(dispatchApi: ServiceClient): Report {
  return async (messageId, status, providerId) => {
    const body = { status, ...(providerId === null ? {} : { provider_id: providerId }) };
    const idempotencyKey = derivedUuid('gateway', 'report', messageId, status, providerId ?? '');
    try {
      await dispatchApi.write(`/v1/messages/${messageId}/message.report_delivery`, body, { idempotencyKey });
    } catch (error) {
      if (!(error instanceof DispatchError && error.code === 'invalid_state')) throw error;
    }
  };
}
