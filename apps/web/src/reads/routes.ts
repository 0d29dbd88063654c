import { EVIDENCE_CONTENT_TYPES, MAX_EVIDENCE_BYTES, PRIORITIES, TICKET_STATES } from '@deadlatch/catalogue';
import type { ServiceClient } from '@deadlatch/http';
import { isUuid, type JsonValue, refuse } from '@deadlatch/kernel';
import type { FastifyInstance } from 'fastify';
import type { CurrentSession, Visitor } from '../sessions/current-session.ts';
import type { TokenSource } from '../sessions/token-source.ts';
import { readTicketPage } from './ticket-page.ts';

/** A place in a list as dispatch-api named it; printable, because it travels in a query. */
const CURSOR = /^[\x21-\x7e]{1,300}$/;

/** What the console reads. Every answer is dispatch-api's of this moment; nothing is kept here. @source T2.2 */
export function addReadRoutes(
  server: FastifyInstance,
  options: {
    readonly dispatchApi: ServiceClient;
    readonly tokens: TokenSource;
    readonly current: CurrentSession;
  },
): void {
  const { dispatchApi, tokens, current } = options;
  const as = (visitor: Visitor, path: string): Promise<JsonValue> =>
    tokens.using(visitor, (token) => dispatchApi.read(path, { token }));

  server.get<{ Querystring: Record<string, unknown> }>('/api/queue', async (request) => {
    const visitor = current.reading(request);
    return as(visitor, queuePath(request.query));
  });

  server.get<{ Params: { id: string } }>('/api/tickets/:id', async (request) => {
    const visitor = current.reading(request);
    const { id } = request.params;
    if (!isUuid(id)) return refuse('not_found', { detail: 'not an id' });
    return tokens.using(visitor, (token) => readTicketPage(dispatchApi, token, id));
  });

  server.get<{ Params: { id: string } }>('/api/tickets/:id/recommendations', async (request) => {
    const visitor = current.reading(request);
    const { id } = request.params;
    if (!isUuid(id)) return refuse('not_found', { detail: 'not an id' });
    return as(visitor, `/v1/tickets/${id}/recommendations`);
  });

  server.get<{ Params: { id: string } }>('/api/evidence/:id', async (request, reply) => {
    const visitor = current.reading(request);
    const { id } = request.params;
    if (!isUuid(id)) return refuse('not_found', { detail: 'not an id' });
    const { contentType, bytes } = await tokens.using(visitor, (token) =>
      dispatchApi.readBytes(`/v1/evidence/${id}/content`, { token, maxBytes: MAX_EVIDENCE_BYTES }),
    );
    const type = EVIDENCE_CONTENT_TYPES.find((known) => known === contentType);
    // The server's own headers forbid sniffing and everything else: what was uploaded is a picture or nothing.
    return reply.type(type ?? refuse('unavailable', { detail: 'evidence of another kind' })).send(bytes);
  });

  server.get('/api/sites', async (request) => as(current.reading(request), '/v1/sites'));
  server.get<{ Params: { id: string } }>('/api/sites/:id', async (request) => {
    const visitor = current.reading(request);
    const { id } = request.params;
    return isUuid(id) ? as(visitor, `/v1/sites/${id}`) : refuse('not_found', { detail: 'not an id' });
  });
  server.get('/api/incident-types', async (request) => as(current.reading(request), '/v1/incident-types'));
  server.get('/api/technicians', async (request) => as(current.reading(request), '/v1/technicians'));
  server.get('/api/autonomy', async (request) => as(current.reading(request), '/v1/autonomy'));
  server.get('/api/attention', async (request) => as(current.reading(request), '/v1/attention'));
  server.get('/api/reports', async (request) => as(current.reading(request), '/v1/reports'));
}

/** What each parameter of the queue may be. */
const QUEUE_FILTER: Readonly<Record<string, (text: string) => boolean>> = {
  state: (text) => TICKET_STATES.some((known) => known === text),
  priority: (text) => text === 'NONE' || PRIORITIES.some((known) => known === text),
  site: isUuid,
  mine: (text) => text === 'true',
  after: (text) => CURSOR.test(text),
};

/** @throws DispatchError `schema_mismatch` for an unknown parameter, one given twice, or an unknown value */
function queuePath(query: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(query).map(([name, value]) => {
    const isKnown = Object.hasOwn(QUEUE_FILTER, name) && typeof value === 'string';
    if (!isKnown || QUEUE_FILTER[name]?.(value) !== true)
      return refuse('schema_mismatch', { detail: 'queue query' });
    return `${name}=${encodeURIComponent(value)}`;
  });
  return parts.length === 0 ? '/v1/tickets' : `/v1/tickets?${parts.join('&')}`;
}
