import { logOrigin } from '@deadlatch/audit-log';
import { spiffeId } from '@deadlatch/catalogue';
import { type ServiceKeyPair, signReceipt } from '@deadlatch/signing';

/** The event that an answer stands on. */
export interface AnsweredEvent {
  readonly id: string;
  /** of the event, RFC 3339 with milliseconds */
  readonly time: string;
  /** of exactly the stored bytes, base64url */
  readonly leafHash: string;
}

/** Promises, in the answer to an accepted command, that its event will be in the log. */
export type IssueReceipt = (event: AnsweredEvent) => string;

/** @param options.key the grant key as it is now; the type keeps receipts and grants apart */
export function createReceiptIssuer(options: {
  readonly key: () => ServiceKeyPair;
  readonly environment: string;
}): IssueReceipt {
  const iss = spiffeId(options.environment, 'dispatch-api');
  const origin = logOrigin(options.environment);
  return ({ id, time, leafHash }) =>
    signReceipt({ iss, origin, event_id: id, leaf_hash: leafHash, time }, options.key());
}
