import { refuse } from '@deadlatch/kernel';
import { HASH_BYTES, type HashAt, nodeHash, sameBytes } from './hashing.ts';
import { parseTilePath, TILE_HEIGHT, TILE_WIDTH, tileOf, tilePath } from './tile-layout.ts';

/** The bytes stored at a path of the log, or `undefined` when there are none. */
export type ReadTile = (path: string) => Uint8Array | undefined;

/** What the length prefix can say. @source C2SP tlog-tiles, Log entries */
export const MAX_ENTRY_BYTES = 65_535;
const LENGTH_BYTES = 2;

/**
 * Entries as a bundle holds them: each behind its length.
 * @throws DispatchError `payload_too_large` when one is longer than 65,535 bytes
 */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const size = entries.reduce((sum, entry) => sum + LENGTH_BYTES + entry.byteLength, 0);
  const bundle = Buffer.allocUnsafe(size);
  let at = 0;
  for (const entry of entries) {
    if (entry.byteLength > MAX_ENTRY_BYTES) refuse('payload_too_large', { detail: 'log_entry_too_long' });
    bundle.writeUInt16BE(entry.byteLength, at);
    bundle.set(entry, at + LENGTH_BYTES);
    at += LENGTH_BYTES + entry.byteLength;
  }
  return bundle;
}

/** The entries of a bundle. @throws DispatchError `unauthenticated` when it ends inside an entry */
export function decodeBundle(bytes: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < view.byteLength) {
    const start = at + LENGTH_BYTES;
    const end = start <= view.byteLength ? start + view.readUInt16BE(at) : Number.POSITIVE_INFINITY;
    if (end > view.byteLength) return refuse('unauthenticated', { detail: 'bundle_cut_off' });
    entries.push(view.subarray(start, end));
    at = end;
  }
  return entries;
}

/**
 * Finds complete subtrees in the tiles of a tree of `size` entries, for proofs and for going on with a log.
 * A full tile stands in for a partial one that was deleted. Nothing is verified: compare the root with a checkpoint.
 * @throws DispatchError (from the result) `unavailable` when a tile is missing or has another length than it must
 * @source C2SP tlog-tiles, Partial Tiles
 */
export function hashesFromTiles(size: number, read: ReadTile): HashAt {
  const seen = new Map<string, Uint8Array>();
  const tile = (level: number, index: number): Uint8Array => {
    const name = tileOf(level, index, size);
    const path = tilePath(name);
    const known = seen.get(path);
    if (known) return known;
    const found = read(path) ?? read(tilePath({ ...name, width: TILE_WIDTH }));
    const isWhole =
      found?.byteLength === name.width * HASH_BYTES || found?.byteLength === TILE_WIDTH * HASH_BYTES;
    if (!found || !isWhole) return refuse('unavailable', { detail: 'tile_missing_or_cut_off' });
    seen.set(path, found);
    return found;
  };
  return (height, index) => {
    const level = Math.floor(height / TILE_HEIGHT);
    const span = 2 ** (height % TILE_HEIGHT);
    const first = index * span;
    if ((first + span) * TILE_WIDTH ** level > size)
      refuse('unavailable', { detail: 'subtree_not_complete' });
    const hashes = tile(level, Math.floor(first / TILE_WIDTH));
    const from = first % TILE_WIDTH;
    let row = Array.from({ length: span }, (_, i) =>
      hashes.subarray((from + i) * HASH_BYTES, (from + i + 1) * HASH_BYTES),
    );
    while (row.length > 1) row = pairs(row);
    return row[0] ?? refuse('unavailable', { detail: 'empty_range' });
  };
}

function pairs(row: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let i = 1; i < row.length; i += 2) {
    const [left, right] = [row[i - 1], row[i]];
    if (left && right) above.push(nodeHash(left, right));
  }
  return above;
}

/**
 * Lets a store write a tile only once: the same bytes again are a retry after a crash, other bytes a rewritten past.
 * Ask before each write, with what is stored under the path, and again for the widest partial tile that is stored.
 * @throws DispatchError `unavailable` when `next` would change what `stored` says
 * @source C2SP tlog-tiles (tiles are immutable; a partial one only grows)
 */
export function refuseRewrite(storedPath: string, stored: Uint8Array, path: string, next: Uint8Array): void {
  const before = parseTilePath(storedPath);
  const after = parseTilePath(path);
  const isSamePlace = before.level === after.level && before.index === after.index;
  if (!isSamePlace || after.width < before.width || next.byteLength < stored.byteLength)
    refuse('unavailable', { detail: 'tile_would_shrink' });
  const isUnchanged = sameBytes(stored, next.subarray(0, stored.byteLength));
  if (!isUnchanged || (after.width === before.width && next.byteLength !== stored.byteLength))
    refuse('unavailable', { detail: 'tile_would_change' });
}
