import { refuse } from '@deadlatch/kernel';
import { publicX } from '@deadlatch/signing';
import { type Cosignature, cosignatureOf } from './cosignature.ts';
import { type NoteKey, parseNoteKey } from './note-keys.ts';
import type { SignedNote } from './signed-note.ts';

/** How many of which witnesses must have cosigned. */
export interface WitnessPolicy {
  readonly quorum: number;
  readonly witnesses: readonly NoteKey[];
}

/** More than anyone runs, and few enough to try them all. */
const MAX_WITNESSES = 16;

/**
 * Makes a policy from the lines in which witnesses hand on their keys.
 * @throws DispatchError `unavailable` when it asks for nobody, for more than it names, or names somebody twice
 * @invariant one public key counts once whatever it is called: a cosignature does not cover its witness's name
 */
export function witnessPolicy(quorum: number, keyLines: readonly string[]): WitnessPolicy {
  const witnesses = keyLines.map((line) => parseNoteKey('witness', line));
  const names = new Set(witnesses.map(({ name }) => name));
  const keys = new Set(witnesses.map(({ publicKey }) => publicX(publicKey)));
  const isSound =
    Number.isInteger(quorum) &&
    quorum >= 1 &&
    quorum <= witnesses.length &&
    witnesses.length <= MAX_WITNESSES &&
    names.size === witnesses.length &&
    keys.size === witnesses.length;
  return isSound ? { quorum, witnesses } : refuse('unavailable', { detail: 'witness_policy_unusable' });
}

/**
 * The cosignatures by which a note satisfies the policy, one a witness.
 * @throws DispatchError `unauthenticated` when there are too few, or when one of a named witness is wrong
 */
export function verifyCosignatures(note: SignedNote, { quorum, witnesses }: WitnessPolicy): Cosignature[] {
  // A policy that was not made by `witnessPolicy` must not be satisfied by nobody.
  if (!(quorum >= 1)) refuse('unavailable', { detail: 'witness_policy_unusable' });
  const found = witnesses
    .map((key) => cosignatureOf(note, key))
    .filter((cosignature) => cosignature !== undefined);
  return found.length >= quorum ? found : refuse('unauthenticated', { detail: 'too_few_cosignatures' });
}
