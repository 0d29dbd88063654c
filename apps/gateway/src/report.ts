import type { ServiceClient } from '@deadlatch/http';
import { deriveIdempotencyKey } from './derive-key.ts';

/** Tells dispatch-api what the carrier said of one message. @throws DispatchError the peer's refusal */
export type Report = (
  messageId: string,
  status: 'sent' | 'delivered' | 'failed',
  /** The carrier's id, when it took the text. */
  providerId: string | null,
) => Promise<void>;

/** The same report again is the same command: its key is derived from what it says. */
export function createReport(dispatchApi: ServiceClient): Report {
  return async (messageId, status, providerId) => {
    const body = { status, ...(providerId === null ? {} : { provider_id: providerId }) };
    const idempotencyKey = deriveIdempotencyKey('report', messageId, status, providerId ?? '');
    await dispatchApi.write(`/v1/messages/${messageId}/message.report_delivery`, body, { idempotencyKey });
  };
}
