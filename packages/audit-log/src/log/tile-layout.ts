import { refuse } from '@deadlatch/kernel';
import { isTreeSize } from './hashing.ts';

/** Hashes in a full tile, and entries in a full bundle. @source C2SP tlog-tiles, Merkle Tree */
export const TILE_WIDTH = 256;
/** Levels of the tree that one level of tiles spans. */
export const TILE_HEIGHT = 8;
const MAX_LEVEL = 63;

/** One tile, or one bundle of entries (`level` is `entries`). `width` is below 256 for a partial one. */
export interface TileName {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

const PATH = /^tile\/(0|[1-9]\d?|entries)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/**
 * Where a tile lives below the log's prefix: `tile/0/x001/067`, `tile/entries/000.p/17`.
 * @throws DispatchError `unavailable` when there can be no such tile
 * @source C2SP tlog-tiles, Merkle Tree and Log entries
 */
export function tilePath({ level, index, width }: TileName): string {
  const isPossible =
    (level === 'entries' || (Number.isInteger(level) && level >= 0 && level <= MAX_LEVEL)) &&
    isTreeSize(index) &&
    Number.isInteger(width) &&
    width >= 1 &&
    width <= TILE_WIDTH;
  if (!isPossible) refuse('unavailable', { detail: 'no_such_tile' });
  const digits = index.toString();
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/**
 * The tile that a path names. Only the one spelling of each name is accepted.
 * @throws DispatchError `not_found`
 */
export function parseTilePath(path: string): TileName {
  const [, level = '', groups = '', width] = PATH.exec(path) ?? [];
  const index = Number(groups.replaceAll(/[x/]/g, ''));
  const name: TileName = {
    level: level === 'entries' ? level : Number(level),
    index,
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const isCanonical =
    groups !== '' && (level === 'entries' || Number(level) <= MAX_LEVEL) && isTreeSize(index);
  if (!isCanonical || name.width > TILE_WIDTH || tilePath(name) !== path)
    return refuse('not_found', { detail: 'no_such_tile' });
  return name;
}

/** How many hashes stand at a level of tiles in a tree of `size` entries. */
export function hashesAtLevel(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/**
 * The tile of a tree of `size` entries at this place, as wide as that tree makes it.
 * @throws DispatchError `not_found` when the tree has none there
 */
export function tileOf(level: number | 'entries', index: number, size: number): TileName {
  const hashes = hashesAtLevel(level === 'entries' ? 0 : level, size);
  const width = Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH);
  return width > 0 ? { level, index, width } : refuse('not_found', { detail: 'no_such_tile' });
}

/** How many levels of tiles a tree of `size` entries has; 0 for the empty tree. */
export function tileLevels(size: number): number {
  let levels = 0;
  while (hashesAtLevel(levels, size) > 0) levels += 1;
  return levels;
}
