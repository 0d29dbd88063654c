import {
  type Assurance,
  CEILINGS,
  SERVICES,
  type ServiceName,
  SUBJECT_KINDS,
  type SubjectKind,
} from '@deadlatch/catalogue';
import type { Caller } from '@deadlatch/decision';
import { refuse } from '@deadlatch/kernel';
import type { TxnClaims, VerifiedRequest } from '@deadlatch/signing';

/** What a request proved about itself before anything was read from the database. */
export interface Proven {
  readonly request: VerifiedRequest;
  readonly caller: Caller;
  /** `txn` of the user token; null for calls without one. */
  readonly tokenId: string | null;
  /** What our answer names the request by. */
  readonly requestId: string;
}

/**
 * Turns a verified request and its verified token into a caller.
 *
 * Whether the signing service may claim such a subject or assurance is for the decision: that refusal is audited.
 * @param tenantId the tenant of calls without a user token
 * @param correlationId the correlation of calls without a user token
 * @throws DispatchError `unauthenticated`
 */
export function provenCaller(
  request: VerifiedRequest,
  claims: TxnClaims | null,
  tenantId: string,
  correlationId: string,
  requestId: string,
): Proven {
  const service = knownService(request.service);
  if (claims === null) {
    // Reads without a user name their one service themselves; a command without one is for whoever has no users, or
    // for the secret of a link in its body.
    const { byLink = [], withoutToken } = CEILINGS[service];
    const isByLink = request.shape.write && !withoutToken && byLink.length > 0;
    const mayGoWithout = !request.shape.write || withoutToken || isByLink;
    if (!mayGoWithout) return refuse('unauthenticated', { detail: 'user_token_missing' });
    const caller = serviceCaller(service, tenantId, correlationId);
    return { request, caller: isByLink ? asLink(caller) : caller, tokenId: null, requestId };
  }
  return {
    request,
    requestId,
    tokenId: claims.txn,
    caller: {
      tenantId: claims.tenant,
      service,
      subject: readSubject(claims.sub),
      assurance: claims.rctx.assurance,
      agent: claims.act ? { role: claims.act.role, turnId: claims.act.turn } : null,
      scope: claims.scope,
      context: {
        correlationId: claims.tctx.correlation_id,
        conversationId: claims.tctx.conversation_id ?? null,
        ticketId: claims.tctx.ticket_id ?? null,
        actionDigest: claims.tctx.action_digest ?? null,
      },
    },
  };
}

/** A call without a user: the service's ceiling is its whole authority. */
function serviceCaller(service: ServiceName, tenantId: string, correlationId: string): Caller {
  const kind: SubjectKind = service === 'worker' ? 'system' : 'unknown_sender';
  const assurance: Assurance = CEILINGS[service].upTo;
  return {
    tenantId,
    service,
    subject: { kind, id: null },
    assurance,
    agent: null,
    scope: 'service',
    context: { correlationId, conversationId: null, ticketId: null, actionDigest: null },
  };
}

/** Nobody, who may know a secret: which commands that is good for, the ceiling says. */
function asLink(caller: Caller): Caller {
  return { ...caller, subject: { kind: 'link', id: null }, scope: 'link' };
}

function knownService(name: string): ServiceName {
  return SERVICES.find((s) => s === name) ?? refuse('unauthenticated', { detail: 'unknown_service' });
}

/** `kind:uuid`, whose form the token's claim check has proven. */
function readSubject(sub: string): { kind: SubjectKind; id: string } {
  const at = sub.indexOf(':');
  const kind = SUBJECT_KINDS.find((k) => k === sub.slice(0, at));
  return kind ? { kind, id: sub.slice(at + 1) } : refuse('unauthenticated', { detail: 'subject_malformed' });
}
