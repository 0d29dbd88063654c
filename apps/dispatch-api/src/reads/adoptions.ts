import { type JsonValue, refuse } from '@deadlatch/kernel';
import type { GrantIssuer } from '../grants/issue-grants.ts';
import type { ActNow, ImportedContact } from './acts.sql.ts';

/** What was typed of one person, as the input of `contact.import` has it: handles of words in the vault. */
interface TypedRow {
  readonly slug: string;
  readonly name?: { readonly text_id: string };
  readonly phone?: { readonly text_id: string };
  readonly email?: { readonly text_id: string };
}

/**
 * A grant for each contact whom this act put on file and nobody has changed since, so that the vault keeps what was
 * typed of them. Made anew whenever it is asked for: keeping the same words twice changes nothing.
 * @throws DispatchError `not_found` for an act that put nobody on file in a batch, or has not been confirmed
 * @invariant a grant names exactly the handles that were confirmed for this contact; whoever was changed since gets
 *   none, so that no older number takes the place of a newer one
 * @source T3.6, T4.8
 */
export function presentAdoptions(
  { act, staff_id: staffId, correlation_id: correlationId }: ActNow,
  imported: readonly ImportedContact[],
  adopt: GrantIssuer['adopt'],
): JsonValue {
  const { account_id: accountId, contacts } = act.input;
  if (act.state !== 'CONSUMED' || act.command !== 'contact.import') return refuse('not_found');
  if (typeof accountId !== 'string' || !Array.isArray(contacts)) {
    return refuse('unavailable', { detail: 'input of an act' });
  }
  const typed = new Map((contacts as readonly TypedRow[]).map((row) => [row.slug, row]));
  return {
    act_id: act.id,
    staff_id: staffId,
    correlation_id: correlationId,
    contacts: imported.flatMap(({ contact_id: contactId, slug, is_as_imported: isAsImported }) => {
      const row = typed.get(slug);
      if (row === undefined || isAsImported !== true) return [];
      const words = {
        name: row.name?.text_id ?? null,
        phone: row.phone?.text_id ?? null,
        email: row.email?.text_id ?? null,
      };
      const grant = adopt(act.tenant_id, contactId, accountId, words, correlationId);
      return [{ contact_id: contactId, slug, adopt_grant: grant }];
    }),
  };
}
