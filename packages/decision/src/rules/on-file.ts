import { refuse } from '@deadlatch/kernel';
import { directoryOf } from '../act.ts';
import { requireStateIn } from '../gate/state.ts';
import { need } from '../need.ts';
import type { RuleContext } from '../rule.ts';

/**
 * A row that is in force.
 * @throws DispatchError `not_found` without a row, `invalid_state` for one that was taken out of use
 */
export function activeRow<Row extends { readonly state: string }>(row: Row | null): Row {
  if (row === null) return refuse('not_found', { detail: 'not on file' });
  return requireStateIn(row, ['ACTIVE']);
}

/** @throws DispatchError `schema_mismatch` when something of the kind is called so already */
export function requireFreeSlug(context: RuleContext): void {
  if (directoryOf(context).is_slug_taken !== false) {
    refuse('schema_mismatch', { extra: { fields: ['/slug'] }, detail: 'taken' });
  }
}

/** @throws DispatchError `schema_mismatch` for a change that changes nothing */
export function requireSomething(input: unknown): void {
  if (Object.keys(need(input as object | null, 'input')).length === 0) {
    refuse('schema_mismatch', { extra: { fields: ['/'] }, detail: 'nothing to change' });
  }
}

/** @throws DispatchError `schema_mismatch` for a zone that no clock runs by */
export function requireTimeZone(zone: string): void {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
  } catch {
    refuse('schema_mismatch', { extra: { fields: ['/time_zone'] } });
  }
}
