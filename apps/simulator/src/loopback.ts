import { refuse } from '@deadlatch/kernel';

const NAMES: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Whether a host of a URL or of `Host` (without port) names this machine itself. */
export function isLoopbackName(host: string): boolean {
  return NAMES.has(host);
}

/**
 * Lets a request in only when it was addressed by a name of this machine. A foreign name that resolves to it
 * (DNS rebinding) would let any web site read the page as its own.
 * @param host the `Host` header
 * @throws DispatchError `unauthenticated`
 */
export function requireLoopback(host: string | undefined): void {
  if (host === undefined || !isLoopbackName(host.replace(/:\d{1,5}$/, ''))) {
    refuse('unauthenticated', { detail: 'not_a_loopback_name' });
  }
}

/**
 * Lets a request in only when no browser sent it, or this very page did: other sites, and other servers of this
 * machine, must not write texts in people's names. Together with JSON as the only content type (which no form can
 * send) this is the protection against forged requests; there is no session to protect otherwise.
 * @throws DispatchError `unauthenticated`
 */
export function requireOwnPage(headers: Readonly<Record<string, string | string[] | undefined>>): void {
  const { host, origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`)
    refuse('unauthenticated', { detail: 'foreign_origin' });
  const site = headers['sec-fetch-site'];
  // `none` is a person who typed the address.
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    refuse('unauthenticated', { detail: 'foreign_site' });
  }
}
