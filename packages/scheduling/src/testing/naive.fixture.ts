/**
 * Who may do what when, written a second time and as plainly as it can be: minute by minute, without intervals,
 * routes or anything that the engine uses but its types and the travel model.
 */
import type { RosterEntry } from '../board.ts';
import type { Commitment, Job } from '../work.ts';
import { NOT_KEPT } from '../work.ts';
import { DAY, TRAVEL } from './worlds.fixture.ts';

/** Every minute of the day, as a list of yes and no. */
const minutesOf = (isYes: (minute: number) => boolean) =>
  Array.from({ length: DAY.to - DAY.from }, (_, index) => isYes(DAY.from + index));

function allOf(list: readonly boolean[], from: number, to: number): boolean {
  for (let minute = from; minute < to; minute += 1) if (list[minute - DAY.from] !== true) return false;
  return true;
}

export interface NaiveDay {
  /** Whether the work may begin at this minute. */
  mayBegin(start: number): boolean;
}

/** @param more visits of a plan, beside what is agreed */
export function naiveDay(entry: RosterEntry, job: Job, more: readonly Commitment[] = []): NaiveDay {
  const { technician } = entry;
  const shifts = entry.shifts.openBetween(DAY);
  const onShift = minutesOf((m) => shifts.some((one) => one.from <= m && m < one.to));
  const absent = minutesOf((m) => entry.absences.some((one) => one.from <= m && m < one.to));
  const site = job.site_hours === NOT_KEPT ? [] : job.site_hours.openBetween(DAY);
  const open = minutesOf((m) => site.some((one) => one.from <= m && m < one.to));
  const onDuty = onShift.map((yes, index) => yes && absent[index] === false);
  const taken = [...entry.commitments, ...more];
  const free = minutesOf((m) => !taken.some((one) => one.from <= m && m < one.to));
  const isSkilled = job.skills.every((skill) => technician.skills.includes(skill));
  const isNear = technician.territories.some((one) => one === job.place.territory);
  return {
    mayBegin: (start) => {
      const end = start + job.minutes;
      if (!technician.active || !isSkilled || !isNear) return false;
      if (start < DAY.from || end > DAY.to || !allOf(onDuty, start, end) || !allOf(free, start, end))
        return false;
      if (job.priority !== 'EMERGENCY' && !allOf(open, start, end)) return false;
      const isCertified = job.certifications.every((name) =>
        technician.certifications.some(
          (one) => one.name === name && one.valid.from <= start && end <= one.valid.to,
        ),
      );
      return isCertified && canTravel(start, end);
    },
  };

  function canTravel(start: number, end: number): boolean {
    for (const one of taken) {
      const isBefore = one.to <= start;
      if (isBefore && one.to + TRAVEL.minutes(one.place, job.place) > start && isNext(one, start))
        return false;
      const isAfter = one.from >= end;
      if (isAfter && end + TRAVEL.minutes(job.place, one.place) > one.from && isNext(one, start))
        return false;
    }
    // Back to when they went on duty: if nothing was visited since, they come from home.
    let begin = start;
    while (onDuty[begin - 1 - DAY.from] === true) begin -= 1;
    const wasOut = taken.some((one) => one.from < start && one.to > begin);
    return wasOut || begin + TRAVEL.minutes(technician.home, job.place) <= start;
  }

  /** No other visit lies between. */
  function isNext(one: Commitment, start: number): boolean {
    return !taken.some((other) =>
      one.from < start
        ? other.from > one.from && other.from < start
        : other.from < one.from && other.from > start,
    );
  }
}
