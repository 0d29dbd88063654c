import { type Interval, isCovered, isInterval, merge, overlaps, subtract } from './interval.ts';
import { type Calendar, type Job, NOT_KEPT, type Technician } from './work.ts';

/** Every reason for which a technician may not be sent, and what it is about. */
const REASONS = {
  unknown: 'status',
  inactive: 'status',
  skill_missing: 'skill',
  certification_missing: 'certification',
  certification_expired: 'certification',
  outside_territory: 'territory',
  off_shift: 'shift',
  absent: 'shift',
  site_closed: 'site_hours',
  double_booked: 'time',
  too_far: 'travel',
} as const;

export type IneligibleReason = keyof typeof REASONS;
export type EligibilityDimension = (typeof REASONS)[IneligibleReason];

export interface Ineligible {
  readonly reason: IneligibleReason;
  readonly dimension: EligibilityDimension;
}

export type Eligibility =
  | { readonly eligible: true }
  | { readonly eligible: false; readonly reasons: readonly Ineligible[] };

/**
 * Whether this technician may do this job in exactly this time: the one function behind recommending, offering and
 * dispatching, so that a list and a call cannot drift apart.
 * @param window when the work itself is done; travel lies outside it
 * @returns every reason against it, each once, in the order of the table
 * @invariant what is missing or unreadable is a reason; taking away a skill, certification, territory, shift or free
 * time never makes anybody eligible
 * @source the domain: `visit.dispatch`; mistakes 17, 20 and 26
 */
export function eligibility(
  technician: Technician,
  job: Job,
  window: Interval,
  calendar: Calendar,
): Eligibility {
  const found = new Set<IneligibleReason>();
  try {
    for (const reason of whatIsLacking(technician, job)) found.add(reason);
    addCertifications(technician, job, window, found);
    addTime(technician, job, window, calendar, found);
  } catch {
    // A rule that threw did not allow.
    found.add('unknown');
  }
  if (found.size === 0) return { eligible: true };
  const reasons = (Object.keys(REASONS) as IneligibleReason[]).filter((reason) => found.has(reason));
  return { eligible: false, reasons: reasons.map((reason) => ({ reason, dimension: REASONS[reason] })) };
}

/** What no time of day changes: a part of `eligibility`, by which whoever asks about many times asks first. */
export function whatIsLacking(technician: Technician, job: Job): readonly IneligibleReason[] {
  const { territory } = job.place;
  const held = technician.certifications;
  const lacking: IneligibleReason[] = [];
  if (technician.active !== true) lacking.push('inactive');
  if (!job.skills.every((skill) => technician.skills.includes(skill))) lacking.push('skill_missing');
  if (!job.certifications.every((name) => held.some((one) => one.name === name))) {
    lacking.push('certification_missing');
  }
  if (territory === null || territory === '' || !technician.territories.includes(territory)) {
    lacking.push('outside_territory');
  }
  return lacking;
}

function addCertifications(
  { certifications }: Technician,
  job: Job,
  window: Interval,
  found: Set<IneligibleReason>,
): void {
  for (const name of job.certifications) {
    const held = certifications.filter((one) => one.name === name);
    // One that ends while they work would have to be taken from the wall half way.
    const isValid = held.some(({ valid }) => isInterval(valid) && isCovered(window, [valid]));
    if (held.length > 0 && !isValid) found.add('certification_expired');
  }
}

function addTime(
  technician: Technician,
  job: Job,
  window: Interval,
  calendar: Calendar,
  found: Set<IneligibleReason>,
): void {
  const { absences, commitments, horizon, shifts } = calendar;
  if (!isInterval(window) || !isCovered(window, [horizon])) found.add('unknown');
  if (shifts !== NOT_KEPT && !isCovered(window, shifts)) found.add('off_shift');
  if (absences !== NOT_KEPT && absences.some((one) => overlaps(one, window))) found.add('absent');
  if (job.site_hours !== NOT_KEPT && job.priority !== 'EMERGENCY') {
    if (!isCovered(window, job.site_hours.openBetween(window))) found.add('site_closed');
  }
  if (commitments.some((one) => overlaps(one, window))) found.add('double_booked');
  if (!isReachable(technician, job, window, calendar)) found.add('too_far');
}

/** In time from where they are before, and in time for where they are expected after. */
function isReachable(technician: Technician, job: Job, window: Interval, calendar: Calendar): boolean {
  const { commitments, travel } = calendar;
  if (travel === NOT_KEPT) return true;
  const before = commitments.filter((one) => one.to <= window.from).at(-1);
  const after = commitments.find((one) => one.from >= window.to);
  if (before && before.to + travel.minutes(before.place, job.place) > window.from) return false;
  if (after && window.to + travel.minutes(job.place, after.place) > after.from) return false;
  const start = startOfDuty(window, calendar);
  return start === null || start + travel.minutes(technician.home, job.place) <= window.from;
}

/** When they leave home for this window; null when they are on the road already, or nobody keeps their hours. */
function startOfDuty(window: Interval, { absences, commitments, shifts }: Calendar): number | null {
  if (shifts === NOT_KEPT) return null;
  const duty = subtract(shifts, absences === NOT_KEPT ? [] : merge(absences));
  const segment = duty.find((one) => one.from <= window.from && window.from < one.to);
  if (segment === undefined) return null;
  const isOnTheRoad = commitments.some((one) => one.to > segment.from && one.from < window.from);
  return isOnTheRoad ? null : segment.from;
}
