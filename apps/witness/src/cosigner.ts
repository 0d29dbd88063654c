import {
  type ConsistencyClaim,
  cosign,
  type NoteKey,
  parseCheckpoint,
  parseNote,
  provesOtherPast,
  type SignedNote,
  sameBytes,
  signatureLine,
  signaturesOf,
  verifyConsistency,
  verifyNote,
} from '@deadlatch/audit-log';
import { type Clock, DispatchError, refuse, toInstant } from '@deadlatch/kernel';
import type { ServiceKeyPair } from '@deadlatch/signing';
import { createQueue } from './durable-file.ts';
import { LATE_MS } from './judge.ts';
import type { Ledger } from './ledger.ts';
import type { WitnessLogger } from './log-events.ts';
import { type Head, type NotedCheckpoint, noted, type StoredHead } from './stored-head.ts';
import { parseSubmission, type Submission } from './submission.ts';

/**
 * What comes of a submission. `conflict`: it does not go on from what is known, which has `size`. `withheld`: it does,
 * and it is known from now on, but it is not cosigned while events are missing.
 */
export type Verdict =
  | { readonly kind: 'cosigned'; readonly line: string }
  | { readonly kind: 'conflict'; readonly size: number }
  | { readonly kind: 'malformed' | 'unknown_log' | 'unsigned' | 'unproven' | 'withheld' };

/** Sees that the log only grows. */
export interface Cosigner {
  /**
   * One submission, one after the other.
   * @throws DispatchError `unavailable` when the disk does not take it
   * @invariant whatever is cosigned continues all that was cosigned before, and was on the disk before it was said
   * @source C2SP tlog-witness, add-checkpoint
   */
  submit(body: Uint8Array): Promise<Verdict>;
  head(): Head;
  /** when a checkpoint was last found to be consistent, steady milliseconds; null when none was since the start */
  handedInAt(): number | null;
}

export interface CosignerParts {
  readonly logKey: NoteKey;
  /** under which verifiers have pinned the witness */
  readonly name: string;
  readonly key: ServiceKeyPair;
  readonly stored: StoredHead;
  readonly ledger: Ledger;
  readonly now: Clock;
  readonly steady: () => number;
  readonly logger: WitnessLogger;
  /** called after more of the log became known */
  readonly grown: () => void;
}

export function createCosigner(parts: CosignerParts): Cosigner {
  const { logKey, name, key, stored, ledger, now, steady, logger } = parts;
  const inTurn = createQueue();
  let head = stored.atStart;
  let handedInAt: number | null = null;

  const keep = async (next: Head): Promise<void> => {
    const isGrown = next.known?.size !== head.known?.size;
    await stored.write(next);
    head = next;
    handedInAt = steady();
    if (isGrown) parts.grown();
  };

  const takeOver = async (checkpoint: NotedCheckpoint): Promise<Verdict> => {
    const { size, text } = checkpoint;
    const { length: alarms } = ledger.alarms();
    const overdue = ledger.waitingFor(LATE_MS);
    if (alarms > 0 || overdue > 0) {
      await keep({ known: checkpoint, cosigned: head.cosigned });
      logger.event('checkpoint.withheld', { size, alarms, overdue });
      return { kind: 'withheld' };
    }
    const line = cosign(text, Math.floor(now() / 1000), name, key);
    await keep({ known: checkpoint, cosigned: noted(checkpoint.note + line) });
    logger.event('checkpoint.cosigned', { size });
    return { kind: 'cosigned', line };
  };

  const refused = (kind: Exclude<Verdict['kind'], 'cosigned' | 'conflict'>, size?: number): Verdict => {
    logger.event('checkpoint.refused', { reason: kind, size, known: head.known?.size ?? 0 });
    return { kind };
  };

  const splitView = async (other: string): Promise<void> => {
    const evidence = [head.known?.note ?? '', other];
    const isFirst = !ledger.alarms().some(({ kind }) => kind === 'split_view');
    if (isFirst) logger.event('alarm.raised', { kind: 'split_view', size: head.known?.size });
    await ledger.raise([
      { kind: 'split_view', leafHash: null, eventId: null, time: toInstant(now()), evidence },
    ]);
  };

  return {
    head: () => head,
    handedInAt: () => handedInAt,
    submit: (body) =>
      inTurn(async () => {
        const read = readSubmission(body, logKey);
        if (typeof read === 'string') return refused(read);
        const { submission, checkpoint } = read;
        const { size, root } = checkpoint;
        const known = head.known;
        const isOwnWord = submission.oldSize === (known?.size ?? 0);
        if (submission.oldSize > size) {
          // Who says from where it goes on, and then shows less, says that the log shrank.
          if (isOwnWord) await splitView(checkpoint.note);
          return refused('malformed', size);
        }
        if (!isOwnWord) return { kind: 'conflict', size: known?.size ?? 0 };
        if (known === null || known.size === 0) {
          return submission.proof.length === 0 ? takeOver(checkpoint) : refused('unproven', size);
        }
        if (size === known.size && !sameBytes(root, known.root)) {
          await splitView(checkpoint.note);
          return { kind: 'conflict', size };
        }
        const claim = { olderSize: known.size, olderRoot: known.root, size, root, proof: submission.proof };
        if (isConsistent(claim)) return takeOver(checkpoint);
        if (provesOtherPast(claim)) await splitView(checkpoint.note);
        return refused('unproven', size);
      }),
  };
}

interface Read {
  readonly submission: Submission;
  readonly checkpoint: NotedCheckpoint;
}

/** A submission whose checkpoint this log signed, or why it is none. */
function readSubmission(body: Uint8Array, logKey: NoteKey): Read | 'malformed' | 'unknown_log' | 'unsigned' {
  const submission = attempt(() => parseSubmission(body));
  const note = submission && attempt(() => parseNote(submission.note));
  if (submission === undefined || note === undefined) return 'malformed';
  if (note.text.split('\n', 1)[0] !== logKey.name) return 'unknown_log';
  if (attempt(() => verifyNote(note, logKey)) === undefined) return 'unsigned';
  const checkpoint = attempt(() => parseCheckpoint(note.text));
  if (checkpoint === undefined) return 'malformed';
  return { submission, checkpoint: { ...checkpoint, text: note.text, note: ownSignatures(note, logKey) } };
}

/** The note with the log's signatures alone: what strangers signed is not kept. */
function ownSignatures(note: SignedNote, logKey: NoteKey): string {
  const own = signaturesOf(note, logKey).map(({ bytes }) => signatureLine(logKey, bytes));
  return `${note.text}\n${own.join('')}`;
}

function isConsistent(claim: ConsistencyClaim): boolean {
  return attempt(() => verifyConsistency(claim) ?? true) === true;
}

/** The value, or `undefined` where it is refused; what breaks is not taken for a refusal. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    const isRefusal =
      error instanceof DispatchError && (error.code === 'unauthenticated' || error.code === 'malformed_body');
    return isRefusal ? undefined : refuse('unavailable', { detail: 'submission_not_judged', cause: error });
  }
}
