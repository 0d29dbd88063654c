import { timingSafeEqual } from 'node:crypto';
import { keyedDigest } from '@deadlatch/signing';
import { hashLinkSecret } from '../link-secret.ts';

/** Eight digits: with five tries per approval a guess succeeds once in twenty million. */
export const CODE_DIGITS = 8;
const CODE_SPACE = 10 ** CODE_DIGITS;
/** The largest multiple of the code space below 2^32, so that no code is likelier than another. */
const FAIR_LIMIT = Math.floor(2 ** 32 / CODE_SPACE) * CODE_SPACE;

/** What ties a code to one action in one browser. */
export interface CodeBinding {
  readonly tenantId: string;
  readonly approvalId: string;
  readonly actionDigest: string;
  /** Hash of the browser's cookie. */
  readonly browserHash: string;
}

/**
 * Draws a code, each as likely as any other.
 * @param random returns exactly `n` random bytes
 */
export function drawCode(random: (n: number) => Uint8Array): string {
  for (;;) {
    const drawn = Buffer.from(random(4)).readUInt32BE(0);
    if (drawn < FAIR_LIMIT) return String(drawn % CODE_SPACE).padStart(CODE_DIGITS, '0');
  }
}

/** Whether `text` has the form of a code. */
export function isCode(text: string): boolean {
  return /^[0-9]{8}$/.test(text);
}

export interface CeremonySecrets {
  newBrowserSecret(): { readonly secret: string; readonly hash: string };
  /** Hash of a cookie's value; null when it is not one of ours by form. */
  browserHashOf(cookie: string | undefined): string | null;
  newCode(binding: CodeBinding): { readonly code: string; readonly hash: string };
  codeHash(binding: CodeBinding, code: string): string;
  csrfToken(approvalId: string, browserHash: string): string;
  isCsrfToken(token: string, approvalId: string, browserHash: string): boolean;
  addressCommitment(kind: 'email' | 'phone', address: string): string;
}

/**
 * Everything that is derived from `code.key`. Each use has a label of its own, so a digest made for one
 * purpose is never one for another.
 *
 * The digests are keyed because what they hide can be enumerated: eight digits, or the phone numbers of a country.
 * @param key 32 random bytes
 * @invariant a code's digest covers the action, the approval and the browser: moved to any other, it does not fit
 * @source T3.7, T3.9, T3.4
 */
export function createCeremonySecrets(options: {
  readonly key: Uint8Array;
  readonly random: (n: number) => Uint8Array;
}): CeremonySecrets {
  const digest = (...parts: readonly string[]): string =>
    keyedDigest(options.key, new TextEncoder().encode(JSON.stringify(parts)));
  const codeHash = (binding: CodeBinding, code: string): string =>
    digest('code-v1', binding.tenantId, binding.approvalId, binding.actionDigest, binding.browserHash, code);
  const csrfToken = (approvalId: string, browserHash: string): string =>
    digest('csrf-v1', approvalId, browserHash);
  return {
    newBrowserSecret: () => {
      const secret = Buffer.from(options.random(32)).toString('base64url');
      return { secret, hash: hashLinkSecret(secret) };
    },
    browserHashOf: (cookie) =>
      cookie !== undefined && /^[A-Za-z0-9_-]{43}$/.test(cookie) ? hashLinkSecret(cookie) : null,
    newCode: (binding) => {
      const code = drawCode(options.random);
      return { code, hash: codeHash(binding, code) };
    },
    codeHash,
    csrfToken,
    isCsrfToken: (token, approvalId, browserHash) => {
      const expected = Buffer.from(csrfToken(approvalId, browserHash));
      const given = Buffer.from(token);
      return expected.length === given.length && timingSafeEqual(expected, given);
    },
    addressCommitment: (kind, address) => digest('address-v1', kind, normaliseAddress(kind, address)),
  };
}

/** One spelling per address: lower case for e-mail, digits and a leading plus for phones. */
function normaliseAddress(kind: 'email' | 'phone', address: string): string {
  return kind === 'email' ? address.trim().toLowerCase() : address.replace(/[^+0-9]/g, '');
}
