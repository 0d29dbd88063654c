import type { ContactMembership, Facts } from '../facts.ts';

/** The subject's memberships that cover this site. An account-wide one (no site) covers all sites of its account. */
export function membershipsAt(facts: Facts, accountId: string, siteId: string): readonly ContactMembership[] {
  return (facts.subject?.memberships ?? []).filter(
    (m) => m.account_id === accountId && (m.site_id === null || m.site_id === siteId),
  );
}

export function mayRequestAt(facts: Facts, accountId: string, siteId: string): boolean {
  return membershipsAt(facts, accountId, siteId).some((m) => m.may_request === true);
}
