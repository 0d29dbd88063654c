import { refuse } from '@deadlatch/kernel';
import type { Caller } from '../caller.ts';
import type { Facts } from '../facts.ts';
import type { TicketRow } from '../rows.ts';
import { mayRequestAt } from './memberships-at.ts';

export type PlaceOfNewTicket =
  /** The conversation has this one open already. */
  | { readonly existing: TicketRow }
  | { readonly existing: null; readonly siteId: string; readonly accountId: string };

/**
 * Where a new ticket belongs: the site that is named, or the only one that an agent's subject has.
 * Contacts need a membership there; staff a site of their tenant.
 * @throws DispatchError `not_found` when there is none, or more than one to choose from
 * @source A.3b
 */
export function siteForNewTicket(caller: Caller, facts: Facts, siteId: string | null): PlaceOfNewTicket {
  const isContact = caller.subject.kind === 'contact';
  const open = caller.agent === null ? null : facts.open_ticket_of_conversation;
  if (open !== null) {
    const isOurs =
      open.tenant_id === caller.tenantId &&
      open.conversation_id === caller.context.conversationId &&
      (!isContact || mayRequestAt(facts, open.account_id, open.site_id));
    return isOurs ? { existing: open } : refuse('not_found', { detail: 'open ticket' });
  }
  // The database names a site unasked only when it is the only one that the turn's subject can mean.
  const wanted = siteId ?? (caller.agent === null ? null : (facts.site?.id ?? onlySiteOf(facts)));
  if (wanted === null) return refuse('not_found', { detail: 'no site, or several' });
  const place = placeOf(facts, wanted);
  if (place === null || (isContact && !mayRequestAt(facts, place.accountId, place.siteId))) {
    return refuse('not_found', { detail: 'site' });
  }
  return { existing: null, ...place };
}

/**
 * As `siteForNewTicket`, also before a body names the site: then any site the subject may write about will do.
 * @throws DispatchError `not_found`
 */
export function requirePlace(caller: Caller, facts: Facts, siteId: string | null | 'unasked'): void {
  if (siteId !== 'unasked') {
    siteForNewTicket(caller, facts, siteId);
    return;
  }
  const open = caller.agent === null ? null : facts.open_ticket_of_conversation;
  if (open !== null) siteForNewTicket(caller, facts, null);
  else if (
    caller.subject.kind === 'contact' &&
    !facts.subject?.memberships.some((m) => m.may_request === true)
  ) {
    refuse('not_found', { detail: 'no site at all' });
  }
}

/** A site as the database knows it; failing that, as the subject's own membership names it. */
function placeOf(
  facts: Facts,
  siteId: string,
): { readonly siteId: string; readonly accountId: string } | null {
  if (facts.site !== null && facts.site.id === siteId) {
    return { siteId, accountId: facts.site.account_id };
  }
  const membership = facts.subject?.memberships.find((m) => m.site_id === siteId);
  return membership === undefined ? null : { siteId, accountId: membership.account_id };
}

/** The one site the subject may write about; null when there are several, or all sites of an account. */
function onlySiteOf(facts: Facts): string | null {
  const requestable = (facts.subject?.memberships ?? []).filter((m) => m.may_request === true);
  const sites = new Set(requestable.map((m) => m.site_id));
  const [only] = sites;
  return sites.size === 1 && only != null ? only : null;
}
