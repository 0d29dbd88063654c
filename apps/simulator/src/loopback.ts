import { refuse } from '@deadlatch/kernel';

const NAMES: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Whether a host of a URL or of `Host` (without port) names this machine itself. */
export function isLoopbackName(host: string): boolean {
  return NAMES.has(host);
}

/** What a browser says of where a request comes from. */
export interface Provenance {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

/**
 * Lets a request in only when it was addressed to this machine by a loopback name (a rebound DNS name is not)
 * and, if a browser sent it, from this very page.
 * @throws DispatchError `unauthenticated`
 */
export function requireOwnPage(from: Provenance): void {
  const { host, origin, fetchSite } = from;
  if (host === undefined || !isLoopbackName(host.replace(/:\d{1,5}$/, ''))) {
    refuse('unauthenticated', { detail: 'not addressed by a loopback name' });
  }
  if (origin !== undefined && origin !== `http://${host}`)
    refuse('unauthenticated', { detail: 'foreign origin' });
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') {
    refuse('unauthenticated', { detail: 'foreign site' });
  }
}
