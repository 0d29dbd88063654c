import { UUID_PATTERN } from '@deadlatch/catalogue';
import { CONTACT_DETAILS } from '@deadlatch/contact-details';
import { validator } from '@deadlatch/http';
import { type Clock, parseStrictJson } from '@deadlatch/kernel';
import { type Pool, type Tx, withTenant } from '@deadlatch/postgres';
import Type, { type Static } from 'typebox';
import { createEventWriter, type WriteEvent } from './audit-event.ts';
import { accountValuePlace } from './contacts/places.ts';
import { encryptValue } from './crypto/envelope.ts';
import { putAccountValue } from './enrol.sql.ts';
import { assertCompiles, assertMatchable, type KeepContact, keepContact, valueId } from './keep-contact.ts';
import { compileDictionary, VALUE_KINDS } from './masking/dictionary.ts';

const uuid = Type.String({ pattern: UUID_PATTERN });
const enrolment = Type.Object(
  {
    contacts: Type.Array(
      Type.Object(
        {
          contact_id: uuid,
          account_id: uuid,
          ...CONTACT_DETAILS,
          name: Type.String({ minLength: 1, maxLength: 200 }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 1_000 },
    ),
    account_values: Type.Array(
      Type.Object(
        {
          account_id: uuid,
          kind: Type.Enum([...VALUE_KINDS]),
          value: Type.String({ minLength: 1, maxLength: 400 }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 5_000 },
    ),
  },
  { additionalProperties: false },
);
type Enrolment = Static<typeof enrolment>;
type Contact = Enrolment['contacts'][number];
const readEnrolment = validator<Enrolment>(enrolment);

export interface EnrolOptions extends KeepContact {
  readonly pool: Pool;
  readonly environment: string;
  readonly now: Clock;
  readonly newId: () => string;
}

/**
 * Takes contacts' and accounts' data in clear and keeps it encrypted; a value that changed takes the place of the
 * old one. The same input again changes nothing.
 * @param input bytes of `{contacts: [{contact_id, account_id, name, phone?, email?}], account_values: [{account_id, kind, value}]}`
 * @returns how many values are new
 * @throws DispatchError `malformed_body`, `schema_mismatch` (also for a number that is none or a value that could
 *   never be matched); `invalid_state` for a contact that was erased
 * @invariant all of it in one transaction, with one event per contact whose data changed
 */
export async function enrol(input: Uint8Array, options: EnrolOptions): Promise<number> {
  const { contacts, account_values: accountValues } = readEnrolment(parseStrictJson(input));
  for (const contact of contacts) assertMatchable(contact);
  for (const { kind, value } of accountValues) assertCompiles(() => compileDictionary([{ kind, value }]));
  const writeEvent = createEventWriter(options);
  const correlationId = options.newId();
  return withTenant(options.pool, options.tenantId, async (tx) => {
    let stored = 0;
    for (const contact of contacts)
      stored += await enrolContact(tx, contact, options, writeEvent, correlationId);
    for (const value of accountValues) stored += await enrolAccountValue(tx, value, options);
    return stored;
  });
}

async function enrolContact(
  tx: Tx,
  contact: Contact,
  options: EnrolOptions,
  writeEvent: WriteEvent,
  correlationId: string,
): Promise<number> {
  const changed = await keepContact(tx, contact, options);
  if (changed.length > 0) {
    await writeEvent(tx, {
      act: 'contact.enrol',
      code: null,
      resource: { kind: 'contact', id: contact.contact_id },
      details: { fields: [...changed] },
      correlationId,
      request: null,
      requestId: null,
    });
  }
  return changed.length;
}

async function enrolAccountValue(
  tx: Tx,
  { account_id: accountId, kind, value }: Enrolment['account_values'][number],
  options: EnrolOptions,
): Promise<number> {
  const { tenantId, keyWrapper, random } = options;
  const id = valueId(options, [accountId, kind, value]);
  const dataKey = random(32);
  const place = accountValuePlace(tenantId, { id, account_id: accountId, kind });
  const isNew = await putAccountValue(tx, tenantId, {
    id,
    accountId,
    kind,
    wrappedKey: keyWrapper.wrap(dataKey),
    ciphertext: encryptValue(value, dataKey, place, random),
  });
  return isNew ? 1 : 0;
}
