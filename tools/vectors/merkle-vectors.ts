import {
  type ConsistencyClaim,
  type InclusionClaim,
  verifyConsistency,
  verifyInclusion,
} from '@deadlatch/audit-log';
import { DispatchError, type JsonValue } from '@deadlatch/kernel';

/** Which of the two kinds of proof a folder of vectors holds. */
export type ProofKind = 'inclusion' | 'consistency';

/**
 * Plays one public vector.
 * @param text the vector's JSON: sizes, base64 hashes, `wantErr`
 * @returns what disagrees, or `undefined`
 * @throws Error when the text is no vector
 * @source transparency-dev/merkle, testdata
 */
export function playVector(kind: ProofKind, text: string): string | undefined {
  const vector = fieldsOf(JSON.parse(text));
  const wantsRefusal = vector.wantErr;
  if (typeof wantsRefusal !== 'boolean') throw new Error('no vector: wantErr is missing');
  const refusal = kind === 'inclusion' ? playInclusion(vector) : playConsistency(vector);
  if (wantsRefusal === (refusal !== undefined)) return undefined;
  return wantsRefusal ? 'accepted, and should not be' : `refused: ${refusal}`;
}

type Fields = Readonly<Record<string, JsonValue | undefined>>;

function fieldsOf(value: JsonValue): Fields {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new Error('no vector: no object');
  return value;
}

function playInclusion(vector: Fields): string | undefined {
  const claim: InclusionClaim = {
    index: numberOf(vector.leafIdx),
    size: numberOf(vector.treeSize),
    leafHash: bytesOf(vector.leafHash),
    root: bytesOf(vector.root),
    proof: proofOf(vector.proof),
  };
  return refusalOf(() => verifyInclusion(claim));
}

function playConsistency(vector: Fields): string | undefined {
  const claim: ConsistencyClaim = {
    olderSize: numberOf(vector.size1),
    olderRoot: bytesOf(vector.root1),
    size: numberOf(vector.size2),
    root: bytesOf(vector.root2),
    proof: proofOf(vector.proof),
  };
  return refusalOf(() => verifyConsistency(claim));
}

function refusalOf(verify: () => void): string | undefined {
  try {
    verify();
    return undefined;
  } catch (error) {
    // Anything else is a fault of the verifier, not a refusal.
    if (error instanceof DispatchError && error.code === 'unauthenticated') return error.detail ?? error.code;
    throw error;
  }
}

function numberOf(value: JsonValue | undefined): number {
  if (typeof value !== 'number') throw new Error('no vector: a size is missing');
  return value;
}

/** The vectors leave out what is empty, or write `null`. */
function bytesOf(value: JsonValue | undefined): Uint8Array {
  if (value === undefined || value === null) return new Uint8Array();
  if (typeof value !== 'string') throw new Error('no vector: a hash is not text');
  return Buffer.from(value, 'base64');
}

function proofOf(value: JsonValue | undefined): Uint8Array[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error('no vector: the proof is not a list');
  return value.map(bytesOf);
}
