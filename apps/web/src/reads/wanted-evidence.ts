import { holds, incidentType } from '@deadlatch/catalogue';
import type { JsonValue } from '@deadlatch/kernel';

/**
 * What the ticket's own version of its incident type asks to be shown, as far as the page can know: a key that the
 * answers hide is left out. `required` is what is demanded now; `possible` may be once tests and outcome are on record.
 * @returns null for a ticket without a type, or with one that the catalogue does not know
 */
export function wantedEvidence(ticket: { readonly [name: string]: JsonValue }): JsonValue {
  const { incident_type: type, incident_version: version, outcome } = ticket;
  if (typeof type !== 'string' || typeof version !== 'number') return null;
  const known = {
    answers: textsOf(ticket.answers),
    failedTests: [],
    outcome: typeof outcome === 'string' ? outcome : null,
  };
  const rules = incidentType(type, version)?.evidence;
  if (rules === undefined) return null;
  return rules
    .filter((rule) => holds(rule.visibleWhen, known))
    .map(({ key, kind, minimum, requiredWhen }) => ({
      key,
      kind,
      minimum,
      required: holds(requiredWhen, known),
      possible: requiredWhen !== 'never',
    }));
}

function textsOf(value: JsonValue | undefined): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([k, v]) => (typeof v === 'string' ? [[k, v]] : [])),
  );
}
