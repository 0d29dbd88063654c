import { createHash } from 'node:crypto';
import type { RateLimit } from '@deadlatch/http';
import { refuse } from '@deadlatch/kernel';
import type { FastifyRequest } from 'fastify';
import { type CookieNames, readCookie } from './cookies.ts';
import { provenCsrf } from './csrf.ts';

/** The purpose of the token that every change from the console carries. */
export const CONSOLE_PURPOSE = 'console';
/** As identity makes them. */
const SESSION = /^[A-Za-z0-9_-]{43}$/;
const CSRF_HEADER = 'x-csrf-token';

/** Who a request says it is, and where it came from. */
export interface Visitor {
  readonly session: string;
  readonly address: string;
}

/** Reads who a request says it is; whether that session lives is identity's to say. */
export interface CurrentSession {
  /** @throws DispatchError `unauthenticated` without a session cookie */
  reading(request: FastifyRequest): Visitor;
  /**
   * For anything that changes something.
   * @throws DispatchError `unauthenticated` without a session cookie or its CSRF token
   */
  changing(request: FastifyRequest): Visitor;
}

/**
 * @param rate of each session; kept by a hash, so that a dump of it holds no cookie
 * @throws DispatchError `rate_limited` from both when a session asks too fast
 * @source A.2; the CSRF token is derived from the cookie, see `csrf.ts`
 */
export function createCurrentSession(names: CookieNames, rate: Pick<RateLimit, 'spend'>): CurrentSession {
  const reading = (request: FastifyRequest): Visitor => {
    const session = readCookie(request.headers.cookie, names.session);
    if (session === null || !SESSION.test(session)) {
      return refuse('unauthenticated', { detail: 'no_session' });
    }
    rate.spend(createHash('sha256').update(session).digest('base64url'));
    return { session, address: request.ip };
  };
  return {
    reading,
    changing: (request) => {
      const visitor = reading(request);
      provenCsrf(visitor.session, CONSOLE_PURPOSE, request.headers[CSRF_HEADER]);
      return visitor;
    },
  };
}
