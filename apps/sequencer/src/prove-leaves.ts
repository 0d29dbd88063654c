import {
  emptyRoot,
  hashesFromTiles,
  inclusionProof,
  rangeRoot,
  verifyCheckpoint,
  verifyInclusion,
} from '@deadlatch/audit-log';
import { refuse } from '@deadlatch/kernel';
import { toBase64url } from '@deadlatch/signing';
import { halt } from './halt.ts';
import type { LogReader } from './log-database.ts';
import type { LogTrust } from './log-trust.ts';
import type { TileFiles } from './tile-files.ts';

export interface LeafProof {
  readonly leaf_hash: string;
  /** null: not among the entries of the tree */
  readonly index: number | null;
  /** lowest first, base64url */
  readonly hashes?: readonly string[];
}

export interface ProofAnswer {
  /** the newest published note, which all proofs are for; null where the asker named a tree */
  readonly checkpoint: string | null;
  readonly proofs: readonly LeafProof[];
  /** time of the oldest event that this tree does not cover, RFC 3339; nothing older waits */
  readonly oldest_unsequenced: string | null;
}

export interface ProofParts {
  readonly files: Pick<TileFiles, 'read' | 'readCheckpoint'>;
  readonly reader: LogReader;
  readonly readTrust: () => LogTrust;
}

/**
 * The newest cosigned checkpoint, as published.
 * @throws DispatchError `not_found` before the first; `unavailable` when what stands there does not count
 */
export function publishedNote({ files, readTrust }: Omit<ProofParts, 'reader'>) {
  const note = files.readCheckpoint() ?? refuse('not_found', { detail: 'nothing_published' });
  const { logKey, policy } = readTrust();
  try {
    return { note: Buffer.from(note), checkpoint: verifyCheckpoint(note, logKey, policy) };
  } catch (error) {
    return halt('checkpoint_not_ours', error);
  }
}

/** The tree of the first `size` entries. A witness may know one that is not published: it cosigned nothing since. */
function treeOf(size: number, { files }: Pick<ProofParts, 'files'>) {
  const root = size === 0 ? emptyRoot() : rangeRoot(0, size, hashesFromTiles(size, files.read));
  return { note: null, checkpoint: { size, root } };
}

/**
 * Proves which of these leaves a tree of the log has. Every proof is verified before it is given.
 * @param wanted how many entries that tree has; null for the published one
 * @throws DispatchError `not_found` before the first checkpoint; `unavailable` when a tile is missing or wrong, or
 * when the database has lost entries of the tree: then "not in the log" would be a lie
 * @source F.4, RFC 9162 section 2.1.3
 */
export async function proveLeaves(
  leafHashes: readonly Uint8Array[],
  wanted: number | null,
  parts: ProofParts,
): Promise<ProofAnswer> {
  const { files, reader } = parts;
  const { note, checkpoint } = wanted === null ? publishedNote(parts) : treeOf(wanted, parts);
  const { size, root } = checkpoint;
  const places = await reader.findLeaves(leafHashes, size);
  const oldest = await reader.oldestAfter(size);
  if (places.size < leafHashes.length && (await reader.size()) < size) halt('restored_backup');
  const hashAt = hashesFromTiles(size, files.read);
  const proofs = leafHashes.map((leafHash): LeafProof => {
    const leaf_hash = toBase64url(leafHash);
    const index = places.get(leaf_hash) ?? null;
    if (index === null) return { leaf_hash, index };
    const proof = inclusionProof(index, size, hashAt);
    try {
      verifyInclusion({ index, size, leafHash, root, proof });
    } catch (error) {
      return halt('tile_differs', error);
    }
    return { leaf_hash, index, hashes: proof.map(toBase64url) };
  });
  return { checkpoint: note?.toString() ?? null, proofs, oldest_unsequenced: oldest?.toISOString() ?? null };
}
