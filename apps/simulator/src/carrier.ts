import { createHmac, timingSafeEqual } from 'node:crypto';
import { refuse } from '@deadlatch/kernel';
import type { World } from './world.ts';

/** The played carrier's one customer: Deadlatch itself. */
export interface CarrierAccount {
  readonly accountSid: string;
  readonly authToken: () => string;
  /** The number the customer rents, E.164. */
  readonly number: string;
  /** Where the customer wants its webhooks, without a trailing slash. */
  readonly webhookBase: string;
}

/** A Twilio-compatible carrier: phones on one side, webhooks and REST on the other. */
export interface Carrier {
  /**
   * A person sends a text: signs the webhook and posts it.
   * @param sid an earlier sid sends that event again, as a carrier does when it got no answer
   * @returns the sid and the gateway's HTTP status, 0 when it could not be reached
   * @throws DispatchError `not_found` for a person without a phone
   */
  sendFromPhone(slug: string, body: string, sid?: string): Promise<{ sid: string; status: number }>;
  /**
   * The customer sends a text by REST.
   * @returns the JSON answer and its HTTP status, in the carrier's own words
   */
  sendToPhone(form: URLSearchParams): { status: number; answer: Record<string, unknown> };
  /** Whether the `Authorization` header is the account's. @throws DispatchError `unauthenticated` */
  authenticate(accountSid: string, authorization: string | undefined): void;
  /** Waits for the callbacks under way. */
  settled(): Promise<void>;
}

const WEBHOOK_TIMEOUT_MS = 15_000;
const MAX_BODY_CHARS = 1600;

export function createCarrier(options: {
  readonly account: CarrierAccount;
  readonly world: World;
  readonly fetch: typeof globalThis.fetch;
  readonly randomBytes: (n: number) => Uint8Array;
}): Carrier {
  const { account, world } = options;
  const callbacks = new Set<Promise<unknown>>();
  const mintSid = (): string => `SM${Buffer.from(options.randomBytes(16)).toString('hex')}`;

  const post = async (url: string, params: Record<string, string>): Promise<number> => {
    try {
      const response = await options.fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-twilio-signature': sign(account.authToken(), url, params),
        },
        body: new URLSearchParams(params).toString(),
        redirect: 'error',
        signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
      });
      await response.body?.cancel();
      return response.status;
    } catch {
      return 0;
    }
  };

  const callBack = (url: string, sid: string, to: string): void => {
    const report = async (): Promise<void> => {
      for (const status of ['sent', 'delivered']) await post(url, statusParams(account, sid, to, status));
    };
    const running = report().finally(() => callbacks.delete(running));
    callbacks.add(running);
  };

  return {
    sendFromPhone: async (slug, body, again) => {
      const phone = world.phone(slug);
      if (phone === undefined) refuse('not_found', { detail: 'nobody has this phone' });
      const sid = again ?? mintSid();
      if (again === undefined) world.addBubble(slug, { sid, direction: 'sent', body, status: 'sending' });
      const status = await post(
        `${account.webhookBase}/sms/inbound`,
        inboundParams(account, sid, phone.phone, body),
      );
      world.setStatus(slug, sid, status >= 200 && status < 300 ? 'taken' : 'refused');
      return { sid, status };
    },

    sendToPhone: (form) => {
      const [to, from, body] = ['To', 'From', 'Body'].map((name) => form.get(name));
      if (from !== account.number) return carrierError(21_660, 'From is not a number of this account');
      if (!body || body.length > MAX_BODY_CHARS) return carrierError(21_617, 'Body is empty or too long');
      const phone = to ? world.phoneByNumber(to) : undefined;
      if (to == null || phone === undefined) return carrierError(21_211, 'To is not a phone of this demo');
      const callback = form.get('StatusCallback');
      // The callback carries a signature worth having: it goes nowhere but to the customer.
      if (callback !== null && !callback.startsWith(`${account.webhookBase}/`)) {
        return carrierError(21_609, 'StatusCallback is not valid');
      }
      const sid = mintSid();
      world.addBubble(phone.slug, { sid, direction: 'received', body, status: 'received' });
      if (callback !== null) callBack(callback, sid, to);
      const { accountSid } = account;
      return { status: 201, answer: { sid, account_sid: accountSid, to, from, status: 'queued' } };
    },

    authenticate: (accountSid, authorization) => {
      const expected = `Basic ${Buffer.from(`${account.accountSid}:${account.authToken()}`).toString('base64')}`;
      const isOurs = accountSid === account.accountSid && isSameText(authorization ?? '', expected);
      if (!isOurs) refuse('unauthenticated', { detail: 'carrier account' });
    },

    settled: async () => {
      await Promise.all(callbacks);
    },
  };
}

/** @source https://www.twilio.com/docs/usage/security#validating-requests */
export function sign(authToken: string, url: string, params: Readonly<Record<string, string>>): string {
  const joined = Object.keys(params)
    .sort()
    .map((name) => `${name}${params[name]}`)
    .join('');
  return createHmac('sha1', authToken).update(`${url}${joined}`, 'utf8').digest('base64');
}

/** What Twilio sends for an inbound text. @source https://www.twilio.com/docs/messaging/guides/webhook-request */
function inboundParams(account: CarrierAccount, sid: string, from: string, body: string) {
  return {
    ToCountry: 'US',
    ToState: '',
    SmsMessageSid: sid,
    NumMedia: '0',
    ToCity: '',
    FromZip: '',
    SmsSid: sid,
    FromState: '',
    SmsStatus: 'received',
    FromCity: '',
    Body: body,
    FromCountry: 'US',
    To: account.number,
    ToZip: '',
    NumSegments: String(Math.max(1, Math.ceil(body.length / 153))),
    MessageSid: sid,
    AccountSid: account.accountSid,
    From: from,
    ApiVersion: '2010-04-01',
  };
}

function statusParams(account: CarrierAccount, sid: string, to: string, status: string) {
  return {
    SmsSid: sid,
    SmsStatus: status,
    MessageStatus: status,
    To: to,
    MessageSid: sid,
    AccountSid: account.accountSid,
    From: account.number,
    ApiVersion: '2010-04-01',
  };
}

function carrierError(code: number, message: string) {
  return { status: 400, answer: { code, message, status: 400 } };
}

function isSameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
