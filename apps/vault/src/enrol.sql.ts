import { sql, type Tx } from '@deadlatch/postgres';
import type { ContactField } from './contacts/contacts.sql.ts';

/**
 * Locks the contact, making it first when it is new.
 * @param wrappedKey used only when the contact is new
 * @returns the key in force; null when the contact was erased, and an erased person does not come back this way
 */
export async function openSubject(
  tx: Tx,
  tenantId: string,
  contactId: string,
  wrappedKey: Uint8Array,
): Promise<{ readonly wrapped_key: Buffer; readonly key_version: number } | null> {
  await tx.run(sql`
    insert into vault.subjects (tenant_id, id, wrapped_key)
    values (${tenantId}, ${contactId}, ${Buffer.from(wrappedKey)})
    on conflict (tenant_id, id) do nothing`);
  return tx.one(sql`
    select wrapped_key, key_version from vault.subjects
     where tenant_id = ${tenantId} and id = ${contactId} and wrapped_key is not null
       for update`);
}

export interface NewContactValue {
  readonly id: string;
  readonly kind: ContactField;
  readonly ciphertext: Uint8Array;
  readonly blindIndex: string | null;
}

/** Puts a value in the place of the contact's other values of its kind. @returns false when it was there already */
export async function putContactValue(
  tx: Tx,
  tenantId: string,
  contactId: string,
  value: NewContactValue,
): Promise<boolean> {
  await tx.run(sql`
    delete from vault.values
     where tenant_id = ${tenantId} and subject_id = ${contactId} and kind = ${value.kind} and id <> ${value.id}`);
  const inserted = await tx.run(sql`
    insert into vault.values (tenant_id, id, subject_id, kind, ciphertext, blind_index)
    values (${tenantId}, ${value.id}, ${contactId}, ${value.kind}, ${Buffer.from(value.ciphertext)},
            ${value.blindIndex})
    on conflict (tenant_id, id) do nothing`);
  return inserted === 1;
}

export async function putContactAccount(
  tx: Tx,
  tenantId: string,
  contactId: string,
  accountId: string,
): Promise<void> {
  await tx.run(sql`
    insert into vault.contact_accounts (tenant_id, contact_id, account_id)
    values (${tenantId}, ${contactId}, ${accountId})
    on conflict do nothing`);
}

/** @returns false when it was there already */
export async function putAccountValue(
  tx: Tx,
  tenantId: string,
  value: {
    readonly id: string;
    readonly accountId: string;
    readonly kind: string;
    readonly wrappedKey: Uint8Array;
    readonly ciphertext: Uint8Array;
  },
): Promise<boolean> {
  const inserted = await tx.run(sql`
    insert into vault.account_values (tenant_id, id, account_id, kind, wrapped_key, ciphertext)
    values (${tenantId}, ${value.id}, ${value.accountId}, ${value.kind}, ${Buffer.from(value.wrappedKey)},
            ${Buffer.from(value.ciphertext)})
    on conflict (tenant_id, id) do nothing`);
  return inserted === 1;
}
