import { UUID_PATTERN } from '@deadlatch/catalogue';
import { validator } from '@deadlatch/http';
import { type Clock, parseStrictJson, refuse } from '@deadlatch/kernel';
import { type Pool, sql, type Tx, withTenant } from '@deadlatch/postgres';
import Type, { type Static } from 'typebox';
import type { CeremonySecrets } from './approval/secrets.ts';
import { insertEvent } from './audit-event.sql.ts';
import { createEventMaker } from './audit-event.ts';

const enrolment = Type.Object(
  {
    commitments: Type.Array(
      Type.Object(
        {
          tenant_id: Type.String({ pattern: UUID_PATTERN }),
          contact_id: Type.String({ pattern: UUID_PATTERN }),
          kind: Type.Enum(['email', 'phone']),
          value: Type.String({ minLength: 3, maxLength: 254 }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 1_000 },
    ),
  },
  { additionalProperties: false },
);
const readEnrolment = validator<Static<typeof enrolment>>(enrolment);

/**
 * Takes the addresses on file and keeps nothing of them but a keyed commitment each, with one event per contact
 * address. An address that is on file already is replaced.
 * @param input bytes of `{commitments: [{tenant_id, contact_id, kind, value}]}`
 * @returns how many commitments are stored
 * @throws DispatchError `malformed_body`, `schema_mismatch`, `not_found` for a foreign tenant
 * @invariant no address is stored, logged or put into an event
 * @source T3.7
 */
export async function enrolAddresses(
  input: Uint8Array,
  options: {
    readonly pool: Pool;
    readonly secrets: Pick<CeremonySecrets, 'addressCommitment'>;
    readonly environment: string;
    readonly tenantId: string;
    readonly now: Clock;
    readonly newId: () => string;
  },
): Promise<number> {
  const { tenantId } = options;
  const makeEvent = createEventMaker(options);
  const rows = readEnrolment(parseStrictJson(input)).commitments.map((entry) => {
    if (entry.tenant_id !== tenantId) refuse('not_found', { detail: 'commitment of another tenant' });
    const { kind, value, contact_id: contactId } = entry;
    return { contactId, kind, commitment: options.secrets.addressCommitment(kind, value) };
  });
  const correlationId = options.newId();
  await withTenant(options.pool, tenantId, async (tx) => {
    for (const { contactId, kind, commitment } of rows) {
      await putCommitment(tx, tenantId, { contactId, kind, commitment });
      const event = makeEvent({
        act: 'address.commit',
        code: null,
        subject: { kind: 'operator', id: null, assurance: 'L0' },
        resource: { kind: 'contact', id: contactId },
        details: { kind },
        correlationId,
        request: null,
        requestId: null,
        ticketId: null,
      });
      await insertEvent(tx, tenantId, event);
    }
  });
  return rows.length;
}

export interface Commitment {
  readonly contactId: string;
  readonly kind: 'email' | 'phone';
  readonly commitment: string;
}

/** Puts the commitment of an address in the place of the one before. The event is the caller's. */
export async function putCommitment(tx: Tx, tenantId: string, of: Commitment): Promise<void> {
  await tx.run(sql`
    insert into identity.address_commitments (tenant_id, contact_id, kind, commitment)
    values (${tenantId}, ${of.contactId}, ${of.kind}, ${of.commitment})
    on conflict (tenant_id, contact_id, kind)
    do update set commitment = excluded.commitment, changed_at = now()`);
}
