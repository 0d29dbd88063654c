import { type Board, siteStarts } from './board.ts';
import { eligibility, type Ineligible } from './eligibility.ts';
import type { Share } from './factors.ts';
import { type Interval, requireInterval } from './interval.ts';
import { explained, isAllowed, type Placement, placementsFor } from './placement.ts';
import type { Job } from './work.ts';

export interface Recommendation {
  readonly technician_id: string;
  readonly visit: Interval;
  readonly score: number;
  readonly explanation: readonly Share[];
}

export interface Recommendations {
  /** Everybody who could begin within the window, the best first. */
  readonly ranked: readonly Recommendation[];
  /** Everybody else, and why not: at the first moment at which the site would let them in. */
  readonly refused: readonly { readonly technician_id: string; readonly reasons: readonly Ineligible[] }[];
}

/**
 * Technicians for a job that begins within `window`. Whoever is not ranked cannot begin at any minute of it.
 * @throws DispatchError `schema_mismatch` for a job or a window that is none
 */
export function recommend(board: Board, job: Job, window: Interval): Recommendations {
  const asked: Job = { ...job, starts_within: requireInterval(window, 'window') };
  const starts = siteStarts(board, asked);
  const best = new Map<string, Placement>();
  for (const placement of placementsFor(board, asked, starts)) {
    const { id } = placement.crew.technician;
    if (!best.has(id) && isAllowed(placement, asked)) best.set(id, placement);
  }
  const first = starts[0]?.from ?? window.from;
  const refused = board.crew.flatMap(({ calendar, technician }) => {
    if (best.has(technician.id)) return [];
    const answer = eligibility(technician, asked, { from: first, to: first + job.minutes }, calendar);
    return [{ technician_id: technician.id, reasons: answer.eligible ? [] : answer.reasons }];
  });
  const ranked = [...best].map(([id, placement]) => ({
    technician_id: id,
    visit: placement.visit,
    score: placement.score,
    explanation: explained(placement),
  }));
  return { ranked, refused };
}
