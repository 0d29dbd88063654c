import { refuse } from '@deadlatch/kernel';
import { compileHours, type WorkingHours } from '@deadlatch/scheduling';
import type { SiteRow, SiteScheduleRow, TechnicianRow, TechnicianScheduleRow } from '../directory-rows.ts';
import type { RuleContext } from '../rule.ts';

interface Position {
  readonly lat_e6: number;
  readonly lon_e6: number;
}

/** When a technician works, as it is sent: always the whole plan. */
export interface Plan extends Pick<TechnicianScheduleRow, 'shifts' | 'certifications' | 'absences'> {
  readonly home?: Position;
}

/** When a site is open, as it is sent. */
export interface Opening {
  readonly hours: WorkingHours;
  readonly position?: Position;
}

/**
 * The plan as a part of this version of the technician.
 * @throws DispatchError `schema_mismatch` for hours that open nothing, a zone or a day that there is not, and for
 *   whatever ends before it begins: an engine that reads it later must not find out
 */
export function planOf(
  { tools }: RuleContext,
  { id, version }: TechnicianRow,
  { shifts, certifications, absences, home }: Plan,
): TechnicianScheduleRow {
  compileHours(shifts, tools.zones);
  for (const { valid_from, valid_until } of certifications) requireOrder(valid_from, valid_until);
  for (const { starts_at, ends_at } of absences) requireOrder(starts_at, ends_at);
  return {
    id,
    version,
    shifts,
    certifications,
    absences,
    home_lat_e6: home?.lat_e6 ?? null,
    home_lon_e6: home?.lon_e6 ?? null,
  };
}

/** The hours as a part of this version of the site. @throws DispatchError `schema_mismatch` */
export function openingOf(
  { tools }: RuleContext,
  { id, version }: SiteRow,
  { hours, position }: Opening,
): SiteScheduleRow {
  compileHours(hours, tools.zones);
  return { id, version, hours, lat_e6: position?.lat_e6 ?? null, lon_e6: position?.lon_e6 ?? null };
}

function requireOrder(from: string, to: string): void {
  if (!(Date.parse(from) < Date.parse(to))) {
    refuse('schema_mismatch', { extra: { fields: ['/schedule'] }, detail: 'ends before it begins' });
  }
}
