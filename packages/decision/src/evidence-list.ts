import {
  type EvidencePhase,
  type EvidenceRule,
  holds,
  type IncidentTypeDefinition,
  incidentType,
  type KnownFacts,
  type TestRule,
} from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Facts } from './facts.ts';
import type { TicketRow } from './rows.ts';

/**
 * The version of the incident type by which the ticket was triaged: never a newer one.
 * @throws DispatchError `unavailable` when it has none that the catalogue knows (C.8)
 */
export function typeOf({
  incident_type: type,
  incident_version: version,
}: TicketRow): IncidentTypeDefinition {
  const definition = type === null || version === null ? undefined : incidentType(type, version);
  return definition ?? refuse('unavailable', { detail: 'unknown incident type' });
}

/** What is, or was, handed in with the completion. */
export interface HandedIn {
  readonly outcome: string | null;
  readonly hasWorkNote: boolean;
  readonly hasSignature: boolean;
}

/** Before anything is handed in. */
export const NOTHING_HANDED_IN: HandedIn = { outcome: null, hasWorkNote: false, hasSignature: false };

type Proofs = Pick<Facts, 'evidence' | 'tests' | 'costs' | 'visit' | 'consents'>;

/** What the type's conditions may read of this ticket and trip. */
export function knownFacts(ticket: TicketRow, facts: Proofs, outcome: string | null): KnownFacts {
  const failed = typeOf(ticket).tests.filter((rule) => resultOf(rule, facts) === 'failed');
  return { answers: ticket.answers, failedTests: failed.map((rule) => rule.key), outcome };
}

/**
 * Evidence keys of these phases that are required and of which there is less than the type asks for. Photos count when
 * they were made on this very trip: a return trip does not prove itself with those of the one before. Parts and time
 * are the ticket's.
 */
export function missingEvidence(
  definition: IncidentTypeDefinition,
  phases: readonly EvidencePhase[],
  known: KnownFacts,
  proofs: Proofs,
  handedIn: HandedIn,
): string[] {
  return definition.evidence
    .filter((rule) => phases.includes(rule.phase) && holds(rule.requiredWhen, known))
    .filter((rule) => countOf(rule, proofs, handedIn) < rule.minimum && !isWaived(rule, proofs.consents))
    .map((rule) => rule.key);
}

/**
 * Whether one key may be gone without: quality asked for it and a supervisor, another person, said yes.
 * @invariant one key at a time, and only where the type says that a supervisor may
 */
export function isWaived(rule: EvidenceRule, consents: Facts['consents']): boolean {
  if (rule.waivableBy !== 'supervisor') return false;
  const on = consents.filter((c) => c.act === 'evidence.waive' && c.object === rule.key);
  const asked = on.find((c) => c.role === 'qa');
  const decided = on.find((c) => c.role === 'supervisor');
  return asked !== undefined && decided !== undefined && asked.person_id !== decided.person_id;
}

function countOf(rule: EvidenceRule, { evidence, costs, visit }: Proofs, handedIn: HandedIn): number {
  if (rule.kind === 'photo') {
    const items = evidence.filter(
      (e) => e.key === rule.key && e.phase === rule.phase && visit !== null && e.visit_id === visit.id,
    );
    return new Set(items.map((e) => e.id)).size;
  }
  switch (rule.key) {
    case 'record.before.check_in':
      return typeof visit?.checked_in_at === 'string' ? 1 : 0;
    case 'record.closeout.parts':
      return costs.parts.length;
    case 'record.closeout.time':
      return costs.minutes > 0 ? 1 : 0;
    case 'note.closeout.found_done_left':
      return handedIn.hasWorkNote ? 1 : 0;
    case 'signature.closeout.signature_or_reason':
      return handedIn.hasSignature ? 1 : 0;
    default:
      // A key that nothing here can count is never there.
      return 0;
  }
}

/**
 * Tests of the type that are not on record since this trip arrived, or did not pass where they must, as `test.<key>`.
 * The latest record of a test counts.
 */
export function missingTests(
  definition: IncidentTypeDefinition,
  known: KnownFacts,
  proofs: Proofs,
): string[] {
  return definition.tests
    .filter((rule) => {
      const result = resultOf(rule, proofs);
      return result === 'absent' || (result === 'failed' && holds(rule.mustPassWhen, known));
    })
    .map((rule) => `test.${rule.key}`);
}

function resultOf(rule: TestRule, { tests, visit }: Proofs): 'absent' | 'failed' | 'passed' {
  const latest = tests.findLast((t) => t.test === rule.key);
  const arrivedAt = Date.parse(visit?.checked_in_at ?? '');
  // An instant that is missing or does not parse is before every arrival.
  if (latest === undefined || !(Date.parse(latest.recorded_at) >= arrivedAt)) return 'absent';
  return latest.passed === true && isWithinBounds(rule, latest.value) ? 'passed' : 'failed';
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
export function requireCompleteEvidence(ticket: TicketRow, facts: Proofs, handedIn: HandedIn): void {
  const definition = typeOf(ticket);
  if (definition.evidence.length === 0) refuse('unavailable', { detail: 'a type without evidence' });
  const known = knownFacts(ticket, facts, handedIn.outcome);
  const missing = [
    ...missingEvidence(definition, ['before', 'after', 'closeout'], known, facts, handedIn),
    ...missingTests(definition, known, facts),
  ];
  if (missing.length > 0) refuse('evidence_missing', { extra: { missing } });
}
