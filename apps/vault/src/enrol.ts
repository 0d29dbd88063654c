import { UUID_PATTERN } from '@deadlatch/catalogue';
import { validator } from '@deadlatch/http';
import { type Clock, derivedUuid, parseStrictJson, refuse } from '@deadlatch/kernel';
import { type Pool, type Tx, withTenant } from '@deadlatch/postgres';
import Type, { type Static } from 'typebox';
import { createEventWriter, type WriteEvent } from './audit-event.ts';
import type { ContactField } from './contacts/contacts.sql.ts';
import { toE164 } from './contacts/phone-number.ts';
import { accountValuePlace, contactValuePlace } from './contacts/places.ts';
import { encryptValue } from './crypto/envelope.ts';
import type { KeyWrapper } from './crypto/key-wrapper.ts';
import type { KeyedDigests } from './crypto/keyed-digests.ts';
import { openSubject, putAccountValue, putContactAccount, putContactValue } from './enrol.sql.ts';
import { compileDictionary, VALUE_KINDS } from './masking/dictionary.ts';

const uuid = Type.String({ pattern: UUID_PATTERN });
const enrolment = Type.Object(
  {
    contacts: Type.Array(
      Type.Object(
        {
          contact_id: uuid,
          account_id: uuid,
          name: Type.String({ minLength: 1, maxLength: 200 }),
          phone: Type.Optional(Type.String({ minLength: 5, maxLength: 40 })),
          email: Type.Optional(Type.String({ pattern: '^[^@\\s]{1,64}@[^@\\s]{1,253}$', maxLength: 254 })),
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

export interface EnrolOptions {
  readonly pool: Pool;
  readonly environment: string;
  readonly tenantId: string;
  readonly keyWrapper: KeyWrapper;
  readonly digests: KeyedDigests;
  readonly now: Clock;
  readonly newId: () => string;
  readonly random: (n: number) => Uint8Array;
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

/** A value the normaliser cannot read would withhold every message of the account. */
function assertMatchable(contact: Contact): void {
  assertCompiles(() =>
    compileDictionary([
      { kind: 'person', value: contact.name },
      ...(contact.email === undefined ? [] : [{ kind: 'email' as const, value: contact.email }]),
    ]),
  );
  if (contact.phone !== undefined && toE164(contact.phone) === null) {
    refuse('schema_mismatch', { detail: 'phone_number' });
  }
}

function assertCompiles(compile: () => unknown): void {
  try {
    compile();
  } catch {
    refuse('schema_mismatch', { detail: 'value_not_matchable' });
  }
}

async function enrolContact(
  tx: Tx,
  contact: Contact,
  options: EnrolOptions,
  writeEvent: WriteEvent,
  correlationId: string,
): Promise<number> {
  const { tenantId, keyWrapper, random } = options;
  const subject = await openSubject(tx, tenantId, contact.contact_id, keyWrapper.wrap(random(32)));
  if (subject === null) return refuse('invalid_state', { detail: 'contact_erased' });
  await putContactAccount(tx, tenantId, contact.contact_id, contact.account_id);
  const dataKey = keyWrapper.unwrap(subject.wrapped_key);
  const changed: ContactField[] = [];
  for (const [kind, value] of fieldsOf(contact)) {
    // The same value of the same contact has the same id, which is what makes enrolling twice harmless.
    const id = valueId(options, [contact.contact_id, kind, value]);
    const place = contactValuePlace(tenantId, {
      id,
      subject_id: contact.contact_id,
      kind,
      key_version: subject.key_version,
    });
    const isNew = await putContactValue(tx, tenantId, contact.contact_id, {
      id,
      kind,
      ciphertext: encryptValue(value, dataKey, place, random),
      blindIndex: blindIndexOf(kind, value, options),
    });
    if (isNew) changed.push(kind);
  }
  if (changed.length > 0) {
    await writeEvent(tx, {
      act: 'contact.enrol',
      code: null,
      resource: { kind: 'contact', id: contact.contact_id },
      details: { fields: changed },
      correlationId,
      request: null,
      requestId: null,
    });
  }
  return changed.length;
}

/** Addresses can be looked up, names cannot. The domain of an e-mail address has no case, and hardly any local part. */
function blindIndexOf(kind: ContactField, value: string, { digests, tenantId }: EnrolOptions): string | null {
  if (kind === 'phone') return digests.addressIndex(tenantId, kind, value);
  return kind === 'email' ? digests.addressIndex(tenantId, kind, value.toLowerCase()) : null;
}

/** Numbers in the one form they are looked up and dialled by; the rest as it was given. */
function fieldsOf(contact: Contact): readonly (readonly [ContactField, string])[] {
  const fields: [ContactField, string][] = [['name', contact.name]];
  if (contact.phone !== undefined) fields.push(['phone', toE164(contact.phone) ?? contact.phone]);
  if (contact.email !== undefined) fields.push(['email', contact.email]);
  return fields;
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

/** Keyed, so that an id gives nobody a way to test guesses. */
function valueId({ digests, tenantId }: EnrolOptions, parts: readonly string[]): string {
  return derivedUuid(digests.commitment(tenantId, 'value-id', JSON.stringify(parts)));
}
