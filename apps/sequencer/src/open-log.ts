import {
  appendEvents,
  emptyEdge,
  emptyRoot,
  hashesFromTiles,
  type LogEdge,
  leafHash,
  rangeRoot,
  readEdge,
  rootOf,
  type SignedCheckpoint,
  sameBytes,
  verifyLogSignature,
} from '@deadlatch/audit-log';
import { DispatchError } from '@deadlatch/kernel';
import { halt } from './halt.ts';
import type { LogDatabase, LogHead } from './log-database.ts';
import type { LogTrust } from './log-trust.ts';
import type { TileFiles } from './tile-files.ts';

/** A state of the log that somebody may rely on already. */
type KnownTree = Pick<SignedCheckpoint, 'size' | 'root'>;

export interface OpenedLog {
  readonly epoch: number;
  readonly edge: LogEdge;
  /** size of the newest checkpoint that was published */
  readonly publishedSize: number;
}

export interface OpenParts {
  readonly database: LogDatabase;
  readonly files: TileFiles;
  readonly trust: LogTrust;
  /** the newest checkpoint that a witness has shown us with our own signature, if any has */
  readonly seen: SignedCheckpoint | undefined;
}

/**
 * Takes the log over where the last writer left it: proves that the database still has everything that was signed,
 * writes the tiles it did not come to, and raises the epoch, so that it commits nothing any more.
 *
 * The database alone says what the log is; tiles and signed checkpoints are what it is held against.
 * @throws DispatchError `unavailable` with a `HaltReason` as detail; errors of the driver and the file system;
 * `unavailable`, detail `head_moved`, when another writer was still at work: try again
 * @invariant the tree continues every checkpoint that this log signed and that can still be found
 * @source F.4, F.8, R.1
 */
export async function openLog(parts: OpenParts): Promise<OpenedLog> {
  const { database, files, trust, seen } = parts;
  await files.removeScratch();
  const head = await database.readHead();
  const origin = trust.logKey.name;
  if (head.origin !== null && head.origin !== origin) halt('other_origin');
  const published = [signedBy(trust, files.readCheckpoint()), signedBy(trust, head.witnessedNote)];
  const known = [...published, seen].filter((one) => one !== undefined).sort((a, b) => a.size - b.size);
  if (known.some((one) => one.size > head.size) || head.witnessedSize > head.size) halt('restored_backup');
  const edge = await edgeOf(head, known, parts);
  const epoch = await database.takeOver(head, origin);
  if (epoch === undefined) throw new DispatchError('unavailable', { detail: 'head_moved' });
  const sizes = published.map((one) => one?.size ?? 0);
  return { epoch, edge, publishedSize: Math.max(...sizes) };
}

function signedBy({ logKey }: LogTrust, note: Uint8Array | null | undefined): SignedCheckpoint | undefined {
  if (note === null || note === undefined) return undefined;
  try {
    return verifyLogSignature(note, logKey);
  } catch (error) {
    return halt('checkpoint_not_ours', error);
  }
}

/** The edge of the log that the database states, with all of its tiles on the disk. */
async function edgeOf(head: LogHead, known: readonly KnownTree[], parts: OpenParts): Promise<LogEdge> {
  const target = { size: head.size, root: head.root ?? emptyRoot() };
  const start = edgeFromTiles(known, parts.files);
  if (start !== undefined) return await grow(start, [target], parts);
  // Tiles are gone, or say something else: all of them again, and those that are there must be the same.
  return await grow(emptyEdge(), [...known, target], parts);
}

/** The edge at the newest known tree; nothing when its tiles do not lead to it, and to the others before it. */
function edgeFromTiles(known: readonly KnownTree[], { read }: TileFiles): LogEdge | undefined {
  const newest = known.at(-1);
  if (newest === undefined) return undefined;
  try {
    const edge = readEdge(newest.size, newest.root, read);
    const hashAt = hashesFromTiles(newest.size, read);
    const rootAt = (size: number) => (size === 0 ? emptyRoot() : rangeRoot(0, size, hashAt));
    return known.every(({ size, root }) => sameBytes(rootAt(size), root)) ? edge : undefined;
  } catch (error) {
    if (error instanceof DispatchError) return undefined;
    throw error;
  }
}

/** Appends what the database has, through every tree in turn. Each must have the root that is stated for it. */
async function grow(start: LogEdge, trees: readonly KnownTree[], parts: OpenParts): Promise<LogEdge> {
  let edge = start;
  for (const tree of trees) {
    while (edge.size < tree.size) edge = await growOnce(edge, tree.size, parts);
    if (edge.size !== tree.size || !sameBytes(rootOf(edge), tree.root)) halt('root_differs');
  }
  return edge;
}

async function growOnce(edge: LogEdge, end: number, { database, files }: OpenParts): Promise<LogEdge> {
  const found = await database.readEntries(edge.size);
  const page = found.slice(0, end - edge.size);
  const isWhole = page.length > 0 && page.every((entry, place) => entry.index === edge.size + place);
  if (!isWhole) halt('entry_missing');
  if (page.some((entry) => !sameBytes(leafHash(entry.body), entry.leafHash))) halt('event_altered');
  const appended = appendEvents(
    edge,
    page.map((entry) => entry.body),
  );
  await files.store(appended.files);
  return appended.edge;
}
