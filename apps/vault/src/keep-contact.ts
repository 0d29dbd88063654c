import { type ContactDetails, contactDetails, toE164 } from '@deadlatch/contact-details';
import { validator } from '@deadlatch/http';
import { derivedUuid, refuse } from '@deadlatch/kernel';
import type { Tx } from '@deadlatch/postgres';
import type { ContactField } from './contacts/contacts.sql.ts';
import { contactValuePlace } from './contacts/places.ts';
import { encryptValue } from './crypto/envelope.ts';
import type { KeyWrapper } from './crypto/key-wrapper.ts';
import type { KeyedDigests } from './crypto/keyed-digests.ts';
import { openSubject, putContactAccount, putContactValue } from './enrol.sql.ts';
import { compileDictionary } from './masking/dictionary.ts';

const readData = validator<ContactDetails>(contactDetails);

export interface KeptContact extends ContactDetails {
  readonly contact_id: string;
  readonly account_id: string;
}

export interface KeepContact {
  readonly tenantId: string;
  readonly keyWrapper: KeyWrapper;
  readonly digests: KeyedDigests;
  readonly random: (n: number) => Uint8Array;
}

/** Data of a person with the number in the one form it is looked up by. @throws DispatchError `schema_mismatch` */
export function readContactDetails(value: object): ContactDetails {
  const data = readData(value);
  assertMatchable(data);
  const { phone } = data;
  return phone === undefined ? data : { ...data, phone: toE164(phone) ?? phone };
}

/** A value the normaliser cannot read would withhold every message of the account. */
export function assertMatchable(contact: ContactDetails): void {
  assertCompiles(() =>
    compileDictionary([
      ...(contact.name === undefined ? [] : [{ kind: 'person' as const, value: contact.name }]),
      ...(contact.email === undefined ? [] : [{ kind: 'email' as const, value: contact.email }]),
    ]),
  );
  if (contact.phone !== undefined && toE164(contact.phone) === null) {
    refuse('schema_mismatch', { detail: 'phone_number' });
  }
}

/** @throws DispatchError `schema_mismatch` when a value could never be matched */
export function assertCompiles(compile: () => unknown): void {
  try {
    compile();
  } catch {
    refuse('schema_mismatch', { detail: 'value_not_matchable' });
  }
}

/**
 * Keeps a contact's data encrypted; a value that changed takes the place of the old one. The same again changes nothing.
 * @returns the fields that are new
 * @throws DispatchError `invalid_state` for a contact that was erased
 */
export async function keepContact(
  tx: Tx,
  contact: KeptContact,
  options: KeepContact,
): Promise<readonly ContactField[]> {
  const { tenantId, keyWrapper, random } = options;
  const subject = await openSubject(tx, tenantId, contact.contact_id, keyWrapper.wrap(random(32)));
  if (subject === null) return refuse('invalid_state', { detail: 'contact_erased' });
  await putContactAccount(tx, tenantId, contact.contact_id, contact.account_id);
  const dataKey = keyWrapper.unwrap(subject.wrapped_key);
  const changed: ContactField[] = [];
  for (const [kind, value] of fieldsOf(contact)) {
    // The same value of the same contact has the same id, which is what makes keeping it twice harmless.
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
  return changed;
}

/** Addresses can be looked up, names cannot. The domain of an e-mail address has no case, and hardly any local part. */
function blindIndexOf(kind: ContactField, value: string, { digests, tenantId }: KeepContact): string | null {
  if (kind === 'phone') return digests.addressIndex(tenantId, kind, value);
  return kind === 'email' ? digests.addressIndex(tenantId, kind, value.toLowerCase()) : null;
}

/** Numbers in the one form they are looked up and dialled by; the rest as it was given. */
function fieldsOf({ name, phone, email }: ContactDetails): readonly (readonly [ContactField, string])[] {
  const fields: [ContactField, string][] = [];
  if (name !== undefined) fields.push(['name', name]);
  if (phone !== undefined) fields.push(['phone', toE164(phone) ?? phone]);
  if (email !== undefined) fields.push(['email', email]);
  return fields;
}

/** Keyed, so that an id gives nobody a way to test guesses. */
export function valueId({ digests, tenantId }: KeepContact, parts: readonly string[]): string {
  return derivedUuid(digests.commitment(tenantId, 'value-id', JSON.stringify(parts)));
}
