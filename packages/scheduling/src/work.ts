import type { Priority } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { type Interval, isInterval, type Minute } from './interval.ts';
import type { OpenHours } from './open-hours.ts';
import type { Place, TravelModel } from './travel.ts';

/**
 * Said aloud where an installation keeps no such records: what is not kept is not compared. A missing record is
 * something else and refuses.
 */
export const NOT_KEPT = 'not_kept';
export type NotKept = typeof NOT_KEPT;

export interface Certification {
  readonly name: string;
  readonly valid: Interval;
}

export interface Technician {
  readonly id: string;
  readonly active: boolean;
  readonly skills: readonly string[];
  readonly certifications: readonly Certification[];
  /** The one they know best first. */
  readonly territories: readonly string[];
  /** From where a shift starts. */
  readonly home: Place;
}

/** What is to be done at one site. */
export interface Job {
  readonly id: string;
  readonly priority: Priority;
  readonly place: Place;
  readonly minutes: number;
  readonly skills: readonly string[];
  readonly certifications: readonly string[];
  /** When somebody opens the door; an emergency does not wait for it. */
  readonly site_hours: OpenHours | NotKept;
  /** When the work may begin. */
  readonly starts_within: Interval;
  /** By when it is promised to begin; null: no promise. */
  readonly due_at: Minute | null;
}

/** Time of a technician that is taken: a visit, or a soft hold that lives. */
export interface Commitment extends Interval {
  readonly place: Place;
}

/** A technician's time, as far as it is known. */
export interface Calendar {
  /** What it knows about; nothing beyond is ever free. */
  readonly horizon: Interval;
  /** Shifts within the horizon, merged. */
  readonly shifts: readonly Interval[] | NotKept;
  readonly absences: readonly Interval[] | NotKept;
  /** In order, none overlapping another. */
  readonly commitments: readonly Commitment[];
  readonly travel: TravelModel | NotKept;
}

const MAX_JOB_MINUTES = 24 * 60;

/** Proves what arithmetic relies on. @throws DispatchError `schema_mismatch` */
export function requireJob(job: Job): Job {
  const isLong = Number.isInteger(job.minutes) && job.minutes > 0 && job.minutes <= MAX_JOB_MINUTES;
  const isDue = job.due_at === null || Number.isSafeInteger(job.due_at);
  if (!isLong || !isDue || !isInterval(job.starts_within)) refuse('schema_mismatch', { detail: 'not a job' });
  return job;
}
