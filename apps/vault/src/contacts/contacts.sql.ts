import { sql, type Tx } from '@deadlatch/postgres';

/** Kinds of personal data kept per contact. */
export type ContactField = 'phone' | 'email' | 'name' | 'address';

export interface ContactValueRow {
  readonly id: string;
  readonly subject_id: string;
  readonly kind: ContactField;
  readonly ciphertext: Buffer;
  readonly wrapped_key: Buffer;
  readonly key_version: number;
}

export interface AccountValueRow {
  readonly id: string;
  readonly account_id: string;
  readonly kind: string;
  readonly ciphertext: Buffer;
  readonly wrapped_key: Buffer;
}

/** Up to two contacts who own an address: a second one is as good as a hundred, both mean doubt. */
export async function findOwners(tx: Tx, tenantId: string, blindIndex: string): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(sql`
    select distinct v.subject_id as id
      from vault.values v join vault.subjects s on s.tenant_id = v.tenant_id and s.id = v.subject_id
     where v.tenant_id = ${tenantId} and v.kind = 'phone' and v.blind_index = ${blindIndex}
       and s.erased_at is null
     limit 2`);
  return rows.map((row) => row.id);
}

/** Whether somebody else who is not erased has a number or e-mail address of this contact. */
export async function isShared(tx: Tx, tenantId: string, contactId: string): Promise<boolean> {
  const row = await tx.one<{ is_shared: boolean }>(sql`
    select exists (
      select 1 from vault.values mine
        join vault.values other on other.tenant_id = mine.tenant_id and other.kind = mine.kind
         and other.blind_index = mine.blind_index and other.subject_id <> mine.subject_id
        join vault.subjects s on s.tenant_id = other.tenant_id and s.id = other.subject_id
       where mine.tenant_id = ${tenantId} and mine.subject_id = ${contactId} and s.erased_at is null) as is_shared`);
  return row?.is_shared !== false;
}

/** The values of these kinds of one contact who is not erased. */
export async function readContactValues(
  tx: Tx,
  tenantId: string,
  contactId: string,
  kinds: readonly ContactField[],
): Promise<readonly ContactValueRow[]> {
  return tx.query<ContactValueRow>(sql`
    select v.id, v.subject_id, v.kind, v.ciphertext, s.wrapped_key, s.key_version
      from vault.values v join vault.subjects s on s.tenant_id = v.tenant_id and s.id = v.subject_id
     where v.tenant_id = ${tenantId} and v.subject_id = ${contactId} and v.kind = any(${[...kinds]}::text[])
       and s.wrapped_key is not null`);
}

/** Values of everybody in the accounts of this contact. */
export async function readNeighbourValues(
  tx: Tx,
  tenantId: string,
  contactId: string,
  limit: number,
): Promise<readonly ContactValueRow[]> {
  return tx.query<ContactValueRow>(sql`
    select v.id, v.subject_id, v.kind, v.ciphertext, s.wrapped_key, s.key_version
      from vault.values v join vault.subjects s on s.tenant_id = v.tenant_id and s.id = v.subject_id
     where v.tenant_id = ${tenantId} and s.wrapped_key is not null
       and v.subject_id in (
         select other.contact_id
           from vault.contact_accounts mine join vault.contact_accounts other
             on other.tenant_id = mine.tenant_id and other.account_id = mine.account_id
          where mine.tenant_id = ${tenantId} and mine.contact_id = ${contactId})
     limit ${limit}`);
}

/** Values of the accounts of this contact that are no person's. */
export async function readAccountValues(
  tx: Tx,
  tenantId: string,
  contactId: string,
  limit: number,
): Promise<readonly AccountValueRow[]> {
  return tx.query<AccountValueRow>(sql`
    select v.id, v.account_id, v.kind, v.ciphertext, v.wrapped_key
      from vault.account_values v join vault.contact_accounts mine
        on mine.tenant_id = v.tenant_id and mine.account_id = v.account_id
     where v.tenant_id = ${tenantId} and mine.contact_id = ${contactId} and v.wrapped_key is not null
     limit ${limit}`);
}

export async function countAccounts(tx: Tx, tenantId: string, contactId: string): Promise<number> {
  const row = await tx.one<{ accounts: number }>(sql`
    select count(*) as accounts from vault.contact_accounts
     where tenant_id = ${tenantId} and contact_id = ${contactId}`);
  return row?.accounts ?? 0;
}

/** The wrapped key of a contact; null when unknown or erased. Locks the row: one message of a contact at a time. */
export async function readSubjectKey(
  tx: Tx,
  tenantId: string,
  contactId: string,
): Promise<{ readonly wrapped_key: Buffer; readonly key_version: number } | null> {
  return tx.one(sql`
    select wrapped_key, key_version from vault.subjects
     where tenant_id = ${tenantId} and id = ${contactId} and wrapped_key is not null
       for update`);
}
