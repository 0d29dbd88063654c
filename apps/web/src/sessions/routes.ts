import type { GuessLimit, ServiceClient } from '@deadlatch/http';
import { type Clock, DispatchError } from '@deadlatch/kernel';
import type { FastifyInstance } from 'fastify';
import { sendPage } from '../pages/layout.ts';
import { signInPage, signInRefusedPage, tryLaterPage } from '../pages/sign-in-page.ts';
import type { Identity } from '../peers.ts';
import { readOwnRoles } from '../reads/own-roles.ts';
import { type CookieNames, readCookie, setCookie } from './cookies.ts';
import { csrfToken, provenCsrf } from './csrf.ts';
import { CONSOLE_PURPOSE, type CurrentSession } from './current-session.ts';
import { readForm } from './form.ts';
import type { TokenSource } from './token-source.ts';

/** 128 bit in base64url is 22 characters; nothing shorter can be a link of ours. */
const LINK = /^[A-Za-z0-9_-]{22,86}$/;
const FORM = ['application/x-www-form-urlencoded'];
const SIGN_IN_FORM_LIFETIME_S = 600;

export interface SessionRoutesOptions {
  readonly identity: Identity;
  readonly dispatchApi: ServiceClient;
  readonly tokens: TokenSource;
  readonly guesses: GuessLimit;
  readonly current: CurrentSession;
  readonly cookies: CookieNames;
  readonly now: Clock;
  /** A fresh secret of 32 bytes in base64url. */
  readonly newSecret: () => string;
}

/**
 * Signing in and out. A link is used up by the button on its page, never by opening the page: previews and
 * scanners open links too.
 * @source T3.12
 */
export function addSessionRoutes(server: FastifyInstance, options: SessionRoutesOptions): void {
  const { identity, dispatchApi, tokens, guesses, current, cookies } = options;

  server.get<{ Params: { link: string } }>('/sign-in/:link', async (request, reply) => {
    const { link } = request.params;
    if (!LINK.test(link)) return sendPage(reply, 404, signInRefusedPage());
    const secret = options.newSecret();
    reply.header('set-cookie', setCookie(cookies, cookies.signIn, secret, SIGN_IN_FORM_LIFETIME_S));
    return sendPage(reply, 200, signInPage({ link, csrf: csrfToken(secret, signInPurpose(link)) }));
  });

  server.post('/sign-in', { config: { accepts: FORM }, bodyLimit: 4_096 }, async (request, reply) => {
    try {
      const { link, csrf } = readForm(request.rawBody, ['link', 'csrf']);
      const secret = readCookie(request.headers.cookie, cookies.signIn);
      provenCsrf(secret ?? '', signInPurpose(link), secret === null ? null : csrf);
      const opened = await guesses.attempt(request.ip, () => identity.openSession(link));
      const maxAgeS = Math.max(0, Math.floor((opened.expiresAt - options.now()) / 1000));
      reply.header('set-cookie', [
        setCookie(cookies, cookies.session, opened.session, maxAgeS),
        setCookie(cookies, cookies.signIn, '', 0),
      ]);
      return reply.code(303).header('location', '/').send();
    } catch (error) {
      const outage = !(error instanceof DispatchError) || error.code === 'unavailable';
      if (!outage && error.code === 'rate_limited') return sendPage(reply, 429, tryLaterPage());
      return outage ? sendPage(reply, 503, tryLaterPage()) : sendPage(reply, 401, signInRefusedPage());
    }
  });

  server.post('/api/sign-out', async (request, reply) => {
    const visitor = current.changing(request);
    tokens.forget(visitor);
    // The cookie goes first: whatever identity answers, this browser is signed out.
    reply.header('set-cookie', setCookie(cookies, cookies.session, '', 0));
    await guesses.attempt(visitor.address, () => identity.endSession(visitor.session));
    return {};
  });

  server.get('/api/me', async (request) => {
    const visitor = current.reading(request);
    const person = await tokens.get(visitor);
    return {
      subject: subjectOf(person.subject),
      label: person.label,
      roles: await tokens.using(visitor, (token) => readOwnRoles(dispatchApi, token)),
      csrf: csrfToken(visitor.session, CONSOLE_PURPOSE),
    };
  });
}

/** Bound to the link too, so that a page opened for one link cannot use up another. */
function signInPurpose(link: string): string {
  return `sign-in|${link}`;
}

function subjectOf(subject: string): { kind: string; id: string } {
  const [kind = '', id = ''] = subject.split(':');
  return { kind, id };
}
