import {
  createTrailCheck,
  hashesFromTiles,
  inclusionProof,
  leafHash,
  type OnEvent,
  readEvent,
  recomputeLeaf,
  verifyCheckpoint,
  verifyInclusion,
  type WitnessedCheckpoint,
} from '@deadlatch/audit-log';
import { DispatchError, parseStrictJson } from '@deadlatch/kernel';
import { fromBase64url, toBase64url } from '@deadlatch/signing';
import { StartError } from '../arguments.ts';
import type { Operator } from '../operator.ts';
import type { AuditTrust } from './audit-trust.ts';
import { readCheckpoint } from './export-installation.ts';
import { type EventFilter, findEvents } from './find-events.ts';
import { entryAt, linesOf, readTileIn } from './log-folder.ts';
import { inSnapshot } from './read-rows.ts';
import type { AuditProblem, AuditReport } from './verify-audit.ts';
import { createLines } from './write-lines.ts';

/** First line of a proof file. */
interface ProofHead {
  readonly kind: 'deadlatch-audit-proof';
  /** the cosigned note */
  readonly checkpoint: string;
  /** what was asked for; says nothing about what is missing */
  readonly filter: EventFilter;
}

/** Every further line: one event of the log, as it was hashed, and the hashes that lead to the root. */
interface ProvenLine {
  readonly index: number;
  readonly event: string;
  readonly proof: readonly string[];
}

const KIND = 'deadlatch-audit-proof';

/**
 * Writes events with their inclusion proofs: what a customer may get about their own. Of other events it holds hashes
 * alone, of tiles nothing.
 * @returns how many events were proven, and how many match that have no place under the checkpoint yet
 */
export async function writeProof(
  operator: Operator,
  logFolder: string,
  filter: EventFilter,
  out: string,
): Promise<{ readonly events: number; readonly pending: number }> {
  const { note, checkpoint } = readCheckpoint(operator, logFolder);
  const { size } = checkpoint;
  const read = readTileIn(logFolder);
  const hashAt = hashesFromTiles(size, read);
  const lines = await createLines(out);
  const head: ProofHead = { kind: KIND, checkpoint: Buffer.from(note).toString('utf8'), filter };
  await lines.write(JSON.stringify(head));
  const count = { events: 0, pending: 0 };
  await inSnapshot(operator.client, async () => {
    for await (const { id, index } of findEvents(operator.client, filter, false)) {
      if (index === null || index >= size) {
        count.pending += 1;
        continue;
      }
      const entry = entryAt(read, index, size);
      const event = readEvent(entry);
      if (typeof event === 'string' || event.id !== id)
        throw new StartError(
          `The log has another event at ${index} than the database says; run audit verify.`,
        );
      const proof = inclusionProof(index, size, hashAt).map(toBase64url);
      // What does not verify here would not verify there.
      verifyInclusion({
        index,
        size,
        leafHash: leafHash(entry),
        root: checkpoint.root,
        proof: bytesOf(proof),
      });
      const line: ProvenLine = { index, event: Buffer.from(entry).toString('utf8'), proof };
      await lines.write(JSON.stringify(line));
      count.events += 1;
    }
  });
  await lines.close();
  return count;
}

/**
 * Verifies a proof file by itself: the checkpoint, that each event is in the log at its index, and what backs it.
 * Whether other events are missing from the file, no proof can say.
 */
export function verifyProofFile(path: string, trust: AuditTrust): AuditReport {
  const problems: AuditProblem[] = [];
  const found = (kind: AuditProblem['kind'], index: number | null, reason: string) =>
    problems.push({ kind, index, through: index, event_id: null, reason });
  const trail = createTrailCheck(trust.trail, { isExcerpt: true });
  const from = performance.now();
  let checkpoint: WitnessedCheckpoint | undefined;
  let line = 0;
  let last = -1;
  for (const bytes of linesOf(path)) {
    line += 1;
    try {
      if (line === 1) checkpoint = readHead(bytes, trust);
      else if (checkpoint !== undefined)
        last = checkLine(bytes, checkpoint, last, (event, at) => trail.event(event, at));
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error;
      const what = line === 1 ? 'the checkpoint does not count' : `line ${line} proves nothing`;
      found(
        line === 1 ? 'checkpoint' : 'malformed',
        indexOf(bytes),
        `${what}: ${error.detail ?? error.code}`,
      );
    }
  }
  if (line === 0) found('checkpoint', null, 'the file is empty');
  const report = trail.finish(false);
  const { events, signatures, unasked, effects, objects, rows } = report;
  problems.push(
    ...report.problems.map(({ index, eventId, reason }) => ({
      ...{ kind: 'trail' as const, index, through: index, event_id: eventId, reason },
    })),
  );
  if (checkpoint !== undefined && events === 0) found('removed', null, 'no event is in the file');
  const times = (checkpoint?.cosignatures ?? []).map(
    ({ witness, timeS }) => `${witness} at ${new Date(timeS * 1000).toISOString()}`,
  );
  return {
    ...{ events, signatures, unasked, effects, objects, rows, pending: [], problems },
    size: checkpoint?.size ?? null,
    root: checkpoint ? Buffer.from(checkpoint.root).toString('base64') : null,
    checked:
      problems.length > 0
        ? []
        : [
            `${events} events are in the log of ${checkpoint?.origin}, each at the index given, under the root it signed for size ${checkpoint?.size}`,
            `cosigned by ${times.join(', ')}; the policy asks for ${trust.log.policy.quorum} of ${trust.log.policy.witnesses.length}`,
            `${signatures} of them are backed by a signature of their own, for ${unasked} there is no request to check`,
            'whether other events exist that are not in the file, a proof cannot say',
          ],
    took_ms: { log: 0, trail: Math.round(performance.now() - from) },
  };
}

function readHead(bytes: Uint8Array, { log }: AuditTrust): WitnessedCheckpoint {
  const { kind, checkpoint } = parseStrictJson(bytes) as unknown as Partial<ProofHead>;
  if (kind !== KIND || typeof checkpoint !== 'string')
    throw new DispatchError('malformed_body', { detail: 'not_a_proof_file' });
  return verifyCheckpoint(Buffer.from(checkpoint), log.logKey, log.policy);
}

/** @returns its index, which must be above that of the line before */
function checkLine(
  bytes: Uint8Array,
  { size, root }: WitnessedCheckpoint,
  last: number,
  onEvent: OnEvent,
): number {
  const { index, event, proof } = parseStrictJson(bytes) as unknown as Partial<ProvenLine>;
  if (typeof index !== 'number' || typeof event !== 'string' || !Array.isArray(proof) || proof.length > 64)
    throw new DispatchError('malformed_body', { detail: 'not_a_proof' });
  if (index <= last) throw new DispatchError('malformed_body', { detail: 'index_not_rising' });
  const entry = Buffer.from(event);
  verifyInclusion({ index, size, leafHash: recomputeLeaf(entry), root, proof: bytesOf(proof) });
  onEvent(entry, index);
  return index;
}

function bytesOf(proof: readonly unknown[]): Uint8Array[] {
  return proof.map(
    (hash) => (typeof hash === 'string' ? fromBase64url(hash) : undefined) ?? new Uint8Array(),
  );
}

/** The index that a line claims, to name it by. */
function indexOf(bytes: Uint8Array): number | null {
  const [, index] = /"index":(\d{1,15})/.exec(Buffer.from(bytes).toString('latin1')) ?? [];
  return index === undefined ? null : Number(index);
}
