import { refuse, toInstant } from '@deadlatch/kernel';
import type { Tracing } from '@deadlatch/telemetry';
import { verifyCarrierSignature } from './carrier-signature.ts';
import type { Door } from './door.ts';
import { parseForm } from './form.ts';
import { type Inbox, type InboxItem, type ReceivedItem, statusItem } from './inbox.ts';
import type { GatewayLogger } from './log-events.ts';
import { type CarrierAccount, readInboundText, readStatusReport } from './sms-webhook.ts';

/** One webhook as it stood on the wire. */
export interface WebhookCall {
  /** Path and query as received; the query must be empty. */
  readonly target: string;
  readonly rawBody: Uint8Array;
  /** Every value of `X-Twilio-Signature`. */
  readonly signatures: readonly string[];
}

/** Takes events over from the carrier; each resolves once the event is safe here. */
export interface Webhooks {
  /** @throws DispatchError `unauthenticated`, a schema code, `not_found`, or `unavailable` when it cannot be kept */
  inbound(call: WebhookCall): Promise<void>;
  /** @throws DispatchError as above */
  status(call: WebhookCall): Promise<void>;
}

/**
 * @param publicUrl the configured public address without a trailing slash: what the carrier signs. Forwarded
 * headers have no say in it
 * @param seal seals to the vault's inbox key; nothing here can open it again
 * @param door where strangers beyond their rate are turned away, before anything is kept of them
 * @param arrived called after something new was kept, with its name when it need not wait behind the others
 * @invariant The carrier hears "done" only after the event is on the disk, sealed, or was turned away at the door.
 * @source R.5, T5.2
 */
export function createWebhooks(options: {
  readonly publicUrl: string;
  readonly account: CarrierAccount;
  readonly authToken: () => string;
  readonly inbox: Inbox;
  readonly seal: (bytes: Uint8Array) => Uint8Array;
  readonly door: Door;
  readonly now: () => number;
  readonly arrived: (first?: string) => void;
  readonly logger: GatewayLogger;
  readonly tracing: Tracing;
}): Webhooks {
  const { account, inbox, now, logger } = options;

  const prove = (call: WebhookCall, path: string) => {
    if (call.target !== path) refuse('unauthenticated', { detail: 'webhook with a query' });
    const form = parseForm(call.rawBody);
    verifyCarrierSignature(options.authToken(), `${options.publicUrl}${path}`, form, call.signatures);
    return form;
  };

  const keep = async (item: InboxItem, first?: string): Promise<void> => {
    const traceparent = options.tracing.traceparent();
    const outcome = await inbox.accept({ ...item, ...(traceparent !== null && { traceparent }) });
    if (outcome === 'known') return logger.event('inbox.known', { kind: item.kind });
    logger.event('inbox.stored', { channel: 'sms' });
    options.arrived(first);
  };

  return {
    inbound: async (call) => {
      const { providerId, ...text } = readInboundText(prove(call, '/sms/inbound'), account);
      const receivedAt = toInstant(now());
      const letter = JSON.stringify({ ...text, received_at: receivedAt });
      const item: ReceivedItem = {
        kind: 'receive',
        provider_id: providerId,
        received_at: receivedAt,
        sealed: Buffer.from(options.seal(Buffer.from(letter))).toString('base64url'),
      };
      const admitted = await options.door(item);
      if (admitted === 'turned_away') return logger.event('inbox.turned_away', {});
      await keep(item, admitted === 'first' ? providerId : undefined);
    },
    status: async (call) => {
      const { providerId, status } = readStatusReport(prove(call, '/sms/status'), account);
      if (status !== null) await keep(statusItem(providerId, status, now()));
    },
  };
}
