import { incidentType } from '@deadlatch/catalogue';
import { type ConsentFacts, isWaived, type TicketRow } from '@deadlatch/decision';
import type { Sees } from './reader.ts';

/** A piece of evidence that is gone without, or that quality asked to go without. */
export interface Waiver {
  readonly key: string;
  readonly granted: boolean;
}

/**
 * Waivers of a ticket, as its own version of the type has them: a report never hides what is not in it.
 * @returns for a customer what was granted of the keys that are shown to customers; for everybody else what was asked too
 */
export function presentWaivers(sees: Sees, ticket: TicketRow, consents: readonly ConsentFacts[]): Waiver[] {
  const { incident_type: type, incident_version: version } = ticket;
  const rules = type === null || version === null ? [] : (incidentType(type, version)?.evidence ?? []);
  return rules
    .filter(({ key }) => consents.some((c) => c.act === 'evidence.waive' && c.object === key))
    .map((rule) => ({ rule, waiver: { key: rule.key, granted: isWaived(rule, consents) } }))
    .filter(({ rule, waiver }) => sees.kind !== 'contact' || (waiver.granted && rule.shownToCustomer))
    .map(({ waiver }) => waiver);
}
