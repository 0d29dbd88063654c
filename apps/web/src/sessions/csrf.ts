import { createHmac, timingSafeEqual } from 'node:crypto';
import { refuse } from '@deadlatch/kernel';

/**
 * The token that a change must carry beside the cookie, derived from the cookie's own secret: whoever can read
 * it is already inside the session, and nothing has to be stored or shared by replicas.
 * @param purpose keeps a token of one form from fitting another
 */
export function csrfToken(secret: string, purpose: string): string {
  return createHmac('sha256', secret).update(`deadlatch-csrf-v1|${purpose}`).digest('base64url');
}

/** @throws DispatchError `unauthenticated` unless `given` is exactly the token */
export function provenCsrf(secret: string, purpose: string, given: unknown): void {
  const expected = Buffer.from(csrfToken(secret, purpose));
  const actual = Buffer.from(typeof given === 'string' ? given : '');
  if (expected.byteLength !== actual.byteLength || !timingSafeEqual(expected, actual)) {
    refuse('unauthenticated', { detail: 'csrf_token' });
  }
}
