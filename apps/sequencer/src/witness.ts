import { type NoteKey, type SignedCheckpoint, verifyLogSignature } from '@deadlatch/audit-log';
import type { ServiceClient } from '@deadlatch/http';
import { DispatchError, refuse } from '@deadlatch/kernel';

/** What the witness said to a checkpoint. */
export type WitnessAnswer =
  /** lines to be added to the note; not yet verified */
  | { readonly kind: 'cosigned'; readonly lines: string }
  /** it has seen the log at another size than we thought */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'refused'; readonly reason: WitnessRefusal };

export type WitnessRefusal =
  | 'unknown_log'
  | 'signature_refused'
  | 'proof_refused'
  | 'malformed'
  /** it has an alarm, or cannot write down what it would cosign */
  | 'withheld'
  | 'other';

/** Whoever cosigns checkpoints. Every method throws DispatchError `unavailable` when there is no usable answer. */
export interface Witness {
  /** The newest checkpoint that it has seen of this log, by the log's own signature; `undefined` when none. */
  latest(logKey: NoteKey): Promise<SignedCheckpoint | undefined>;
  /** @param older size that the witness has seen; @param proof from there to the size of the note */
  add(older: number, proof: readonly Uint8Array[], note: string): Promise<WitnessAnswer>;
}

const REFUSALS: ReadonlyMap<number, WitnessRefusal> = new Map([
  [400, 'malformed'],
  [403, 'signature_refused'],
  [404, 'unknown_log'],
  [422, 'proof_refused'],
  [503, 'withheld'],
]);

/**
 * The witness behind its HTTP interface.
 * @invariant what it says about our past counts only with our own signature: a witness can be late, and make nothing up
 * @source C2SP tlog-witness
 */
export function createWitness(client: Pick<ServiceClient, 'read' | 'writeText'>): Witness {
  return {
    async latest(logKey) {
      const answer = await client.read('/v1/checkpoint');
      const note =
        answer !== null && typeof answer === 'object' && 'note' in answer ? answer.note : undefined;
      if (note === null) return undefined;
      if (typeof note !== 'string') return refuse('unavailable', { detail: 'witness_answer_malformed' });
      try {
        return verifyLogSignature(Buffer.from(note), logKey);
      } catch (cause) {
        throw new DispatchError('unavailable', { detail: 'witness_note_not_ours', cause });
      }
    },
    async add(older, proof, note) {
      const hashes = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
      const { status, text } = await client.writeText(
        '/add-checkpoint',
        `old ${older}\n${hashes.join('')}\n${note}`,
      );
      if (status === 200) return { kind: 'cosigned', lines: text };
      // The size it states is not signed: `latest` tells the same with our signature.
      if (status === 409) return { kind: 'conflict' };
      return { kind: 'refused', reason: REFUSALS.get(status) ?? 'other' };
    },
  };
}
