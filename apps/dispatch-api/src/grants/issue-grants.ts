import type { AgentRole } from '@deadlatch/catalogue';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import type { ActRow, ApprovalRow, TurnRow } from '@deadlatch/decision';
import type { Clock, JsonValue } from '@deadlatch/kernel';
import { type ServiceKeyPair, signGrant } from '@deadlatch/signing';

const REVEAL_LIFETIME_S = 120;
const STEP_UP_LIFETIME_S = 900;
const ACTION_LIFETIME_S = 900;
const TURN_LIFETIME_S = 600;

/** Statements that `identity` and `vault` act on; the key behind them signs nothing else (T4.8). */
export interface GrantIssuer {
  /** @param traceparent of the command that opens the turn: whoever holds the grant stays in its trace */
  turn(turn: TurnRow, correlationId: string, traceparent: string | null): string;
  reveal(input: {
    tenantId: string;
    contactId: string;
    fields: readonly ('phone' | 'email')[];
    purpose: 'delivery' | 'code';
    ref: string;
    holder: ServiceName;
    correlationId: string;
  }): string;
  stepUp(approval: ApprovalRow, contactId: string, correlationId: string): string;
  /** As `stepUp`, for a member of staff who may confirm the act. */
  confirm(act: ActRow, staffId: string, correlationId: string): string;
  /** @param words handles in the vault, by what they become */
  adopt(
    tenantId: string,
    contactId: string,
    accountId: string,
    words: { readonly name: string | null; readonly phone: string | null; readonly email: string | null },
    correlationId: string,
  ): string;
  action(stated: Pick<ApprovalRow, 'id' | 'tenant_id' | 'action' | 'action_digest'>): string;
}

export function createGrantIssuer(options: {
  /** the grant key as it is now */
  readonly key: () => ServiceKeyPair;
  readonly environment: string;
  readonly now: Clock;
  readonly newId: () => string;
}): GrantIssuer {
  const { key, environment, now, newId } = options;
  const base = (audience: ServiceName, tenant: string, lifetimeS: number) => {
    const iat = Math.floor(now() / 1000);
    return {
      iss: spiffeId(environment, 'dispatch-api'),
      aud: spiffeId(environment, audience),
      iat,
      exp: iat + lifetimeS,
      jti: newId(),
      tenant,
    };
  };
  return {
    turn: (turn, correlationId, traceparent) =>
      signGrant(
        'turn',
        {
          ...base('identity', turn.tenant_id, TURN_LIFETIME_S),
          turn: turn.id,
          conversation: turn.conversation_id,
          message: turn.message_id,
          subject: `${turn.subject_kind}:${turn.subject_id}`,
          assurance: turn.assurance,
          agent_role: turn.agent_role as AgentRole,
          ticket: turn.ticket_id,
          correlation_id: correlationId,
          ...(traceparent !== null && { traceparent }),
        },
        key(),
      ),
    reveal: ({ tenantId, contactId, fields, purpose, ref, holder, correlationId }) =>
      signGrant(
        'reveal',
        {
          ...base('vault', tenantId, REVEAL_LIFETIME_S),
          contact: contactId,
          fields,
          purpose,
          ref,
          holder: spiffeId(environment, holder),
          correlation_id: correlationId,
        },
        key(),
      ),
    stepUp: (approval, contactId, correlationId) =>
      signGrant(
        'step-up',
        {
          ...base('identity', approval.tenant_id, STEP_UP_LIFETIME_S),
          approval: approval.id,
          contact: contactId,
          action_digest: approval.action_digest,
          level: approval.proof_assurance,
          correlation_id: correlationId,
          ticket: approval.ticket_id,
        },
        key(),
      ),
    confirm: (act, staffId, correlationId) =>
      signGrant(
        'step-up',
        {
          ...base('identity', act.tenant_id, STEP_UP_LIFETIME_S),
          approval: act.id,
          contact: staffId,
          action_digest: act.action_digest,
          level: act.proof_assurance,
          correlation_id: correlationId,
          ticket: null,
          object: 'act',
        },
        key(),
      ),
    adopt: (tenantId, contact, account, words, correlationId) =>
      signGrant(
        'adopt',
        {
          ...base('vault', tenantId, REVEAL_LIFETIME_S),
          contact,
          account,
          ...words,
          correlation_id: correlationId,
        },
        key(),
      ),
    action: (approval) =>
      signGrant(
        'action',
        {
          ...base('identity', approval.tenant_id, ACTION_LIFETIME_S),
          approval: approval.id,
          action: JSON.parse(approval.action) as { [key: string]: JsonValue },
          action_digest: approval.action_digest,
        },
        key(),
      ),
  };
}
