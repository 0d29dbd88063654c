import {
  consistencyProof,
  hashesFromTiles,
  type LogEdge,
  rangeRoot,
  rootOf,
  type SignedCheckpoint,
  sameBytes,
  verifyCheckpoint,
} from '@deadlatch/audit-log';
import { DispatchError, refuse } from '@deadlatch/kernel';
import { halt } from './halt.ts';
import type { LogDatabase } from './log-database.ts';
import type { LogTrust, SignTree } from './log-trust.ts';
import { pause } from './pause.ts';
import type { TileFiles } from './tile-files.ts';
import type { Witness, WitnessRefusal } from './witness.ts';

/** Checkpoints follow each other no closer than this. */
const SPACING_MS = 100;
/** A witness that is away, or says no, is asked again this often. */
const RETRY_MS = 1_000;

/** Why the newest checkpoint is not published yet. */
export type WaitReason = WitnessRefusal | 'unreachable' | 'conflict' | 'cosignature_wrong';

export interface PublishParts {
  readonly database: LogDatabase;
  readonly files: TileFiles;
  readonly epoch: number;
  readonly trust: LogTrust;
  readonly sign: SignTree;
  readonly witness: Witness;
  /** the newest tree whose tiles are on the disk */
  readonly tree: () => LogEdge;
  /** With nothing new the same checkpoint is cosigned again after this long: its time shows that the log is alive. */
  readonly heartbeatMs: number;
  /** Told of every checkpoint that the witness showed us with our own signature. */
  readonly saw: (checkpoint: SignedCheckpoint) => void;
  /** Told of every checkpoint that was published. */
  readonly published: (size: number) => void;
  /** Told when publishing begins to wait, or waits for another reason. */
  readonly waits: (reason: WaitReason) => void;
}

/**
 * Signs the newest tree, has it cosigned and publishes it, until told to stop. A witness that is away, slow or says
 * no is asked again; nothing else waits for it.
 * @throws DispatchError `unavailable`: a `HaltReason` when the witness shows, with our own signature, that we lost or
 * changed a past; `superseded` when another writer took over; errors of the driver and the file system
 * @invariant only trees that the database committed and the disk has are signed, and only by the writer of this epoch
 * @invariant what is published continues what the witness saw, and satisfies the pinned policy
 * @source F.4, R.6
 */
export async function publishCheckpoints(parts: PublishParts, signal: AbortSignal): Promise<void> {
  const { tree, heartbeatMs } = parts;
  let witnessSize: number | undefined;
  let last = { size: 0, atMs: 0 };
  let lastReason: WaitReason | undefined;
  const isDue = () => tree().size !== last.size || performance.now() - last.atMs > heartbeatMs;
  while (!signal.aborted) {
    if (tree().size === 0 || !isDue()) {
      await pause(SPACING_MS, signal);
      continue;
    }
    // Before anything is signed: the witness may know that we were longer once.
    const older = witnessSize ?? (await sizeAtWitness(parts));
    const outcome = older === undefined ? 'unreachable' : await publishOnce(parts, older);
    if (typeof outcome === 'number') {
      witnessSize = outcome;
      last = { size: outcome, atMs: performance.now() };
      lastReason = undefined;
      parts.published(outcome);
      await pause(SPACING_MS, signal);
      continue;
    }
    // It may have cosigned without our hearing of it.
    witnessSize = undefined;
    if (outcome !== lastReason) parts.waits(outcome);
    lastReason = outcome;
    await pause(RETRY_MS, signal);
  }
}

/** The size the witness has seen, which our tree continues; `undefined` when it does not answer. */
async function sizeAtWitness(parts: PublishParts): Promise<number | undefined> {
  const { witness, trust, files, tree, saw } = parts;
  const answer = await answerOf(async () => ({ seen: await witness.latest(trust.logKey) }));
  if (answer === undefined) return undefined;
  const { seen } = answer;
  if (seen === undefined || seen.size === 0) return 0;
  saw(seen);
  const { size } = tree();
  if (seen.size > size) halt('restored_backup');
  if (!sameBytes(rangeRoot(0, seen.size, hashesFromTiles(size, files.read)), seen.root)) halt('root_differs');
  return seen.size;
}

/** @returns the size that was published, or why none was */
async function publishOnce(parts: PublishParts, older: number): Promise<number | WaitReason> {
  const { database, files, epoch, trust, sign, witness } = parts;
  const edge = parts.tree();
  const { size } = edge;
  const proof = consistencyProof(older, size, hashesFromTiles(size, files.read));
  // Last, so that a writer that slept through all of this signs nothing.
  if (!(await database.isWriter(epoch))) return refuse('unavailable', { detail: 'superseded' });
  const note = sign(size, rootOf(edge));
  const answer = await answerOf(() => witness.add(older, proof, note));
  if (answer === undefined) return 'unreachable';
  if (answer.kind === 'conflict') return 'conflict';
  if (answer.kind === 'refused') return answer.reason;
  const cosigned = note + answer.lines;
  if (!isWitnessed(cosigned, trust)) return 'cosignature_wrong';
  const isKept = await database.keepWitnessed(epoch, size, cosigned);
  if (!isKept) return refuse('unavailable', { detail: 'superseded' });
  await files.writeCheckpoint(cosigned);
  return size;
}

function isWitnessed(note: string, { logKey, policy }: LogTrust): boolean {
  try {
    verifyCheckpoint(Buffer.from(note), logKey, policy);
    return true;
  } catch (error) {
    if (error instanceof DispatchError && error.code === 'unauthenticated') return false;
    throw error;
  }
}

/** What the witness answers; `undefined` when it has no answer that can be used. */
async function answerOf<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DispatchError) return undefined;
    throw error;
  }
}
