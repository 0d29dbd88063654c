import { type IncidentTypeDefinition, incidentType, type TestRule } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Facts } from './facts.ts';
import type { TicketRow, VisitRow } from './rows.ts';

/** The ticket's incident type. @throws DispatchError `unavailable` when it has none that the catalogue knows (C.8) */
export function typeOf(ticket: TicketRow): IncidentTypeDefinition {
  const definition = ticket.incident_type === null ? undefined : incidentType(ticket.incident_type);
  return definition ?? refuse('unavailable', { detail: 'unknown incident type' });
}

/**
 * Evidence keys of `phase` that have fewer finalized items, made on this very trip, than the type asks for: a return
 * trip does not prove itself with the photos of the one before.
 */
export function missingEvidence(
  definition: IncidentTypeDefinition,
  phase: 'before' | 'after',
  evidence: Facts['evidence'],
  visit: VisitRow | null,
): string[] {
  return definition.evidence
    .filter((rule) => rule.phase === phase)
    .filter((rule) => {
      const items = evidence.filter(
        (e) => e.key === rule.key && e.phase === rule.phase && visit !== null && e.visit_id === visit.id,
      );
      return new Set(items.map((e) => e.id)).size < rule.minimum;
    })
    .map((rule) => rule.key);
}

/**
 * Tests of the type that are not on record as passed since this trip arrived, as `test.<key>`. The latest record of a
 * test counts.
 */
export function missingTests(
  definition: IncidentTypeDefinition,
  tests: Facts['tests'],
  visit: VisitRow | null,
): string[] {
  const arrivedAt = Date.parse(visit?.checked_in_at ?? '');
  return definition.tests
    .filter((rule) => {
      const latest = tests.findLast((t) => t.test === rule.key);
      // An instant that is missing or does not parse is before every arrival.
      const isOfThisTrip = latest !== undefined && Date.parse(latest.recorded_at) >= arrivedAt;
      return !isOfThisTrip || latest.passed !== true || !isWithinBounds(rule, latest.value);
    })
    .map((rule) => `test.${rule.key}`);
}

/** Whether a measured value passes; a test with bounds and no value does not. */
export function isWithinBounds(rule: TestRule, value: number | null): boolean {
  if (rule.pass === null) return true;
  return value !== null && value >= rule.pass.min && value <= rule.pass.max;
}

/**
 * Everything that the type demands before work counts as done.
 * @throws DispatchError `evidence_missing` with `missing`
 * @invariant what an earlier trip proved does not count for this one
 * @invariant a type that demands nothing at all is not satisfied by nothing: it is refused as unknown
 * @source I.3, C.4
 */
export function requireCompleteEvidence(ticket: TicketRow, facts: Facts): void {
  const definition = typeOf(ticket);
  if (definition.evidence.length === 0) refuse('unavailable', { detail: 'a type without evidence' });
  const missing = [
    ...missingEvidence(definition, 'before', facts.evidence, facts.visit),
    ...missingEvidence(definition, 'after', facts.evidence, facts.visit),
    ...missingTests(definition, facts.tests, facts.visit),
  ];
  if (missing.length > 0) refuse('evidence_missing', { extra: { missing } });
}
