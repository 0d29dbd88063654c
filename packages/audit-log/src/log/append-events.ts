import { refuse } from '@deadlatch/kernel';
import { emptyRoot, HASH_BYTES, leafHash, nodeHash } from './hashing.ts';
import {
  decodeBundle,
  encodeBundle,
  hashesFromTiles,
  MAX_ENTRY_BYTES,
  type ReadTile,
} from './tile-contents.ts';
import { TILE_HEIGHT, TILE_WIDTH, tileLevels, tileOf, tilePath } from './tile-layout.ts';

/**
 * The right edge of a log: all that is needed to go on with it. A value: appending makes a new one, so a batch that
 * could not be stored is simply forgotten.
 */
export interface LogEdge {
  /** entries so far */
  readonly size: number;
  /** roots of the complete subtrees that the tree consists of, largest first: one for each bit of `size` */
  readonly nodes: readonly Uint8Array[];
  /** hashes of the partial tile of each level, lowest level first; empty where there is none */
  readonly tiles: readonly (readonly Uint8Array[])[];
  /** entries of the partial bundle */
  readonly entries: readonly Uint8Array[];
}

/** A resource of the log to be stored, under its path below the log's prefix. Once stored it never changes. */
export interface LogFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface AppendedEvents {
  readonly edge: LogEdge;
  /** of each entry, in order; the first one has the index `edge.size` had before */
  readonly leafHashes: readonly Uint8Array[];
  /** to be stored before a checkpoint of the new size is signed; in an order in which a crash leaves no gap */
  readonly files: readonly LogFile[];
}

/** The edge of a log without entries. */
export function emptyEdge(): LogEdge {
  return { size: 0, nodes: [], tiles: [], entries: [] };
}

/**
 * Finds the edge of a log of `size` entries in what is stored.
 * @throws DispatchError `unavailable` when a tile is missing or its root is not `root`
 * @param root of the last checkpoint, verified: going on from other tiles would sign a rewritten past
 */
export function readEdge(size: number, root: Uint8Array, read: ReadTile): LogEdge {
  const hashAt = hashesFromTiles(size, read);
  const nodes: Uint8Array[] = [];
  let start = 0;
  for (let height = 52; height >= 0; height -= 1) {
    const span = 2 ** height;
    if (size - start < span) continue;
    nodes.push(hashAt(height, start / span));
    start += span;
  }
  const tiles = Array.from({ length: tileLevels(size) }, (_, level) => {
    const hashes = Math.floor(size / TILE_WIDTH ** level);
    const from = hashes - (hashes % TILE_WIDTH);
    return Array.from({ length: hashes - from }, (_, i) => hashAt(level * TILE_HEIGHT, from + i));
  });
  const partial = size % TILE_WIDTH;
  const entries = partial === 0 ? [] : readPartialBundle(size, read);
  const edge: LogEdge = { size, nodes, tiles, entries };
  const isWhole =
    Buffer.compare(rootOf(edge), root) === 0 &&
    entries.length === partial &&
    entries.every((entry, i) => Buffer.compare(leafHash(entry), tiles[0]?.[i] ?? Buffer.alloc(0)) === 0);
  return isWhole ? edge : refuse('unavailable', { detail: 'log_edge_does_not_match_checkpoint' });
}

function readPartialBundle(size: number, read: ReadTile): Uint8Array[] {
  const name = tileOf('entries', Math.floor(size / TILE_WIDTH), size);
  const bytes = read(tilePath(name)) ?? read(tilePath({ ...name, width: TILE_WIDTH }));
  if (!bytes) return refuse('unavailable', { detail: 'tile_missing_or_cut_off' });
  return decodeBundle(bytes).slice(0, name.width);
}

/** The root over everything up to the edge. @source RFC 9162 section 2.1.1 */
export function rootOf({ nodes }: Pick<LogEdge, 'nodes'>): Uint8Array {
  return nodes.length === 0 ? emptyRoot() : nodes.reduceRight((right, left) => nodeHash(left, right));
}

/**
 * Appends entries: their leaf hashes, the new edge, and every tile and bundle that is new or wider.
 * @param entries the stored event bytes, in log order; nothing re-serialises them
 * @throws DispatchError `payload_too_large` when one is longer than a bundle can say; then none is appended
 */
export function appendEvents(edge: LogEdge, entries: readonly Uint8Array[]): AppendedEvents {
  if (entries.some((entry) => entry.byteLength > MAX_ENTRY_BYTES))
    refuse('payload_too_large', { detail: 'log_entry_too_long' });
  const nodes = [...edge.nodes];
  const tiles = edge.tiles.map((tile) => [...tile]);
  let bundle = [...edge.entries];
  let size = edge.size;
  const files: LogFile[] = [];
  const grown = new Set<number>();

  /** Takes the hash of a complete subtree of 256 ** level entries, the `index`-th of its level. */
  const take = (level: number, index: number, hash: Uint8Array) => {
    const tile = tiles[level] ?? [];
    tiles[level] = tile;
    tile.push(hash);
    grown.add(level);
    if (tile.length < TILE_WIDTH) return;
    const place = { level, index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH };
    files.push({ path: tilePath(place), bytes: Buffer.concat(tile, TILE_WIDTH * HASH_BYTES) });
    tiles[level] = [];
    grown.delete(level);
  };

  const leafHashes = entries.map((entry) => {
    const leaf = leafHash(entry);
    bundle.push(entry);
    if (bundle.length === TILE_WIDTH) {
      const index = Math.floor(size / TILE_WIDTH);
      files.push({
        path: tilePath({ level: 'entries', index, width: TILE_WIDTH }),
        bytes: encodeBundle(bundle),
      });
      bundle = [];
    }
    let hash = leaf;
    let height = 0;
    let index = size;
    take(0, index, hash);
    // A right child completes its parent, which may complete its own.
    while (index % 2 === 1) {
      const left = nodes.pop() ?? refuse('unavailable', { detail: 'log_edge_broken' });
      hash = nodeHash(left, hash);
      height += 1;
      index = (index - 1) / 2;
      if (height % TILE_HEIGHT === 0) take(height / TILE_HEIGHT, index, hash);
    }
    nodes.push(hash);
    size += 1;
    return leaf;
  });

  files.push(...partialFiles(size, tiles, entries.length > 0 ? bundle : [], grown));
  return { edge: { size, nodes, tiles, entries: bundle }, leafHashes, files };
}

/** The partial bundle and the partial tiles that changed. */
function partialFiles(
  size: number,
  tiles: readonly (readonly Uint8Array[])[],
  bundle: readonly Uint8Array[],
  grown: ReadonlySet<number>,
): LogFile[] {
  const files: LogFile[] = [];
  if (bundle.length > 0) {
    const name = tileOf('entries', Math.floor(size / TILE_WIDTH), size);
    files.push({ path: tilePath(name), bytes: encodeBundle(bundle) });
  }
  for (const level of [...grown].sort((a, b) => a - b)) {
    const tile = tiles[level] ?? [];
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    files.push({ path: tilePath(tileOf(level, index, size)), bytes: Buffer.concat(tile) });
  }
  return files;
}
