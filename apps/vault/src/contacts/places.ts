import type { Place } from '../crypto/envelope.ts';

/** Where each kind of ciphertext lives. Both sides use these, so writer and reader cannot disagree. */
export function contactValuePlace(
  tenantId: string,
  row: {
    readonly id: string;
    readonly subject_id: string;
    readonly kind: string;
    readonly key_version: number;
  },
): Place {
  return {
    table: `values.${row.kind}`,
    column: 'ciphertext',
    tenantId,
    subjectId: row.subject_id,
    rowId: row.id,
    version: row.key_version,
  };
}

export function accountValuePlace(
  tenantId: string,
  row: { readonly id: string; readonly account_id: string; readonly kind: string },
): Place {
  return {
    table: `account_values.${row.kind}`,
    column: 'ciphertext',
    tenantId,
    subjectId: row.account_id,
    rowId: row.id,
    version: 1,
  };
}

/** @param subjectId the contact whose key it is, or the text itself where the text has a key of its own */
export function textPlace(tenantId: string, subjectId: string, textId: string, version: number): Place {
  return { table: 'texts', column: 'ciphertext', tenantId, subjectId, rowId: textId, version };
}

export function placeholderPlace(text: Place, placeholder: string): Place {
  return { ...text, table: 'text_placeholders', rowId: `${text.rowId}/${placeholder}` };
}
