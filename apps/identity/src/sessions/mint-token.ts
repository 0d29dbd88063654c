import {
  type Assurance,
  assuranceRank,
  CEILINGS,
  type ServiceName,
  SUBJECT_KINDS,
  type SubjectKind,
  spiffeId,
} from '@deadlatch/catalogue';
import { type Clock, refuse } from '@deadlatch/kernel';
import {
  mintTxnToken,
  type ServiceKeyPair,
  type StepUpGrant,
  type TurnGrant,
  TXN_TOKEN_LIFETIME_S,
  type TxnClaims,
} from '@deadlatch/signing';

/** A token lives at most this long. @source design 02, transaction tokens */
export const TOKEN_LIFETIME_S = TXN_TOKEN_LIFETIME_S;

/** Who may ask for which kind of token at all. */
export const SESSION_CALLERS: readonly ServiceName[] = ['web', 'cli'];
export const TURN_CALLERS: readonly ServiceName[] = ['tool-bridge'];

export interface SessionSubject {
  readonly tenantId: string;
  /** `<kind>:<uuid>` */
  readonly subject: string;
  readonly assurance: Assurance;
}

export interface MintedToken {
  readonly token: string;
  /** Seconds since the epoch. */
  readonly expiresAtS: number;
  readonly claims: TxnClaims;
}

export interface TokenMinter {
  forSession(caller: ServiceName, session: SessionSubject, correlationId: string): MintedToken;
  forTurn(caller: ServiceName, grant: TurnGrant): MintedToken;
  forStepUp(grant: StepUpGrant): MintedToken;
}

/**
 * The one place where tokens are minted: from a session, a turn grant or a completed step-up, and from nothing else.
 * @param key identity's token key as it is now, used for nothing else
 * @param newId mints the token's `txn`
 * @invariant the token names the service that asked (`req_wl`), and no subject kind or assurance above that
 *   service's compiled ceiling; nothing in it comes from the caller except the correlation id
 * @source T4.5, T4.8, A.2; RFC 8693 section 4.1 for `act`
 */
export function createTokenMinter(options: {
  readonly key: () => ServiceKeyPair;
  readonly environment: string;
  readonly now: Clock;
  readonly newId: () => string;
}): TokenMinter {
  const { environment } = options;
  const mint = (
    caller: ServiceName,
    expiresAtS: number,
    claims: Omit<TxnClaims, 'iss' | 'aud' | 'iat' | 'exp' | 'txn' | 'req_wl'>,
  ): MintedToken => {
    const iat = Math.floor(options.now() / 1000);
    const exp = Math.min(iat + TOKEN_LIFETIME_S, expiresAtS);
    if (exp <= iat) refuse('unauthenticated', { detail: 'grant or session is over' });
    const whole: TxnClaims = {
      iss: spiffeId(environment, 'identity'),
      aud: spiffeId(environment, 'dispatch-api'),
      iat,
      exp,
      txn: options.newId(),
      req_wl: spiffeId(environment, caller),
      ...claims,
    };
    return { token: mintTxnToken(whole, options.key()), expiresAtS: exp, claims: whole };
  };
  return {
    forSession: (caller, session, correlationId) => {
      listed(caller, SESSION_CALLERS);
      withinCeiling(caller, subjectKind(session.subject), 'L0');
      return mint(caller, Number.MAX_SAFE_INTEGER, {
        tenant: session.tenantId,
        sub: session.subject,
        scope: 'person',
        tctx: { correlation_id: correlationId },
        rctx: {
          channel: 'web',
          assurance: lower(session.assurance, CEILINGS[caller].upTo),
          amr: ['sign-in-link'],
        },
      });
    },
    forTurn: (caller, grant) => {
      listed(caller, TURN_CALLERS);
      withinCeiling(caller, subjectKind(grant.subject), grant.assurance);
      return mint(caller, grant.exp, {
        tenant: grant.tenant,
        sub: grant.subject,
        scope: 'turn',
        act: { role: grant.agent_role, turn: grant.turn },
        tctx: {
          correlation_id: grant.correlation_id,
          conversation_id: grant.conversation,
          ...(grant.ticket === null ? {} : { ticket_id: grant.ticket }),
        },
        rctx: { channel: 'agent', assurance: grant.assurance, amr: ['turn-grant'] },
      });
    },
    forStepUp: (grant) => {
      const kind = grant.object === 'act' ? 'staff' : 'contact';
      withinCeiling('identity', kind, 'L2');
      // The ceremony that ran was link plus code; a grant that asks for more cannot be satisfied by it.
      if (assuranceRank(grant.level) > assuranceRank('L2')) {
        refuse('assurance_required', { detail: 'step-up grant wants more than a code' });
      }
      return mint('identity', grant.exp, {
        tenant: grant.tenant,
        sub: `${kind}:${grant.contact}`,
        scope: 'step-up',
        tctx: {
          correlation_id: grant.correlation_id,
          ...(grant.ticket === null ? {} : { ticket_id: grant.ticket }),
          action_digest: grant.action_digest,
        },
        rctx: { channel: 'web', assurance: 'L2', amr: ['sms-link', 'email-code'] },
      });
    },
  };
}

/** Refuses a subject kind or an assurance that the service may never carry. @throws DispatchError `above_ceiling` */
function withinCeiling(caller: ServiceName, kind: SubjectKind, assurance: Assurance): void {
  const ceiling = CEILINGS[caller];
  if (!ceiling.subjects.includes(kind) || assuranceRank(assurance) > assuranceRank(ceiling.upTo)) {
    refuse('above_ceiling', { detail: 'mint' });
  }
}

/** @throws DispatchError `above_ceiling` when this service never gets such tokens */
function listed(caller: ServiceName, callers: readonly ServiceName[]): void {
  if (!callers.includes(caller)) refuse('above_ceiling', { detail: 'caller gets no such token' });
}

function lower(one: Assurance, other: Assurance): Assurance {
  return assuranceRank(one) <= assuranceRank(other) ? one : other;
}

/** The kind in `kind:uuid`. @throws DispatchError `unauthenticated` */
export function subjectKind(subject: string): SubjectKind {
  const kind = SUBJECT_KINDS.find((known) => subject.startsWith(`${known}:`));
  return kind ?? refuse('unauthenticated', { detail: 'subject of unknown kind' });
}
