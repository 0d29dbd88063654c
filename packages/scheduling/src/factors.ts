import type { Priority } from '@deadlatch/catalogue';
import { MINUTES_PER_DAY, type Minute } from './interval.ts';
import type { Job, Technician } from './work.ts';

/** What a recommendation is made of. */
export const FACTORS = [
  'skill',
  'certification',
  'territory',
  'travel',
  'shift',
  'slack',
  'load',
  'wait',
  'late',
] as const;
export type Factor = (typeof FACTORS)[number];

/** One line of an explanation: what was measured, and what it adds to the cost. Less is better. */
export interface Share {
  readonly factor: Factor;
  /**
   * skill: skills they have that the job does not need. certification: days for which the needed ones are valid after
   * the work, 365 at most. territory: its place in their list. travel: more minutes on the road. shift: minutes until
   * it ends after the work. slack: minutes by which the work may begin later. load: minutes of work in that shift, this
   * one too. wait: minutes from when it could begin at the earliest. late: minutes after the promise.
   */
  readonly value: number;
  readonly contribution: number;
}

/** Where the numbers come from: judgement, to be replaced by what dispatchers override. All are whole. */
const PER_SPARE_SKILL = 3;
const PER_TERRITORY_RANK = 10;
const PER_TRAVEL_MINUTE = 2;
const PER_SLACK_MINUTE_SHORT = 2;
const PER_SHIFT_MINUTE_SHORT = 1;
const PER_LATE_MINUTE = 5;
const PER_CERTIFICATION_DAY_SHORT = 1;
const PER_HOUR_OF_WAIT: Readonly<Record<Priority, number>> = { ROUTINE: 2, URGENT: 20, EMERGENCY: 120 };
/** A visit that ends this close to the end of the shift is one delay away from overtime. */
const SHIFT_MINUTES_WANTED = 30;
const SLACK_MINUTES_WANTED = 15;
const CERTIFICATION_DAYS_WANTED = 30;
const CERTIFICATION_DAYS_SHOWN = 365;
/** Square of the minutes over this: the eighth hour of one costs more than the first of another. */
const LOAD_DIVISOR = 1_000;

/** What a job costs that nobody does: more than any way of doing it that a dispatcher would call sane. */
export const COST_UNSERVED: Readonly<Record<Priority, number>> = {
  ROUTINE: 5_000,
  URGENT: 20_000,
  EMERGENCY: 100_000,
};

/** When a job would be done within a shift. */
export interface Timing {
  readonly start: Minute;
  /** The latest start that breaks nothing. */
  readonly latest: Minute;
  readonly shiftEnds: Minute;
}

/** What does not depend on who else is visited on the way. */
export function sharesOfStop(technician: Technician, job: Job, timing: Timing): readonly Share[] {
  const end = timing.start + job.minutes;
  const spare = technician.skills.filter((skill) => !job.skills.includes(skill)).length;
  const days = certificationDays(technician, job, end);
  const rank = Math.max(0, technician.territories.indexOf(job.place.territory ?? ''));
  const left = timing.shiftEnds - end;
  const slack = timing.latest - timing.start;
  const wait = Math.max(0, timing.start - job.starts_within.from);
  const late = job.due_at === null ? 0 : Math.max(0, timing.start - job.due_at);
  return [
    share('skill', spare, spare * PER_SPARE_SKILL),
    share('certification', days, short(days, CERTIFICATION_DAYS_WANTED) * PER_CERTIFICATION_DAY_SHORT),
    share('territory', rank, rank * PER_TERRITORY_RANK),
    share('shift', left, short(left, SHIFT_MINUTES_WANTED) * PER_SHIFT_MINUTE_SHORT),
    share('slack', slack, short(slack, SLACK_MINUTES_WANTED) * PER_SLACK_MINUTE_SHORT),
    share('wait', wait, Math.ceil((wait * PER_HOUR_OF_WAIT[job.priority]) / 60)),
    share('late', late, late * PER_LATE_MINUTE),
  ];
}

/** @param minutes more on the road than without the job */
export function shareOfTravel(minutes: number): Share {
  return share('travel', minutes, minutes * PER_TRAVEL_MINUTE);
}

/** @param before minutes of work in the shift without the job @param after with it */
export function shareOfLoad(before: number, after: number): Share {
  return share('load', after, costOfLoad(after) - costOfLoad(before));
}

export function costOfTravel(minutes: number): number {
  return minutes * PER_TRAVEL_MINUTE;
}

export function costOfLoad(minutes: number): number {
  return Math.floor((minutes * minutes) / LOAD_DIVISOR);
}

export function total(shares: readonly Share[]): number {
  return shares.reduce((sum, one) => sum + one.contribution, 0);
}

/** In the order of `FACTORS`, so that two explanations can be laid side by side. */
export function inOrder(shares: readonly Share[]): readonly Share[] {
  return FACTORS.flatMap((factor) => shares.filter((one) => one.factor === factor));
}

function certificationDays({ certifications }: Technician, job: Job, end: Minute): number {
  const days = job.certifications.map((name) => {
    const ends = certifications.filter((one) => one.name === name).map((one) => one.valid.to);
    return Math.floor((Math.max(end, ...ends) - end) / MINUTES_PER_DAY);
  });
  return Math.min(CERTIFICATION_DAYS_SHOWN, ...days);
}

function short(has: number, wanted: number): number {
  return Math.max(0, wanted - has);
}

function share(factor: Factor, value: number, contribution: number): Share {
  return { factor, value, contribution };
}
