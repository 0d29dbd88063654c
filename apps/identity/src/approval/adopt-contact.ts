import { type JsonValue, refuse } from '@deadlatch/kernel';
import { type Pool, withTenant } from '@deadlatch/postgres';
import { insertEvent } from '../audit-event.sql.ts';
import type { MakeEvent } from '../audit-event.ts';
import { putCommitment } from '../enrol-addresses.ts';
import { type ProvenStepUp, subjectKindOf } from './prove-step-up.ts';
import type { CeremonySecrets } from './secrets.ts';

/** Whose yes it was, and to what. */
export interface ConfirmedBy {
  readonly subject: { readonly kind: 'contact' | 'staff'; readonly id: string };
  readonly actId: string;
  readonly correlationId: string;
}

/**
 * Has a contact's new data kept, by a grant for exactly this.
 * @returns whether the number or address is on file for somebody else too: then messages from there are nobody's
 */
export type AdoptContact = (
  grant: string,
  contactId: string,
  by: ConfirmedBy,
) => Promise<{ readonly isShared: boolean }>;

export function confirmedBy(stepUp: ProvenStepUp): ConfirmedBy {
  return {
    subject: { kind: subjectKindOf(stepUp), id: stepUp.contactId },
    actId: stepUp.approvalId,
    correlationId: stepUp.grant.correlation_id,
  };
}

/** Tells an address that it is a contact's no more. @throws DispatchError `unavailable` */
export type SendNotice = (to: string) => Promise<void>;

/**
 * After a contact was added or changed: the vault keeps what was typed, identity keeps a commitment of each address,
 * and the old address is told.
 * @throws DispatchError with the vault's code; `unavailable`
 * @invariant a code goes only to an address whose commitment was made when the change was confirmed
 * @source T3.6, T3.7
 */
export function createContactAdopter(options: {
  readonly pool: Pool;
  readonly tenantId: string;
  readonly secrets: Pick<CeremonySecrets, 'addressCommitment'>;
  readonly makeEvent: MakeEvent;
  /** `POST /v1/adoptions` of the vault. */
  readonly adopt: (grant: string) => Promise<JsonValue>;
  readonly sendNotice: SendNotice;
}): AdoptContact {
  const { pool, tenantId, secrets } = options;
  return async (grant, contactId, { subject, actId, correlationId }) => {
    const answer = membersOf(await options.adopt(grant));
    const fields = membersOf(answer.get('fields'));
    const addresses = (['phone', 'email'] as const).flatMap((kind) => {
      const value = fields.get(kind);
      return typeof value === 'string' ? [{ kind, commitment: secrets.addressCommitment(kind, value) }] : [];
    });
    await withTenant(pool, tenantId, async (tx) => {
      for (const { kind, commitment } of addresses) {
        await putCommitment(tx, tenantId, { contactId, kind, commitment });
        const event = options.makeEvent({
          act: 'address.commit',
          code: null,
          subject: { ...subject, assurance: 'L2' },
          resource: { kind: 'contact', id: contactId },
          details: { kind, act_id: actId },
          correlationId,
          request: null,
          requestId: null,
          ticketId: null,
        });
        await insertEvent(tx, tenantId, event);
      }
    });
    const before = membersOf(answer.get('before')).get('email');
    // Kept for the second time, the address before is the new one.
    if (typeof before === 'string' && before !== fields.get('email')) await options.sendNotice(before);
    return { isShared: answer.get('is_shared') === true };
  };
}

function membersOf(value: JsonValue | undefined): ReadonlyMap<string, JsonValue> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse('unavailable', { detail: 'answer of an adoption' });
  }
  return new Map(Object.entries(value));
}
