import {
  agreedOption,
  choiceOfTurn,
  type DecisionTools,
  type Facts,
  type OptionRow,
  openOptions,
  recommendations,
} from '@deadlatch/decision';
import type { Sees } from './reader.ts';

const MINUTE_MS = 60_000;

/**
 * The times that are offered for a ticket and can still be taken, and the one that was agreed. An agent also learns what
 * its own message chose; nobody but staff learns who would come.
 */
export function presentOptions(sees: Sees, facts: Facts) {
  const now = Date.parse(facts.now);
  const options = facts.schedule?.options ?? [];
  const agreed = agreedOption({ facts });
  const choice = sees.kind === 'turn' ? choiceOfTurn({ facts }) : null;
  const chosen = options.find((row) => row.id === choice?.option_id);
  return {
    options: openOptions(options, now).map((row) => presentOption(sees, row)),
    agreed: agreed && presentOption(sees, agreed),
    choice: choice && {
      id: choice.id,
      kind: choice.kind,
      number: chosen?.number ?? null,
      consumed: choice.consumed_at !== null,
    },
  };
}

function presentOption(sees: Sees, row: OptionRow) {
  const { id, number, window_from, window_to, held_until } = row;
  const shown = { id, number, window_from, window_to, held_until };
  if (sees.kind !== 'tenant') return shown;
  const { technician_id, visit_from, visit_to } = row;
  return { ...shown, technician_id, visit_from, visit_to };
}

/**
 * Who may be sent, the best first, with what each factor adds to the cost; and why nobody else may. The answer of the
 * function that dispatching asks.
 * @throws DispatchError `unavailable` where a fact is missing
 */
export function presentRecommendations(facts: Facts, tools: DecisionTools) {
  const { found, window } = recommendations({ facts, tools, now: Date.parse(facts.now) });
  return {
    window_from: instant(window.from),
    window_to: instant(window.to),
    recommended: found.ranked.map(({ technician_id, visit, score, explanation }) => ({
      technician_id,
      starts_at: instant(visit.from),
      ends_at: instant(visit.to),
      score,
      factors: explanation.map(({ factor, value, contribution }) => ({ factor, value, contribution })),
    })),
    others: found.refused.map(({ technician_id, reasons }) => ({
      technician_id,
      reasons: reasons.map(({ reason }) => reason),
    })),
  };
}

function instant(minute: number): string {
  return new Date(minute * MINUTE_MS).toISOString();
}
