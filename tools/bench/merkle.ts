import { randomUUID } from 'node:crypto';
import {
  appendEvents,
  consistencyProof,
  cosign,
  emptyEdge,
  formatExportLine,
  formatNoteKey,
  hashesFromTiles,
  inclusionProof,
  leafHash,
  logOrigin,
  nodeHash,
  noteKey,
  parseTilePath,
  rangeRoot,
  rootOf,
  signCheckpoint,
  verifyConsistency,
  verifyInclusion,
  verifyLog,
  witnessPolicy,
} from '@deadlatch/audit-log';
import { toInstant } from '@deadlatch/kernel';
import { canonicalJson, generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { ENVIRONMENT } from './command.ts';
import { median, type Results } from './report.ts';

const EVENTS = 25_000;
const ROUNDS = 5;
const LARGE_TREE = 10_000_000;
const PROOFS = 2_000;

/**
 * One core alone: what verifying a log costs, and what a proof costs in a log of ten million events.
 * @param body of an event as the road wrote it; every event measured is as long
 */
export function measureMerkle(body: string): Results {
  return {
    verification_events_per_s: verificationPerS(body),
    ...proofsOfLargeTree(),
  };
}

/** An export, from the lines to the report: hashes, canonical form, times, ids, root, signatures. */
function verificationPerS(body: string): number {
  const events = eventsLike(body);
  const { edge, leafHashes } = appendEvents(emptyEdge(), events);
  const origin = logOrigin(ENVIRONMENT);
  const [log, witness] = [generateSigningKeyPem(), generateSigningKeyPem()].map(loadSigningKey);
  if (log === undefined || witness === undefined) throw new Error('no keys');
  const signed = signCheckpoint({ origin, size: edge.size, root: rootOf(edge) }, log);
  const text = signed.slice(0, signed.indexOf('\n\n') + 1);
  const name = `${ENVIRONMENT}.deadlatch/witness`;
  const checkpoint = Buffer.from(signed + cosign(text, Math.floor(Date.now() / 1000), name, witness));
  const none = new Uint8Array();
  const lines = events.map((event, index) =>
    formatExportLine({ index, leafHash: leafHashes[index] ?? none, event }),
  );
  const trust = {
    logKey: noteKey('log', origin, log.publicKey),
    policy: witnessPolicy(1, [formatNoteKey(noteKey('witness', name, witness.publicKey))]),
    slackMs: 60_000,
  };
  const rates: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const from = performance.now();
    const { problems } = verifyLog(
      { source: { kind: 'export', lines }, checkpoint, otherCheckpoints: [], receipts: [] },
      trust,
    );
    const took = performance.now() - from;
    if (problems.length > 0) throw new Error(`the log measured is not sound: ${problems[0]?.reason}`);
    if (round > 0) rates.push((EVENTS * 1000) / took);
  }
  return median(rates);
}

function eventsLike(body: string): Buffer[] {
  const model = JSON.parse(body) as Record<string, never>;
  const from = Date.now() - EVENTS;
  return Array.from({ length: EVENTS }, (_, at) =>
    Buffer.from(canonicalJson({ ...model, id: randomUUID(), time: toInstant(from + at) })),
  );
}

/**
 * A tree whose leaves are all alike needs one hash for each height, so one of ten million costs nothing to make;
 * its tiles, proofs and root are as long and as deep as any other's.
 */
function proofsOfLargeTree(): Results {
  const leaf = leafHash(Buffer.from('{}'));
  const byHeight = [leaf];
  for (let height = 1; height < 32; height += 1) {
    const below = byHeight[height - 1] ?? leaf;
    byHeight.push(nodeHash(below, below));
  }
  const read = (path: string) => {
    const { level, width } = parseTilePath(path);
    const hash = typeof level === 'number' ? byHeight[level * 8] : undefined;
    return hash && Buffer.concat(Array.from({ length: width }, () => hash));
  };
  const root = rangeRoot(0, LARGE_TREE, hashesFromTiles(LARGE_TREE, read));
  const indexes = Array.from({ length: PROOFS }, (_, i) => Math.floor((i * LARGE_TREE) / PROOFS));
  const made = timed(indexes, (index) =>
    // A cache of tiles of its own for every proof: what somebody pays who asks for one.
    inclusionProof(index, LARGE_TREE, hashesFromTiles(LARGE_TREE, read)),
  );
  const checked = timed(made.results, (proof, at) =>
    verifyInclusion({ index: indexes[at] ?? -1, size: LARGE_TREE, leafHash: leaf, root, proof }),
  );
  const olderSize = LARGE_TREE - 1;
  const hashAt = hashesFromTiles(LARGE_TREE, read);
  const consistency = consistencyProof(olderSize, LARGE_TREE, hashAt);
  const olderRoot = rangeRoot(0, olderSize, hashesFromTiles(olderSize, read));
  verifyConsistency({ olderSize, olderRoot, size: LARGE_TREE, root, proof: consistency });
  const hashes = Math.max(...made.results.map((proof) => proof.length));
  return {
    inclusion_proof_hashes_10m: hashes,
    inclusion_proof_bytes_10m: hashes * leaf.byteLength,
    inclusion_proof_us_10m: made.us,
    inclusion_check_us_10m: checked.us,
    consistency_proof_hashes_10m: consistency.length,
  };
}

/** Microseconds one piece of work takes, and what all of them answered. */
function timed<In, Out>(inputs: readonly In[], work: (input: In, at: number) => Out) {
  inputs.slice(0, 100).forEach(work);
  const from = performance.now();
  const results = inputs.map(work);
  return { us: ((performance.now() - from) * 1000) / inputs.length, results };
}
