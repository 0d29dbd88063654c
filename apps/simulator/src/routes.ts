import { readJson, validator } from '@deadlatch/http';
import { refuse } from '@deadlatch/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Carrier } from './carrier.ts';
import { requireLoopback, requireOwnPage } from './loopback.ts';
import { PAGE_HEADERS, type PageFile } from './page-files.ts';
import { suggestionsFor } from './suggestions.ts';
import type { World } from './world.ts';

const FORM = 'application/x-www-form-urlencoded';
/** Open pages that follow along; a browser tab is one. */
const MAX_FOLLOWERS = 20;

const Outgoing = Type.Object(
  {
    body: Type.String({ minLength: 1, maxLength: 1600 }),
    /** Sends an earlier event again, as a carrier does. */
    sid: Type.Optional(Type.String({ pattern: '^SM[0-9a-f]{32}$' })),
  },
  { additionalProperties: false },
);

/** Every request must name this machine, whatever it asks for: a rebound DNS name gets nothing. */
export function guardLoopback(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => requireLoopback(request.headers.host));
}

/** The page and its files. */
export function addPageRoutes(app: FastifyInstance, files: readonly PageFile[]): void {
  for (const { path, contentType, content } of files) {
    app.get(path, async (_request, reply) => reply.headers(PAGE_HEADERS).type(contentType).send(content));
  }
}

/** What the page and scripts read and send. Only this very page may, when a browser asks. */
export function addApiRoutes(
  app: FastifyInstance,
  options: { readonly world: World; readonly carrier: Carrier; readonly number: string },
): void {
  const { world, carrier, number } = options;
  const readOutgoing = validator<Static<typeof Outgoing>>(Outgoing);
  const guard = { onRequest: async (request: FastifyRequest) => requireOwnPage(request.headers) };

  app.get('/api/state', guard, async () => ({
    number,
    phones: world.phones().map((phone) => ({ ...phone, suggestions: suggestionsFor(phone.slug) })),
    mailboxes: world.mailboxes(),
  }));
  app.get<{ Params: { slug: string } }>('/api/phones/:slug', guard, async (request) =>
    found(world.phone(request.params.slug)),
  );
  app.get<{ Params: { slug: string } }>('/api/mailboxes/:slug', guard, async (request) =>
    found(world.mailbox(request.params.slug)),
  );
  app.post<{ Params: { slug: string } }>('/api/phones/:slug/messages', guard, async (request) => {
    const { body, sid } = readOutgoing(readJson(request));
    return carrier.sendFromPhone(request.params.slug, body, sid);
  });
}

/** `GET /api/changes`: one server-sent event per change, without content; the page then reads the state. */
export function addChangesRoute(app: FastifyInstance, world: World): void {
  const followers = new Set<() => void>();
  const guard = { onRequest: async (request: FastifyRequest) => requireOwnPage(request.headers) };
  app.get('/api/changes', guard, (request, reply) => {
    if (followers.size >= MAX_FOLLOWERS) refuse('rate_limited', { detail: 'too many open pages' });
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const say = (text: string): void => {
      raw.write(text);
    };
    say('retry: 1000\n\n');
    const stopWatching = world.watch(() => say('event: change\ndata: 1\n\n'));
    // Shorter than the server's own limit of silence on a connection.
    const pulse = setInterval(() => say(': still here\n\n'), 20_000);
    const end = (): void => {
      clearInterval(pulse);
      stopWatching();
      followers.delete(end);
      raw.end();
    };
    followers.add(end);
    request.raw.once('close', end);
  });
  app.addHook('preClose', async () => {
    for (const end of followers) end();
  });
}

/** The carrier's REST interface. @source https://www.twilio.com/docs/messaging/api/message-resource */
export function addCarrierRoutes(app: FastifyInstance, carrier: Carrier): void {
  app.post<{ Params: { account: string } }>(
    '/2010-04-01/Accounts/:account/Messages.json',
    { config: { accepts: [FORM] } },
    async (request, reply) => {
      carrier.authenticate(request.params.account, request.headers.authorization);
      const { status, answer } = carrier.sendToPhone(new URLSearchParams(request.rawBody.toString('utf8')));
      return reply.code(status).send(answer);
    },
  );
}

function found<T>(value: T | undefined): T {
  return value === undefined ? refuse('not_found', { detail: 'nobody of that name' }) : value;
}
