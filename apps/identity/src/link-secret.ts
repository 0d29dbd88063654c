import { createHash } from 'node:crypto';

/** 128 bit in base64url is 22 characters; nothing shorter can be a link of ours. */
const LINK_SECRET = /^[A-Za-z0-9_-]{22,86}$/;

/** Whether `text` has the form of a link's secret: base64url, at least 128 bit. */
export function isLinkSecret(text: string): boolean {
  return LINK_SECRET.test(text);
}

/**
 * What is stored instead of a secret: SHA-256 over the secret's base64url text (not over its decoded bytes),
 * itself in base64url without padding (43 characters). Whoever issues sign-in links inserts exactly this.
 *
 * A plain hash is enough here, and only here: the secret is random with at least 128 bit, so it cannot be
 * enumerated the way a code or an address can.
 * @invariant the secret itself is in no table
 * @source T3.12
 */
export function hashLinkSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('base64url');
}
