import { refuse } from '@deadlatch/kernel';
import type { Form } from './form.ts';

/** What a text message says, once it is proven to be ours. Holds personal data: seal it at once. */
export interface InboundText {
  readonly providerId: string;
  readonly from: string;
  readonly to: string;
  readonly body: string;
}

/** What the carrier says of a text we sent; `null` status = a step on the way that changes nothing. */
export interface StatusReport {
  readonly providerId: string;
  readonly status: 'delivered' | 'failed' | null;
}

/** The account and number that are ours; anything for another is refused. */
export interface CarrierAccount {
  readonly accountSid: string;
  readonly number: string;
}

const SID = /^(SM|MM)[0-9a-f]{32}$/;
const ANY_SID = /^[A-Z]{2}[0-9a-f]{32}$/;
const E164 = /^\+[1-9][0-9]{6,14}$/;
/** Ten segments of 160 characters: the carrier's own limit. */
const MAX_BODY_CHARS = 1600;
const MAX_OTHER_CHARS = 1024;

/** Steps of an outgoing message; a `Map`, so that `constructor` is no status. `null` = nothing to report. */
const STATUSES: ReadonlyMap<string, 'delivered' | 'failed' | null> = new Map([
  ['accepted', null],
  ['scheduled', null],
  ['queued', null],
  ['sending', null],
  ['sent', null],
  ['delivered', 'delivered'],
  ['read', 'delivered'],
  ['undelivered', 'failed'],
  ['failed', 'failed'],
  ['canceled', 'failed'],
]);

/**
 * Where a parameter we do read begins inside another one's value. The signature joins names and values without
 * a separator, so `{A:1,B:2}` signs like `{A:"1B2"}`: without this check a sender could write `From+1555…` into
 * the text, and a holder of the old signature could split it there and let an unread parameter swallow the real
 * `From`. Unread parameters must therefore never contain what looks like a read one.
 */
const SWALLOWED = /(From|To)\+[0-9]|(AccountSid|MessageSid|SmsSid|MessageStatus)[A-Za-z]/;
/** The text itself has no shape, so its name alone is enough. */
const SWALLOWED_TEXT = /Body/;

/**
 * Reads an inbound text from a form whose signature is proven. Parameters the carrier adds over time are
 * bounded and ignored; those that decide anything must be there once and in their exact shape.
 * @throws DispatchError `schema_mismatch`, or `not_found` when it is for another account or number
 */
export function readInboundText(form: Form, ours: CarrierAccount): InboundText {
  const providerId = required(form, 'MessageSid', SID);
  const from = required(form, 'From', E164);
  const to = required(form, 'To', E164);
  const body = form.get('Body');
  if (body === undefined || body.length > MAX_BODY_CHARS) return mismatch('Body');
  optionalShape(form, 'NumMedia', /^[0-9]{1,2}$/);
  const others = boundOthers(form, ['MessageSid', 'SmsSid', 'AccountSid', 'From', 'To', 'Body', 'NumMedia']);
  if (others.some((joined) => SWALLOWED_TEXT.test(joined))) mismatch('other');
  requireOurs(form, ours, to, providerId);
  return { providerId, from, to, body };
}

/**
 * Reads a delivery status from a form whose signature is proven.
 * @throws DispatchError `schema_mismatch` (also for a status that is not listed), or `not_found`
 */
export function readStatusReport(form: Form, ours: CarrierAccount): StatusReport {
  const providerId = required(form, 'MessageSid', SID);
  const word = required(form, 'MessageStatus', /^[a-z]{1,20}$/);
  const status = STATUSES.get(word);
  if (status === undefined) return mismatch('MessageStatus');
  const from = required(form, 'From', E164);
  required(form, 'To', E164);
  boundOthers(form, ['MessageSid', 'SmsSid', 'AccountSid', 'From', 'To', 'MessageStatus']);
  // Our own number is the sender of what is reported here.
  requireOurs(form, ours, from, providerId);
  return { providerId, status };
}

function requireOurs(form: Form, ours: CarrierAccount, ourSide: string, providerId: string): void {
  const accountSid = required(form, 'AccountSid', /^AC[0-9a-f]{32}$/);
  if (accountSid !== ours.accountSid) refuse('not_found', { detail: 'foreign carrier account' });
  if (ourSide !== ours.number) refuse('not_found', { detail: 'foreign number' });
  for (const twin of ['SmsSid', 'SmsMessageSid']) {
    if ((form.get(twin) ?? providerId) !== providerId) mismatch(twin);
  }
}

/** Holds the parameters nobody reads to their bounds; returns them joined as they were signed. */
function boundOthers(form: Form, read: readonly string[]): string[] {
  const others = [...form]
    // `OriginalRepliedMessageSid` and its like: an id and nothing more holds no other parameter.
    .filter(([name, value]) => !read.includes(name) && !(name.endsWith('Sid') && ANY_SID.test(value)))
    .map(([name, value]) => name + value);
  if (others.some((joined) => joined.length > MAX_OTHER_CHARS || SWALLOWED.test(joined))) mismatch('other');
  return others;
}

function required(form: Form, name: string, shape: RegExp): string {
  const value = form.get(name);
  if (value === undefined || !shape.test(value)) return mismatch(name);
  return value;
}

function optionalShape(form: Form, name: string, shape: RegExp): void {
  const value = form.get(name);
  if (value !== undefined && !shape.test(value)) mismatch(name);
}

function mismatch(field: string): never {
  return refuse('schema_mismatch', { detail: `carrier parameter ${field}` });
}
