import { sql, type Tx } from '@deadlatch/postgres';

export interface TextRow {
  readonly id: string;
  /** Null: the text has a key of its own. */
  readonly subjectId: string | null;
  readonly wrappedKey: Uint8Array | null;
  readonly ciphertext: Uint8Array;
  readonly commitment: string;
}

/** @returns false when a text with this id exists already */
export async function insertText(tx: Tx, tenantId: string, text: TextRow): Promise<boolean> {
  const inserted = await tx.run(sql`
    insert into vault.texts (tenant_id, id, subject_id, wrapped_key, ciphertext, commitment)
    values (${tenantId}, ${text.id}, ${text.subjectId}, ${bytesOrNull(text.wrappedKey)},
            ${Buffer.from(text.ciphertext)}, ${text.commitment})
    on conflict (tenant_id, id) do nothing`);
  return inserted === 1;
}

export async function readCommitment(tx: Tx, tenantId: string, textId: string): Promise<string | null> {
  const row = await tx.one<{ commitment: string }>(sql`
    select commitment from vault.texts where tenant_id = ${tenantId} and id = ${textId}`);
  return row?.commitment ?? null;
}

/** Texts of these ids that have a key of their own: words that are no contact's yet. */
export async function readOwnTexts(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<readonly { readonly id: string; readonly wrapped_key: Buffer; readonly ciphertext: Buffer }[]> {
  return tx.query(sql`
    select id, wrapped_key, ciphertext from vault.texts
     where tenant_id = ${tenantId} and id = any(${[...ids]}::uuid[]) and subject_id is null
       and wrapped_key is not null`);
}

export interface PlaceholderRow {
  readonly placeholder: string;
  readonly ciphertext: Uint8Array;
  readonly blindIndex: string;
}

export async function insertPlaceholders(
  tx: Tx,
  tenantId: string,
  textId: string,
  rows: readonly PlaceholderRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(sql`
    insert into vault.text_placeholders (tenant_id, text_id, placeholder, ciphertext, blind_index)
    select ${tenantId}::uuid, ${textId}::uuid, p.placeholder, p.ciphertext, p.blind_index
      from unnest(${rows.map((row) => row.placeholder)}::text[],
                  ${rows.map((row) => Buffer.from(row.ciphertext))}::bytea[],
                  ${rows.map((row) => row.blindIndex)}::text[]) as p (placeholder, ciphertext, blind_index)`);
}

/** Every placeholder given out in the case of a contact. */
export async function readPlaceholders(
  tx: Tx,
  tenantId: string,
  contactId: string,
): Promise<readonly { readonly placeholder: string; readonly blind_index: string }[]> {
  return tx.query(sql`
    select distinct p.placeholder, p.blind_index
      from vault.text_placeholders p join vault.texts t on t.tenant_id = p.tenant_id and t.id = p.text_id
     where p.tenant_id = ${tenantId} and t.subject_id = ${contactId} and p.blind_index is not null`);
}

function bytesOrNull(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
