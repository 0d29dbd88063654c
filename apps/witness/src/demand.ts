import { verifyInclusion } from '@deadlatch/audit-log';
import { type ServiceClient, validator } from '@deadlatch/http';
import { type Clock, DispatchError, refuse } from '@deadlatch/kernel';
import { fromBase64url } from '@deadlatch/signing';
import { codeOf } from '@deadlatch/telemetry';
import Type, { type Static } from 'typebox';
import type { Cosigner } from './cosigner.ts';
import { type Answer, judge } from './judge.ts';
import { alarmOf, type Ledger, type PendingReceipt } from './ledger.ts';
import type { WitnessLogger } from './log-events.ts';
import type { NotedCheckpoint } from './stored-head.ts';

/** Asks the log, again and again, for the events that were promised. */
export interface Demand {
  /** Asks for everything once. Never throws: what cannot be asked waits, and in time nothing is cosigned any more. */
  round(): Promise<void>;
}

/** What the log takes in one question. */
const BATCH = 256;

const Hash = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });
/** Its own checkpoint is not looked at: proofs are held against the tree that the witness knows. */
const ProofsAnswer = Type.Object({
  proofs: Type.Array(
    Type.Object({
      leaf_hash: Hash,
      index: Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()]),
      hashes: Type.Optional(Type.Array(Hash, { maxItems: 64 })),
    }),
    { maxItems: BATCH },
  ),
  oldest_unsequenced: Type.Union([Type.String({ maxLength: 40 }), Type.Null()]),
});
const readProofs = validator<Static<typeof ProofsAnswer>>(ProofsAnswer);

export interface DemandParts {
  readonly sequencer: Pick<ServiceClient, 'write'>;
  readonly ledger: Ledger;
  readonly cosigner: Pick<Cosigner, 'head' | 'handedInAt'>;
  readonly now: Clock;
  readonly steady: () => number;
  readonly logger: WitnessLogger;
}

/**
 * @invariant an event counts as logged only by a proof that leads from the promised leaf hash to a root that the
 * witness itself has found to continue all before it
 * @source F.5
 */
export function createDemand(parts: DemandParts): Demand {
  const { sequencer, ledger, cosigner, logger, steady } = parts;

  const ask = async (batch: readonly PendingReceipt[]): Promise<void> => {
    const { known } = cosigner.head();
    const handedInAt = cosigner.handedInAt();
    const question = { size: known?.size ?? 0, leaf_hashes: batch.map(({ leafHash }) => leafHash) };
    const given = readProofs(await sequencer.write('/v1/proofs', question));
    const oldestWaitingMs = instantOf(given.oldest_unsequenced);
    const shown = new Set<string>();
    for (const { leaf_hash: leafHash, index, hashes } of given.proofs) {
      if (index === null) continue;
      if (known !== null && leadsTo(known, leafHash, index, hashes ?? [])) shown.add(leafHash);
      else logger.event('proof.wrong', { event_id: eventOf(batch, leafHash) });
    }
    await settle(batch.filter(({ leafHash }) => shown.has(leafHash)));
    await judgeMissing(
      batch.filter(({ leafHash }) => !shown.has(leafHash)),
      { oldestWaitingMs, handedInAt },
    );
  };

  const settle = async (found: readonly PendingReceipt[]): Promise<void> => {
    const over = new Set(found.map(({ leafHash }) => leafHash));
    const lowered = ledger.alarms().filter(({ leafHash }) => leafHash !== null && over.has(leafHash));
    await ledger.settle([...over]);
    for (const { kind, eventId } of lowered) {
      logger.event('alarm.lowered', { kind, event_id: eventId ?? undefined, reason: 'in_the_log' });
    }
  };

  const judgeMissing = async (missing: readonly PendingReceipt[], answer: Answer): Promise<void> => {
    const standing = new Set(ledger.alarms().map(({ leafHash }) => leafHash));
    const found = missing.map((receipt) => ({ receipt, verdict: judge(receipt, answer, steady()) }));
    const isGone = ({ receipt, verdict }: (typeof found)[number]) =>
      verdict === 'omitted' && Date.parse(receipt.time) <= ledger.restoredAt();
    const gone = found.filter(isGone).map(({ receipt }) => receipt.eventId);
    await ledger.forgive(gone);
    for (const eventId of gone) logger.event('promise.given_up', { event_id: eventId });
    const alarms = found.flatMap((one) => {
      const { receipt, verdict } = one;
      const isNew = verdict !== 'wait' && !isGone(one) && !standing.has(receipt.leafHash);
      return isNew ? [alarmOf(verdict, receipt, parts.now())] : [];
    });
    for (const { kind, eventId } of alarms) {
      logger.event('alarm.raised', {
        kind,
        event_id: eventId ?? undefined,
        size: cosigner.head().known?.size,
      });
    }
    await ledger.raise(alarms);
  };

  return {
    round: async () => {
      const pending = ledger.pending();
      try {
        for (let at = 0; at < pending.length; at += BATCH) await ask(pending.slice(at, at + BATCH));
      } catch (error) {
        logger.event('proofs.unavailable', { code: codeOf(error), pending: pending.length });
      }
    },
  };
}

/** Whether the proof leads from this leaf to the root that the witness knows. */
function leadsTo(
  { size, root }: Pick<NotedCheckpoint, 'size' | 'root'>,
  leafHash: string,
  index: number,
  hashes: readonly string[],
): boolean {
  const bytes = (text: string) => fromBase64url(text) ?? Buffer.alloc(0);
  try {
    verifyInclusion({ index, size, root, leafHash: bytes(leafHash), proof: hashes.map(bytes) });
    return true;
  } catch (error) {
    if (error instanceof DispatchError && error.code === 'unauthenticated') return false;
    throw error;
  }
}

function eventOf(batch: readonly PendingReceipt[], leafHash: string): string | undefined {
  return batch.find((receipt) => receipt.leafHash === leafHash)?.eventId;
}

/** @throws DispatchError `schema_mismatch` when it is no instant: then nothing counts that was said with it */
function instantOf(text: string | null): number | null {
  const ms = text === null ? null : Date.parse(text);
  return Number.isNaN(ms) ? refuse('schema_mismatch', { detail: 'not_an_instant' }) : ms;
}
