import { CEILINGS, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { validator } from '@deadlatch/http';
import { type Clock, refuse, toInstant } from '@deadlatch/kernel';
import { type TimedKey, verifyGrant } from '@deadlatch/signing';
import Type from 'typebox';
import { hashLinkSecret } from '../link-secret.ts';
import type { GatedRequest } from '../service-gate.ts';
import type { SettleSessions } from '../settle-sessions.ts';
import {
  type MintedToken,
  SESSION_CALLERS,
  subjectKind,
  type TokenMinter,
  TURN_CALLERS,
} from './mint-token.ts';
import { consumeSignInLink, endSession, findLiveSession, insertSession } from './sessions.sql.ts';

/** The answers of identity's service endpoints; times are RFC 3339. */
export interface SessionEndpoints {
  /** `POST /v1/sessions {link}` */
  start(request: GatedRequest): Promise<{
    readonly session: string;
    readonly subject: string;
    readonly label: string;
    readonly roles: readonly string[];
    readonly expires_at: string;
  }>;
  /** `POST /v1/sessions/end {session}` */
  end(request: GatedRequest): Promise<Record<string, never>>;
  /** `POST /v1/tokens/session {session, correlation_id}` */
  sessionToken(request: GatedRequest): Promise<{
    readonly token: string;
    readonly expires_at: string;
    readonly subject: string;
    readonly label: string;
  }>;
  /** `POST /v1/tokens/turn {turn_grant}` */
  turnToken(request: GatedRequest): Promise<{ readonly token: string; readonly expires_at: string }>;
}

const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$';
const sessionSecret = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });
const body = <T extends Parameters<typeof Type.Object>[0]>(members: T) =>
  Type.Object(members, { additionalProperties: false });

const startBody = validator<{ link: string }>(
  body({ link: Type.String({ pattern: '^[A-Za-z0-9_-]{22,86}$' }) }),
);
const endBody = validator<{ session: string }>(body({ session: sessionSecret }));
const sessionTokenBody = validator<{ session: string; correlation_id: string }>(
  body({ session: sessionSecret, correlation_id: Type.String({ pattern: UUID }) }),
);
const turnTokenBody = validator<{ turn_grant: string }>(
  body({ turn_grant: Type.String({ minLength: 1, maxLength: 4096 }) }),
);

/**
 * Sessions and the tokens that come from them.
 *
 * A link is used up, the session it starts is inserted and the event is written in one transaction; of two that
 * arrive at once, one gets a session. Sessions and links are stored hashed.
 * @throws DispatchError `unauthenticated` for a link, session or grant that is unknown, used, ended or over, always
 *   the same; `above_ceiling`; `schema_mismatch`; `unavailable`
 * @source T3.12, T4.5, T4.8
 */
export function createSessionEndpoints(options: {
  readonly settle: SettleSessions;
  readonly minter: TokenMinter;
  readonly tenantId: string;
  readonly environment: string;
  readonly grantKeys: () => readonly TimedKey[];
  readonly now: Clock;
  readonly random: (n: number) => Uint8Array;
}): SessionEndpoints {
  const { settle, minter, tenantId } = options;
  return {
    start: (request) =>
      settle(request, {
        act: 'session.start',
        callers: SESSION_CALLERS,
        prepare: async () => {
          const session = Buffer.from(options.random(32)).toString('base64url');
          const link = hashLinkSecret(startBody(request.body).link);
          const hash = hashLinkSecret(session);
          return async (tx) => {
            const person =
              (await consumeSignInLink(tx, tenantId, link)) ??
              refuse('unauthenticated', { detail: 'sign-in link unknown, used or over' });
            assertSubject(request.caller, person.subject);
            const row =
              (await insertSession(tx, tenantId, { ...person, hash })) ??
              refuse('unavailable', { detail: 'session was not stored' });
            return {
              answer: { session, ...person, expires_at: toInstant(row.expires_at.getTime()) },
              event: { subject: person.subject, details: { service: request.caller } },
            };
          };
        },
      }),
    end: (request) =>
      settle(request, {
        act: 'session.end',
        callers: SESSION_CALLERS,
        prepare: async () => {
          const hash = hashLinkSecret(endBody(request.body).session);
          return async (tx) => {
            const ended =
              (await endSession(tx, tenantId, hash)) ??
              refuse('unauthenticated', { detail: 'session unknown, ended or over' });
            return { answer: {}, event: { subject: ended.subject, details: { service: request.caller } } };
          };
        },
      }),
    sessionToken: (request) =>
      settle(request, {
        act: 'token.mint',
        callers: SESSION_CALLERS,
        prepare: async () => {
          const given = sessionTokenBody(request.body);
          const hash = hashLinkSecret(given.session);
          return async (tx) => {
            const session =
              (await findLiveSession(tx, tenantId, hash)) ??
              refuse('unauthenticated', { detail: 'session unknown, ended or over' });
            const { subject, assurance, label } = session;
            const person = { tenantId, subject, assurance };
            const minted = minter.forSession(request.caller, person, given.correlation_id);
            return { answer: { ...answerOf(minted), subject, label }, event: eventOf(minted) };
          };
        },
      }),
    turnToken: (request) =>
      settle(request, {
        act: 'token.mint',
        callers: TURN_CALLERS,
        prepare: async () => {
          const grant = verifyGrant('turn', turnTokenBody(request.body).turn_grant, {
            keys: options.grantKeys(),
            issuer: spiffeId(options.environment, 'dispatch-api'),
            audience: spiffeId(options.environment, 'identity'),
            now: options.now(),
          });
          if (grant.tenant !== tenantId) refuse('unauthenticated', { detail: 'grant of another tenant' });
          const minted = minter.forTurn(request.caller, grant);
          return async () => ({ answer: answerOf(minted), event: eventOf(minted) });
        },
      }),
  };
}

/** A session is only started for somebody whom this service may ever speak for. */
function assertSubject(caller: ServiceName, subject: string): void {
  if (!CEILINGS[caller].subjects.includes(subjectKind(subject))) {
    refuse('above_ceiling', { detail: 'subject kind of the link' });
  }
}

function answerOf(minted: MintedToken): { readonly token: string; readonly expires_at: string } {
  return { token: minted.token, expires_at: toInstant(minted.expiresAtS * 1000) };
}

/** What is kept of a mint, so that mints can be reconciled with use. */
function eventOf({ claims }: MintedToken) {
  return {
    subject: claims.sub,
    correlationId: claims.tctx.correlation_id,
    ticketId: claims.tctx.ticket_id ?? null,
    details: {
      txn: claims.txn,
      scope: claims.scope,
      holder: claims.req_wl,
      assurance: claims.rctx.assurance,
    },
  };
}
