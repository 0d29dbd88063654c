import { followTrace, PAGE_HEADERS } from '@deadlatch/http';
import cookie from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApprovalPages, PageAnswer, PageRequest } from './approval/visit-approval.ts';
import type { GatedRequest, ServiceGate } from './service-gate.ts';
import type { SessionEndpoints } from './sessions/serve-sessions.ts';

/** As long as a code lives. */
const COOKIE_LIFETIME_S = 600;

/** The endpoints for services: signed writes without a user token. */
export function addServiceRoutes(app: FastifyInstance, gate: ServiceGate, endpoints: SessionEndpoints): void {
  const route = (path: string, serve: (request: GatedRequest) => Promise<unknown>): void => {
    app.post(path, async (request) => {
      const { method = '', url = '', rawHeaders } = request.raw;
      const raw = { method, target: url, rawHeaders, body: request.rawBody, requestId: request.id };
      const gated = await gate(raw);
      followTrace(request);
      return serve(gated);
    });
  };
  route('/v1/sessions', endpoints.start);
  route('/v1/sessions/end', endpoints.end);
  route('/v1/tokens/session', endpoints.sessionToken);
  route('/v1/tokens/turn', endpoints.turnToken);
}

/**
 * The pages for browsers.
 * @param isSecure whether the public origin is https; only then can a cookie be `Secure`
 * @invariant the cookie is unreadable to scripts, goes to no other site, and to no path but the pages'
 * @source T3.9
 */
export async function addPageRoutes(
  app: FastifyInstance,
  pages: ApprovalPages,
  isSecure: boolean,
): Promise<void> {
  await app.register(cookie);
  const send = (reply: FastifyReply, answer: PageAnswer): FastifyReply => {
    if (answer.setCookie !== null) {
      reply.setCookie(answer.setCookie.name, answer.setCookie.value, {
        path: '/approve',
        httpOnly: true,
        sameSite: 'strict',
        secure: isSecure,
        maxAge: COOKIE_LIFETIME_S,
      });
    }
    if (answer.location !== null) reply.header('location', answer.location);
    return reply
      .code(answer.status)
      .headers(answer.page?.headers ?? PAGE_HEADERS)
      .send(answer.page?.html ?? '');
  };
  const form = {
    config: { accepts: ['application/x-www-form-urlencoded'] },
    bodyLimit: 2_048,
  };
  app.get<Secret>('/approve/:secret', async (request, reply) =>
    send(reply, await pages.show(pageRequest(request))),
  );
  app.post<Secret>('/approve/:secret/code', form, async (request, reply) =>
    send(reply, await pages.sendCode(pageRequest(request))),
  );
  app.post<Secret>('/approve/:secret/decide', form, async (request, reply) =>
    send(reply, await pages.decide(pageRequest(request))),
  );
  app.post<Secret>('/approve/:secret/keep', form, async (request, reply) =>
    send(reply, await pages.keep(pageRequest(request))),
  );
}

interface Secret {
  Params: { secret: string };
}

function pageRequest(request: FastifyRequest<Secret>): PageRequest {
  const cookies = new Map(Object.entries(request.cookies));
  return {
    secret: request.params.secret,
    cookie: (name) => cookies.get(name),
    address: request.ip,
    origin: request.headers.origin,
    body: request.rawBody,
  };
}
