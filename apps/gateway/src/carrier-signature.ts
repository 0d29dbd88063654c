import { createHmac, timingSafeEqual } from 'node:crypto';
import { refuse } from '@deadlatch/kernel';
import type { Form } from './form.ts';

/** Base64 of the 20 bytes of HMAC-SHA1. */
const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/;

/**
 * The signature a Twilio-compatible carrier puts on a form webhook: HMAC-SHA1 over the URL, then every
 * parameter's name and value, sorted by name.
 * @param url the configured public URL with path and query, exactly as the carrier was told to call it
 * @returns base64
 * @source https://www.twilio.com/docs/usage/security#validating-requests
 */
export function carrierSignature(authToken: string, url: string, form: Form): string {
  const signed = [...form.keys()].sort().reduce((text, name) => `${text}${name}${form.get(name) ?? ''}`, url);
  return createHmac('sha1', authToken).update(signed, 'utf8').digest('base64');
}

/**
 * Proves that the form came from whoever holds the auth token, for this URL.
 *
 * @invariant The scheme joins names and values without a separator, so the proof alone does not say where one
 * parameter ends: callers must hold every parameter to its exact shape afterwards (`sms-webhook.ts`).
 * It carries no time and no nonce either: each event is used once (`inbox.ts`).
 * @param headers the values of `X-Twilio-Signature` as they stood on the wire; exactly one is accepted
 * @throws DispatchError `unauthenticated`
 */
export function verifyCarrierSignature(
  authToken: string,
  url: string,
  form: Form,
  headers: readonly string[],
): void {
  // With an empty token anybody can compute the signature; config refuses it at start, and this is the net.
  if (authToken === '') refuse('unauthenticated', { detail: 'no carrier token' });
  const [given, ...more] = headers;
  if (given === undefined || more.length > 0 || !SIGNATURE.test(given)) {
    refuse('unauthenticated', { detail: 'carrier signature missing, repeated or malformed' });
  }
  const expected = Buffer.from(carrierSignature(authToken, url, form), 'base64');
  if (!timingSafeEqual(expected, Buffer.from(given, 'base64'))) {
    refuse('unauthenticated', { detail: 'carrier signature mismatch' });
  }
}
