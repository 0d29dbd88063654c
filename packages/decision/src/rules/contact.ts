import type { FreeTextRef, StaffRole } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { type ActTerms, asked, directoryOf } from '../act.ts';
import type { Changes } from '../changes.ts';
import type { ContactRow, MembershipRow } from '../directory-rows.ts';
import { changed, need } from '../need.ts';
import type { Outcome, RuleContext } from '../rule.ts';
import { activeRow } from './on-file.ts';

/** Of a person, as handles of words in the vault. */
export interface Details {
  readonly name?: FreeTextRef;
  readonly phone?: FreeTextRef;
  readonly email?: FreeTextRef;
}

export interface Place {
  readonly account_id: string;
  readonly site_id?: string;
}

/** The table of proofs: a code of the member of staff who asked, then cooling-off. */
export const OWN_CODE: ActTerms = { assurance: 'L2', deciders: 1, roles: [] };
const FIRST_APPROVER_ROLES: readonly StaffRole[] = ['admin'];

export const CONTACT_ADD = asked<Place & Details & { readonly may_request: boolean }>('contact.add', {
  terms: () => OWN_CODE,
  target: () => null,
  settle: (context) => {
    const { input } = context;
    requirePlace(context, input);
    if (input.phone === undefined && input.email === undefined) {
      refuse('schema_mismatch', { extra: { fields: ['/phone', '/email'] } });
    }
    const contact = newContact(context);
    const membership = newMembership(context, contact.id, input, input.may_request);
    return outcome(contact, { contact, memberships: [membership] }, wordsOf(input));
  },
});

/** Whatever is changed of a contact, for a day they approve nothing. @source T3.6 */
export const CONTACT_CHANGE = asked<Place & Details & { readonly may_request?: boolean }>('contact.change', {
  terms: () => OWN_CODE,
  target: ({ contact }) => contact,
  settle: (context) => {
    const { input, nowText } = context;
    const { contact: before, memberships } = directoryOf(context);
    requirePlace(context, input);
    const contact = changed(otherPerson(context, activeRow(before)), { changed_at: nowText });
    const known = membershipAt(memberships, input);
    const { may_request: mayRequest, account_id, site_id, ...details } = input;
    if (mayRequest === undefined && Object.keys(details).length === 0) {
      refuse('schema_mismatch', { extra: { fields: ['/'] }, detail: 'nothing to change' });
    }
    if (known === undefined && mayRequest === undefined) refuse('not_found', { detail: 'membership' });
    const membership =
      mayRequest === undefined
        ? []
        : [
            known === undefined
              ? newMembership(context, contact.id, input, mayRequest)
              : changed(known, { may_request: mayRequest, changed_at: nowText }),
          ];
    const changes = { contact, ...(membership.length > 0 && { memberships: membership }) };
    return outcome(contact, changes, hasWords(details) ? wordsOf(input) : {});
  },
});

export const CONTACT_DEACTIVATE = asked('contact.deactivate', {
  terms: () => OWN_CODE,
  target: ({ contact }) => contact,
  settle: (context) => {
    const before = otherPerson(context, activeRow(directoryOf(context).contact));
    const contact = changed(before, { state: 'INACTIVE', changed_at: context.nowText });
    return outcome(contact, { contact });
  },
});

export const CONTACT_RESET = asked('contact.reset', {
  terms: () => OWN_CODE,
  target: ({ contact }) => contact,
  settle: (context) => {
    const before = otherPerson(context, activeRow(directoryOf(context).contact));
    const contact = changed(before, { changed_at: context.nowText });
    return outcome(contact, { contact });
  },
});

/**
 * How much a contact may approve. Less takes a code of the admin who asks. More takes an approver of the account with a
 * passkey; only where nobody of the account could ever approve, two admins with a code each.
 * @invariant nobody confirms a limit of their own, as a person
 * @source T3.11; the table of proofs
 */
