import type { GuessLimit, ServiceClient } from '@deadlatch/http';
import { DispatchError, type JsonValue } from '@deadlatch/kernel';
import type { FastifyInstance } from 'fastify';
import { sendPage } from '../pages/layout.ts';
import { tryLaterPage } from '../pages/sign-in-page.ts';
import { type LinkStatus, neutralStatusPage, statusPage } from '../pages/status-page.ts';

const SECRET = /^[A-Za-z0-9_-]{22,86}$/;

const MAX_MESSAGES = 20;

/** Times worth telling a customer, in the order in which they happen. */
const TIMES: readonly (readonly [member: string, label: string])[] = [
  ['reported_at', 'Reported'],
  ['hold_until', 'On hold until'],
  ['updated_at', 'Last change'],
];

/**
 * The page behind the link in a customer's message. Plain HTML, read again at every load.
 * @invariant every link that is not good gives the same page, whatever the reason
 * @source T2.5, T3.12
 */
export function addStatusRoute(
  server: FastifyInstance,
  options: { readonly dispatchApi: ServiceClient; readonly guesses: GuessLimit },
): void {
  const { dispatchApi, guesses } = options;

  server.get<{ Params: { secret: string } }>('/s/:secret', async (request, reply) => {
    const { secret } = request.params;
    try {
      const ask = () => dispatchApi.read(`/v1/links/${secret}`);
      const answer = SECRET.test(secret) ? await guesses.attempt(request.ip, ask) : null;
      const status = statusOf(answer);
      const page = status === null ? null : statusPage(status);
      return page === null ? sendPage(reply, 404, neutralStatusPage()) : sendPage(reply, 200, page);
    } catch (error) {
      const outage =
        !(error instanceof DispatchError) || error.code === 'unavailable' || error.code === 'rate_limited';
      return outage ? sendPage(reply, 503, tryLaterPage()) : sendPage(reply, 404, neutralStatusPage());
    }
  });
}

function statusOf(answer: JsonValue): LinkStatus | null {
  const ticket = member(answer, 'ticket');
  const reference = member(ticket, 'reference');
  const state = member(ticket, 'state');
  if (typeof reference !== 'string' || typeof state !== 'string') return null;
  const times = TIMES.flatMap(([name, label]) => {
    const at = member(ticket, name);
    return typeof at === 'string' ? [{ label, at }] : [];
  });
  const sent = member(answer, 'messages');
  const messages = (Array.isArray(sent) ? sent : []).slice(-MAX_MESSAGES).flatMap((message) => {
    const at = member(message, 'at');
    const text = member(message, 'text');
    return typeof at === 'string' && typeof text === 'string' ? [{ at, text }] : [];
  });
  const gone = member(answer, 'waived');
  const waived = (Array.isArray(gone) ? gone : []).filter((key) => typeof key === 'string');
  return { reference, state, times, waived, messages };
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
