import { type ErrorCode, type JsonValue, refuse } from '@deadlatch/kernel';
import type { MakeEvent } from '../audit-event.ts';
import type { TokenMinter } from '../sessions/mint-token.ts';
import { type AdoptContact, confirmedBy } from './adopt-contact.ts';
import type { CeremonyStore } from './ceremony.sql.ts';
import type { CommittedAnswer, Kept } from './pages.ts';
import { assertSettledByCode, type ProvenStepUp, type StepUpObject, subjectKindOf } from './prove-step-up.ts';
import { type CeremonySecrets, isCode } from './secrets.ts';

export type Decision = 'APPROVE' | 'DENY';

export type DecisionOutcome =
  | { readonly kind: 'committed'; readonly answer: CommittedAnswer }
  | { readonly kind: 'wrong-code'; readonly triesLeft: number }
  | { readonly kind: 'locked' };

export interface DecisionInput {
  readonly decision: Decision;
  readonly code: string;
  /** From the cookie; null when the browser sent none. */
  readonly browserHash: string | null;
  readonly csrf: string;
}

export type Decide = (stepUp: ProvenStepUp, input: DecisionInput) => Promise<DecisionOutcome>;

/** Sends the signed command. @throws DispatchError with dispatch-api's code */
export type SendDecision = (command: {
  readonly object: StepUpObject;
  /** Of the approval, or of the act. */
  readonly id: string;
  readonly decision: Decision;
  readonly actionDigest: string;
  readonly mintToken: () => string;
}) => Promise<JsonValue>;

/**
 * Checks the code and, when it fits, has dispatch-api decide.
 *
 * A try is counted, the code compared and consumed, and the grant used up in one transaction that holds the
 * approval's row, so concurrent tries queue up and the sixth finds nothing left.
 * @throws DispatchError `unauthenticated` for another browser or a forged form (costs no try: it cannot be a guess
 *   of whoever holds the mail); dispatch-api's refusal
 * @invariant a token is minted only after the code of exactly this action, browser and approval was consumed
 * @source T3.2, T3.4, T3.7, T3.9
 */
export function createDecider(options: {
  readonly store: CeremonyStore;
  readonly secrets: CeremonySecrets;
  readonly makeEvent: MakeEvent;
  readonly minter: TokenMinter;
  readonly sendDecision: SendDecision;
  readonly adoptContact: AdoptContact;
  /** Told of what could not be kept, for the log. */
  readonly onFailed: (error: unknown) => void;
}): Decide {
  const { store, secrets } = options;
  /** What was committed stays so, whatever becomes of the rest: the page says which. */
  const keep = async (answer: JsonValue, stepUp: ProvenStepUp): Promise<Kept> => {
    const fields = record(answer);
    const grant = fields.get('adopt_grant');
    if (typeof grant !== 'string') return { isKept: true, isShared: false };
    const contactId = record(fields.get('result')).get('contact_id');
    try {
      const id = typeof contactId === 'string' ? contactId : unreadable();
      return { isKept: true, ...(await options.adoptContact(grant, id, confirmedBy(stepUp))) };
    } catch (error) {
      options.onFailed(error);
      return { isKept: false, isShared: false };
    }
  };
  return async (stepUp, input) => {
    assertSettledByCode(stepUp);
    const { browserHash } = input;
    if (browserHash === null || !secrets.isCsrfToken(input.csrf, stepUp.approvalId, browserHash)) {
      return refuse('unauthenticated', { detail: 'form of another browser' });
    }
    const binding = {
      tenantId: stepUp.grant.tenant,
      approvalId: stepUp.approvalId,
      actionDigest: stepUp.actionDigest,
      browserHash,
    };
    const event = (code: ErrorCode | null) =>
      options.makeEvent({
        act: 'code.try',
        code,
        subject: {
          kind: subjectKindOf(stepUp),
          id: stepUp.contactId,
          assurance: code === null ? 'L2' : 'L1',
        },
        resource: { kind: stepUp.object, id: stepUp.approvalId },
        details: { action_digest: stepUp.actionDigest, decision: input.decision },
        correlationId: stepUp.grant.correlation_id,
        request: null,
        requestId: null,
        ticketId: stepUp.grant.ticket,
      });
    const tried = await store.tryCode(
      {
        approvalId: stepUp.approvalId,
        contactId: stepUp.contactId,
        actionDigest: stepUp.actionDigest,
        browserHash,
        // Something that is no code by form has a digest that no code has: it still costs a try.
        codeHash: secrets.codeHash(binding, isCode(input.code) ? input.code : ''),
        grantId: stepUp.grant.jti,
        grantExpiresAtS: stepUp.grant.exp,
      },
      { accepted: event(null), rejected: event('code_rejected') },
    );
    if (tried.kind !== 'accepted') return tried;
    const answer = await options.sendDecision({
      object: stepUp.object,
      id: stepUp.approvalId,
      decision: input.decision,
      actionDigest: stepUp.actionDigest,
      mintToken: () => options.minter.forStepUp(stepUp.grant).token,
    });
    return { kind: 'committed', answer: { ...readCommitted(answer), ...(await keep(answer, stepUp)) } };
  };
}

/** Reads what is shown of a command's answer. @throws DispatchError `unavailable` when it is no such answer */
function readCommitted(answer: JsonValue): Omit<CommittedAnswer, keyof Kept> {
  const fields = record(answer);
  const eventId = fields.get('event_id');
  const ticket = fields.get('ticket');
  if (typeof eventId !== 'string') return unreadable();
  if (ticket === null) return { ticket: null, eventId };
  const row = record(ticket);
  const [reference, state, nteCents] = [row.get('reference'), row.get('state'), row.get('nte_cents')];
  if (typeof reference !== 'string' || typeof state !== 'string' || typeof nteCents !== 'number') {
    return unreadable();
  }
  return { ticket: { reference, state, nteCents }, eventId };
}

function record(value: JsonValue | undefined): ReadonlyMap<string, JsonValue> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unreadable();
  return new Map(Object.entries(value));
}

function unreadable(): never {
  return refuse('unavailable', { detail: 'answer of a decision' });
}
