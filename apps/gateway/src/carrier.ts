import { parseStrictJson, refuse } from '@deadlatch/kernel';
import type { Tracing } from '@deadlatch/telemetry';

/** What the carrier said of a text: it has it now, or it will never take it. */
export type CarrierAnswer =
  | { readonly outcome: 'accepted'; readonly providerId: string }
  | { readonly outcome: 'refused' };

/** The carrier's REST interface, as far as we use it. */
export interface Carrier {
  /**
   * Hands one text to the carrier.
   * @param to E.164
   * @throws DispatchError `unavailable` when it is not known whether the carrier has it, or it may take it later
   */
  send(to: string, text: string): Promise<CarrierAnswer>;
}

/** More than any answer about one message. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Our own credentials, the pace, or time: the text itself was not refused. */
const NOT_ABOUT_THE_TEXT: ReadonlySet<number> = new Set([401, 407, 408, 409, 425, 429]);
const PROVIDER_ID = /^(SM|MM)[0-9a-f]{32}$/;

/**
 * A Twilio-compatible carrier.
 * @param authToken reveals the account's token; called per request and kept nowhere
 * @param statusUrl where the carrier reports what became of the text; it signs this exact URL
 * @source https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
 */
export function createCarrier(options: {
  readonly baseUrl: string;
  readonly accountSid: string;
  readonly authToken: () => string;
  readonly number: string;
  readonly statusUrl: string;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  /** Our trace ends here: the carrier is not told of it. */
  readonly tracing: Tracing;
}): Carrier {
  const { accountSid, number, statusUrl } = options;
  const url = `${options.baseUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`;
  const send: Carrier['send'] = async (to, text) => {
    const credentials = Buffer.from(`${accountSid}:${options.authToken()}`).toString('base64');
    let response: Response;
    let bytes: Uint8Array;
    try {
      response = await options.fetch(url, {
        method: 'POST',
        headers: {
          authorization: `Basic ${credentials}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({
          To: to,
          From: number,
          Body: text,
          StatusCallback: statusUrl,
        }).toString(),
        // Neither the credentials nor the number may follow a redirect.
        redirect: 'error',
        signal: AbortSignal.timeout(options.timeoutMs),
      });
      bytes = await readBounded(response);
    } catch {
      // The cause is dropped on purpose: it may quote the request.
      return refuse('unavailable', { detail: 'carrier unreachable' });
    }
    if (response.ok) return { outcome: 'accepted', providerId: readSid(bytes) };
    if (response.status < 400 || response.status >= 500 || NOT_ABOUT_THE_TEXT.has(response.status)) {
      return refuse('unavailable', { detail: `carrier answered ${response.status}` });
    }
    return { outcome: 'refused' };
  };
  return { send: (to, text) => options.tracing.span('carrier.send', {}, () => send(to, text)) };
}

async function readBounded(response: Response): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new Error('answer too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function readSid(bytes: Uint8Array): string {
  const value = parseAnswer(bytes);
  const sid = value !== null && typeof value === 'object' && !Array.isArray(value) ? value.sid : undefined;
  if (typeof sid !== 'string' || !PROVIDER_ID.test(sid)) {
    refuse('unavailable', { detail: 'carrier answer without a sid' });
  }
  return sid;
}

function parseAnswer(bytes: Uint8Array): ReturnType<typeof parseStrictJson> {
  try {
    return parseStrictJson(bytes);
  } catch {
    return refuse('unavailable', { detail: 'carrier answer is not json' });
  }
}