export const CONTACT_SET_LIMIT = asked<Place & { readonly approval_limit_cents: number }>(
  'contact.set_limit',
  {
    terms: (context): ActTerms => {
      const { has_had_approver: hasHad, memberships } = directoryOf(context);
      const before = membershipAt(memberships, context.input)?.approval_limit_cents ?? 0;
      if (context.input.approval_limit_cents <= before) return OWN_CODE;
      // Whatever is not known to be the first is a later one.
      if (hasHad !== false) {
        return { assurance: 'L3', deciders: 1, roles: [] };
      }
      return { assurance: 'L2', deciders: 2, roles: FIRST_APPROVER_ROLES };
    },
    target: ({ contact }) => contact,
    settle: (context): Outcome => {
      const { input, nowText } = context;
      const { contact: before, memberships } = directoryOf(context);
      requirePlace(context, input);
      const contact = changed(otherPerson(context, activeRow(before)), { changed_at: nowText });
      const known = membershipAt(memberships, input);
      if (known === undefined) return refuse('not_found', { detail: 'membership' });
      const limit = input.approval_limit_cents;
      if (limit === known.approval_limit_cents) {
        refuse('schema_mismatch', {
          extra: { fields: ['/approval_limit_cents'] },
          detail: 'nothing to change',
        });
      }
      const membership = changed(known, {
        may_approve: limit > 0,
        approval_limit_cents: limit,
        changed_at: nowText,
      });
      return outcome(contact, { contact, memberships: [membership] }, { approval_limit_cents: limit });
    },
  },
);

/** The account, and the site where one is named, are on file and belong together. */
function requirePlace(context: RuleContext, { account_id, site_id }: Place): void {
  const { account, site } = directoryOf(context);
  if (activeRow(account).id !== account_id) refuse('not_found', { detail: 'account' });
  if (site_id === undefined) return;
  if (activeRow(site).id !== site_id || site?.account_id !== account_id)
    refuse('not_found', { detail: 'site' });
}

/** Nobody changes their own rights, whichever of their accounts they use. */
function otherPerson(context: RuleContext, contact: ContactRow): ContactRow {
  const { person_id: mine } = need(context.facts.subject, 'subject');
  return contact.person_id === mine ? refuse('separation_of_duty') : contact;
}

function membershipAt(memberships: readonly MembershipRow[], place: Place): MembershipRow | undefined {
  return memberships.find((m) => m.account_id === place.account_id && m.site_id === (place.site_id ?? null));
}

/** Somebody whom nobody knew, as a person of their own. */
export function newContact({ caller, nowText, tools }: RuleContext): ContactRow {
  return {
    tenant_id: caller.tenantId,
    id: tools.newId(),
    version: 1,
    state: 'ACTIVE',
    person_id: tools.newId(),
    changed_at: nowText,
  };
}

/** Imported or added: whoever is new can approve nothing. */
export function newMembership(
  { caller, nowText, tools }: RuleContext,
  contactId: string,
  place: Place,
  mayRequest: boolean,
): MembershipRow {
  return {
    tenant_id: caller.tenantId,
    id: tools.newId(),
    version: 1,
    state: 'ACTIVE',
    contact_id: contactId,
    account_id: place.account_id,
    site_id: place.site_id ?? null,
    may_request: mayRequest,
    may_approve: false,
    approval_limit_cents: 0,
    changed_at: nowText,
  };
}

/** What the vault is to keep of the person: `identity` is given a grant for exactly these handles. */
function wordsOf({ account_id, name, phone, email }: Details & Pick<Place, 'account_id'>): Words {
  return {
    account_id,
    name_text_id: name?.text_id ?? null,
    phone_text_id: phone?.text_id ?? null,
    email_text_id: email?.text_id ?? null,
  };
}

type Words = Readonly<Record<string, string | null>>;

function hasWords({ name, phone, email }: Details): boolean {
  return name !== undefined || phone !== undefined || email !== undefined;
}

function outcome(
  contact: ContactRow,
  changes: Changes,
  more: Readonly<Record<string, string | number | null>> = {},
): Outcome {
  return {
    changes,
    details: { contact_id: contact.id, ...more },
    result: { contact_id: contact.id, ...more },
  };
}
