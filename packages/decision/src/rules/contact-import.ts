import { refuse } from '@deadlatch/kernel';
import { asked, directoryOf } from '../act.ts';
import type { BatchFacts } from '../directory-rows.ts';
import { need } from '../need.ts';
import type { RuleContext } from '../rule.ts';
import { type Details, newContact, newMembership, OWN_CODE } from './contact.ts';
import { activeRow } from './on-file.ts';

interface Row extends Details {
  readonly slug: string;
  readonly site_id?: string;
  readonly may_request: boolean;
}

interface Input {
  readonly account_id: string;
  readonly contacts: readonly Row[];
}

/** As long as the day of cooling-off: until then the link says whose number could not be kept, and keeps it again. */
const LINK_LIFETIME_MS = 24 * 60 * 60 * 1000;

/**
 * Many contacts of one account in one act: all of them or none. What holds for one who is added alone holds for each:
 * no limit, a day in which they approve nothing, words as handles only.
 * @invariant no row is judged by itself: a code or a handle that comes twice makes the whole batch void
 * @source T3.6, T3.11
 */
export const CONTACT_IMPORT = asked<Input>('contact.import', {
  terms: () => OWN_CODE,
  target: () => null,
  linkLifetimeMs: LINK_LIFETIME_MS,
  places: (context) => {
    const named = new Set(context.input.contacts.map((row) => row.site_id));
    const { sites } = batchOf(context);
    return Object.fromEntries(sites.filter(({ id }) => named.has(id)).map(({ id, slug }) => [id, slug]));
  },
  settle: (context) => {
    const { input } = context;
    const { account, act } = directoryOf(context);
    if (activeRow(account).id !== input.account_id) refuse('not_found', { detail: 'account' });
    const batch = batchOf(context);
    for (const [at, row] of input.contacts.entries()) requireRow(row, at, input.account_id, batch);
    requireOnce('slug', input.contacts, ({ slug }) => [slug]);
    requireOnce('name', input.contacts, wordsOf);
    const rows = input.contacts.map((row) => ({ row, contact: newContact(context) }));
    const said = { account_id: input.account_id, contacts: rows.length };
    return {
      changes: {
        contacts: rows.map(({ contact }) => contact),
        memberships: rows.map(({ row, contact }) =>
          newMembership(context, contact.id, { ...row, account_id: input.account_id }, row.may_request),
        ),
        contact_codes: rows.map(({ row, contact }) => ({
          contact_id: contact.id,
          account_id: input.account_id,
          slug: row.slug,
          act_id: act?.id ?? null,
        })),
      },
      details: said,
      result: said,
    };
  },
});

function batchOf(context: RuleContext): BatchFacts {
  return need(context.facts.batch, 'batch');
}

/** One row, as one contact would be judged; refusals name the row by its place, never by what it says. */
function requireRow(row: Row, at: number, accountId: string, { sites, taken }: BatchFacts): void {
  if (row.phone === undefined && row.email === undefined) {
    refuse('schema_mismatch', { extra: { fields: [`/contacts/${at}/phone`, `/contacts/${at}/email`] } });
  }
  if (row.site_id !== undefined) {
    const site = activeRow(sites.find(({ id }) => id === row.site_id) ?? null);
    if (site.account_id !== accountId) refuse('not_found', { detail: 'site' });
  }
  if (taken.includes(row.slug)) {
    refuse('schema_mismatch', { extra: { fields: [`/contacts/${at}/slug`] }, detail: 'taken' });
  }
}

/** Handles of everything that was typed of one person. */
function wordsOf({ name, phone, email }: Row): readonly string[] {
  return [name, phone, email].flatMap((word) => (word === undefined ? [] : [word.text_id]));
}

/** @throws DispatchError `schema_mismatch` naming the row in which something comes for the second time */
function requireOnce(field: string, rows: readonly Row[], of: (row: Row) => readonly string[]): void {
  const seen = new Set<string>();
  for (const [at, row] of rows.entries()) {
    for (const value of of(row)) {
      if (seen.has(value)) {
        refuse('schema_mismatch', { extra: { fields: [`/contacts/${at}/${field}`] }, detail: 'twice' });
      }
      seen.add(value);
    }
  }
}
