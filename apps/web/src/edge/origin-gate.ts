import { refuse } from '@deadlatch/kernel';

export interface EdgeRequest {
  readonly method: string;
  /** Raw path and query. */
  readonly target: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** Answered for any host: a load balancer asks by address. They say nothing but "up". */
const PROBES: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/**
 * Lets in what was sent to our one public origin and, when it changes something, sent from it.
 * @throws DispatchError `not_found` for another host (DNS rebinding), `unauthenticated` for another origin
 * @invariant the origin comes from configuration, never from a forwarded header; a missing Origin on a change
 *   is a refusal
 */
export function createOriginGate(publicUrl: URL): (request: EdgeRequest) => void {
  return ({ method, target, host, origin, fetchSite }) => {
    if (PROBES.has(target) && SAFE_METHODS.has(method)) return;
    if (host !== publicUrl.host) refuse('not_found', { detail: 'foreign_host' });
    if (!SAFE_METHODS.has(method)) {
      if (origin !== publicUrl.origin) refuse('unauthenticated', { detail: 'foreign_origin' });
      if (fetchSite !== undefined && fetchSite !== 'same-origin') {
        refuse('unauthenticated', { detail: 'foreign_site' });
      }
    } else if (target.startsWith('/api/') && (fetchSite === 'cross-site' || fetchSite === 'same-site')) {
      refuse('unauthenticated', { detail: 'foreign_site' });
    }
  };
}
