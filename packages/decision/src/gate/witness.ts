import type { CommandEntry } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Facts } from '../facts.ts';

/**
 * An act of authority waits until somebody outside has seen the log grow: what nobody could prove afterwards must not
 * move money or power now. Intake, make-safe, field work and everything that stops something go on.
 * @throws DispatchError `unavailable`, detail `witness_late`
 * @invariant absent is late
 * @source R.6, design 03
 */
export function requireWitness(entry: CommandEntry, facts: Pick<Facts, 'witness'>): void {
  if (entry.isActOfAuthority && facts.witness !== 'timely') {
    refuse('unavailable', { detail: 'witness_late', extra: { reason: 'witness_late' } });
  }
}
