import type { JsonValue } from '@deadlatch/kernel';
import { DispatchError, refuse } from '@deadlatch/kernel';
import type { IdentityEventInput, MakeEvent } from '../audit-event.ts';
import type { CeremonyStore } from './ceremony.sql.ts';
import type { SendCodeMail } from './code-mail.ts';
import { assertSettledByCode, type ProvenStepUp, subjectKindOf } from './prove-step-up.ts';
import type { CeremonySecrets } from './secrets.ts';

/** Shows a grant to the vault and answers the fields it released. */
export type Reveal = (grant: string) => Promise<JsonValue>;

export interface SentCode {
  /** Value for the browser's cookie: what the code is bound to. */
  readonly browserSecret: string;
}

export type SendCode = (stepUp: ProvenStepUp) => Promise<SentCode>;

/**
 * Draws a code for one action and one browser and mails it to the address on file.
 *
 * Intent, act, outcome: the code's row commits before the address is revealed, so every reveal and every mail has
 * its event and counts against the limits, whatever fails afterwards.
 * @throws DispatchError `assurance_required` when a code is not enough; `code_rejected` when the approval is
 *   locked; `rate_limited`; `not_eligible` without a commitment on file; `code_rejected`, locked for good, when the
 *   vault answers with an address that is not the one on file; `unavailable`
 * @invariant a code goes to no address but the one that was committed to at enrolment
 * @source T3.7, T3.9, T4.8
 */
export function createCodeSender(options: {
  readonly store: CeremonyStore;
  readonly secrets: CeremonySecrets;
  readonly makeEvent: MakeEvent;
  readonly newId: () => string;
  readonly reveal: Reveal;
  readonly sendMail: SendCodeMail;
  readonly pageOrigin: string;
}): SendCode {
  const { store, secrets } = options;
  return async (stepUp) => {
    assertSettledByCode(stepUp);
    const browser = secrets.newBrowserSecret();
    const binding = {
      tenantId: stepUp.grant.tenant,
      approvalId: stepUp.approvalId,
      actionDigest: stepUp.actionDigest,
      browserHash: browser.hash,
    };
    const { code, hash } = secrets.newCode(binding);
    const event = (refusal: IdentityEventInput['code']) =>
      options.makeEvent({
        act: 'code.send',
        code: refusal,
        subject: { kind: subjectKindOf(stepUp), id: stepUp.contactId, assurance: 'L1' },
        resource: { kind: stepUp.object, id: stepUp.approvalId },
        details: { action_digest: stepUp.actionDigest, channel: 'email' },
        correlationId: stepUp.grant.correlation_id,
        request: null,
        requestId: null,
        ticketId: stepUp.grant.ticket,
      });
    const outcome = await store.openStepUp(
      {
        id: options.newId(),
        approvalId: stepUp.approvalId,
        contactId: stepUp.contactId,
        actionDigest: stepUp.actionDigest,
        browserHash: browser.hash,
        codeHash: hash,
      },
      {
        sent: event(null),
        locked: event('code_rejected'),
        tooMany: event('rate_limited'),
        noAddress: event('not_eligible'),
      },
    );
    if (outcome.kind !== 'opened') return refuse(outcome.code, { detail: `code: ${outcome.kind}` });

    const email = emailOf(await options.reveal(stepUp.revealGrant));
    if (secrets.addressCommitment('email', email) !== outcome.commitment) {
      await store.lock(stepUp.approvalId, event('code_rejected'));
      refuse('code_rejected', { detail: 'vault answered with an address that is not on file' });
    }
    await options.sendMail({ to: email, code, view: stepUp.view, pageOrigin: options.pageOrigin });
    return { browserSecret: browser.secret };
  };
}

/** Reads `{fields:{email}}`. @throws DispatchError `unavailable` for anything else */
function emailOf(answer: JsonValue): string {
  const fields = member(answer, 'fields');
  const email = fields === undefined ? undefined : member(fields, 'email');
  if (typeof email !== 'string' || !/^[^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,190}$/.test(email)) {
    throw new DispatchError('unavailable', { detail: 'vault answered without an address' });
  }
  return email;
}

function member(value: JsonValue, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
