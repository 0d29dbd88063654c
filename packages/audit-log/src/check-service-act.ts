import type { ServiceName } from '@deadlatch/catalogue';
import type { AuditEvent } from './event.ts';
import { proveRequest } from './prove-request.ts';
import { REFUSALS_COUNTED } from './refusal-budget.ts';
import type { ReadTrust } from './trail-trust.ts';

/** Where an act is asked for, and by whom. The verifier's own list: it does not ask the writers. */
interface Asked {
  readonly path: string;
  readonly by: readonly ServiceName[];
}

/** No service asks for it by a request of its own: a browser does, or the operator's program. */
const UNASKED: readonly Asked[] = [];

const ACTS: Readonly<Record<'identity' | 'vault', ReadonlyMap<string, readonly Asked[]>>> = {
  identity: new Map([
    ['session.start', [{ path: '/v1/sessions', by: ['web', 'cli'] }]],
    ['session.end', [{ path: '/v1/sessions/end', by: ['web', 'cli'] }]],
    [
      'token.mint',
      [
        { path: '/v1/tokens/session', by: ['web', 'cli'] },
        { path: '/v1/tokens/turn', by: ['tool-bridge'] },
      ],
    ],
    ['code.send', UNASKED],
    ['code.try', UNASKED],
    ['address.commit', UNASKED],
  ]),
  vault: new Map([
    ['message.seal', [{ path: '/v1/inbound', by: ['gateway'] }]],
    ['text.seal', [{ path: '/v1/texts', by: ['web', 'cli'] }]],
    ['contact.reveal', [{ path: '/v1/reveals', by: ['gateway', 'identity'] }]],
    ['contact.adopt', [{ path: '/v1/adoptions', by: ['identity'] }]],
    ['exit.check', [{ path: '/v1/exit-checks', by: ['tool-bridge'] }]],
    ['contact.enrol', UNASKED],
  ]),
};

/** `signed`: a request of a service that may ask backs it. `unasked`: the word of its writer stands alone. */
export type ServiceAct = 'signed' | 'unasked' | { readonly reason: string };

/**
 * Whether an event that `identity` or `vault` wrote is backed: what a service asked for needs the request that it
 * signed; what a browser or the operator's program did has none to show.
 * @param seenNonces grows: one signed request backs one event
 */
export function checkServiceAct(
  event: AuditEvent,
  origin: 'identity' | 'vault',
  trust: ReadTrust,
  seenNonces: Set<string>,
): ServiceAct {
  const { command, request } = event;
  const isCount = command === REFUSALS_COUNTED;
  const asked = isCount ? [...ACTS[origin].values()].flat() : ACTS[origin].get(command);
  if (asked === undefined) return { reason: `no act of ${origin}` };
  if (event.effects.length > 0) return { reason: `an act of ${origin} has effects` };
  if (request.key_id === '' && request.signature === '' && request.signature_base === '') {
    // Browsers are refused too, and counted.
    const mayBe = isCount ? event.decision === 'refused' : asked.length === 0;
    return mayBe ? 'unasked' : { reason: 'no signed request backs this act' };
  }
  const proven = proveRequest(event, origin, trust, seenNonces, isCount);
  if (typeof proven === 'string') return { reason: proven };
  const endpoint = asked.find(({ path }) => path === proven.line('@path'));
  if (endpoint === undefined) return { reason: 'the signature covers another act' };
  // The refusal of whoever may not ask is an event as well.
  const mayAsk = event.decision === 'refused' || endpoint.by.includes(proven.signer);
  return mayAsk ? 'signed' : { reason: 'its signer may not ask for this act' };
}
