import { refuse } from '@deadlatch/kernel';
import {
  type Calendar,
  type Eligibility,
  eligibility,
  type Ineligible,
  type Interval,
  type Job,
  NOT_KEPT,
  outwards,
  type Technician,
} from '@deadlatch/scheduling';
import type { TechnicianFacts } from './facts.ts';
import { need, ticketOf } from './need.ts';
import type { RuleContext } from './rule.ts';

/** When somebody would be on the visit, in milliseconds since the epoch. */
export interface VisitTime {
  readonly startsMs: number;
  readonly endsMs: number;
}

/**
 * The technician, if they may be sent to the ticket's site for this time. The database has the last word on "free".
 * @throws DispatchError `not_found` for somebody else than was asked for; `double_booking` when only their time is
 * taken; `not_eligible` with every reason
 * @invariant nobody is sent by any other way than `eligibility`
 */
export function requireEligible(context: RuleContext, id: string, time: VisitTime): TechnicianFacts {
  const facts = context.facts.technician;
  if (facts === null || facts.id !== id) return refuse('not_found', { detail: 'technician' });
  const answer = ask(context, facts, outwards(time.startsMs, time.endsMs));
  if (answer.eligible === true) return facts;
  const reasons = answer.reasons.map(({ reason }: Ineligible) => reason);
  return refuse(isOnlyTime(answer.reasons) ? 'double_booking' : 'not_eligible', { extra: { reasons } });
}

function isOnlyTime(reasons: readonly Ineligible[]): boolean {
  return reasons.length > 0 && reasons.every(({ reason }) => reason === 'double_booked');
}

/**
 * Facts as the arguments of `eligibility`: the only place where it is known what the database does not keep. There are
 * no rows for shifts, absences, certifications, hours of sites and positions, and no incident type names a skill.
 */
function ask(context: RuleContext, facts: TechnicianFacts, window: Interval): Eligibility {
  const ticket = ticketOf(context);
  const territory = need(context.facts.site, 'site').territory;
  const place = { position: null, territory };
  const technician: Technician = {
    id: facts.id,
    active: facts.active,
    skills: facts.skills,
    certifications: [],
    territories: facts.territories,
    home: { position: null, territory: null },
  };
  const job: Job = {
    id: ticket.id,
    priority: need(ticket.priority, 'priority'),
    place,
    minutes: window.to - window.from,
    skills: [],
    certifications: [],
    site_hours: NOT_KEPT,
    starts_within: window,
    due_at: null,
  };
  const calendar: Calendar = {
    horizon: window,
    shifts: NOT_KEPT,
    absences: NOT_KEPT,
    // Whatever is not known to be free is taken.
    commitments: facts.has_overlap === false ? [] : [{ ...window, place }],
    travel: NOT_KEPT,
  };
  return eligibility(technician, job, window, calendar);
}
