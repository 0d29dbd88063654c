import { DispatchError } from '@deadlatch/kernel';
import { parseExportLine } from './export-line.ts';
import { type LogProblem, problemAt } from './log-problem.ts';
import { readShownEvent } from './read-shown-event.ts';
import { createHashList, type HashList, recomputeLeaf, recomputeRoot } from './recomputed-tree.ts';
import { decodeBundle, type ReadTile } from './tile-contents.ts';
import { hashesAtLevel, TILE_WIDTH, tileLevels, tileOf, tilePath } from './tile-layout.ts';

/** A log as somebody shows it: an export's lines, without newlines, or the stored tiles and bundles. */
export type LogSource =
  | { readonly kind: 'export'; readonly lines: Iterable<Uint8Array> }
  | { readonly kind: 'tiles'; readonly read: ReadTile };

/** What a source shows, and what is wrong with it by itself. */
export interface ShownLog {
  /** hashed again from the events, in the order shown */
  readonly recomputed: HashList;
  /** as the source states them, in the order shown */
  readonly stated: HashList;
  /** milliseconds, in the order shown; `NaN` for what is no event */
  readonly timesMs: readonly number[];
  /** where each event id stands */
  readonly ids: ReadonlyMap<string, number>;
  /** tiles above the lowest level that agree with the tiles below them */
  readonly upperTiles: number;
  readonly problems: readonly LogProblem[];
}

const BYTES = 32;
/** Stands where nothing could be read: no event has this hash. */
export const NO_HASH: Buffer = Buffer.alloc(BYTES);

interface Collected {
  readonly recomputed: HashList;
  readonly timesMs: number[];
  readonly ids: Map<string, number>;
  readonly problems: LogProblem[];
  readonly onEvent: OnEvent | undefined;
}

/**
 * Is handed each event shown, in order, as the very bytes that were hashed: what else is found out about the events is
 * found out about what the root covers.
 * @param at position among the events shown
 */
export type OnEvent = (event: Uint8Array, at: number) => void;

function collectEvent(into: Collected, event: Uint8Array): void {
  const at = into.recomputed.count();
  into.recomputed.push(recomputeLeaf(event));
  into.onEvent?.(event, at);
  const read = readShownEvent(event);
  if (typeof read === 'string') {
    into.timesMs.push(Number.NaN);
    into.problems.push(problemAt('malformed', at, read));
    return;
  }
  into.timesMs.push(read.timeMs);
  const first = into.ids.get(read.id);
  if (first === undefined) into.ids.set(read.id, at);
  else into.problems.push(problemAt('inserted', at, `event id occurs twice, first at ${first}`));
}

const nothing = (onEvent: OnEvent | undefined): Collected => ({
  onEvent,
  recomputed: createHashList(),
  timesMs: [],
  ids: new Map(),
  problems: [],
});

/** Reads an export. Its indexes must count up from zero without a gap. */
export function readExport(lines: Iterable<Uint8Array>, onEvent?: OnEvent): ShownLog {
  const collected = nothing(onEvent);
  const { problems } = collected;
  const stated = createHashList();
  const indexes: number[] = [];
  let position = 0;
  for (const line of lines) {
    try {
      const { index, leafHash, event } = parseExportLine(line);
      indexes.push(index);
      stated.push(leafHash);
      collectEvent(collected, event);
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error;
      // It keeps its place, so that what follows is compared with what it should be.
      problems.push(problemAt('malformed', position, error.detail ?? error.code));
      indexes.push(position);
      stated.push(NO_HASH);
      collected.recomputed.push(NO_HASH);
      collected.timesMs.push(Number.NaN);
    }
    position += 1;
  }
  return { ...collected, stated, upperTiles: 0, problems: [...checkIndexes(indexes), ...problems] };
}

/** An index that is missing was removed, one that stands too late was moved, one that stands twice was put in. */
function checkIndexes(indexes: readonly number[]): LogProblem[] {
  const problems: LogProblem[] = [];
  const present = new Set(indexes);
  const seen = new Set<number>();
  let next = 0;
  for (const index of indexes) {
    if (seen.has(index)) problems.push(problemAt('inserted', index, 'the index is shown twice'));
    else if (index < next)
      problems.push(problemAt('reordered', index, 'the index is shown after a later one'));
    seen.add(index);
    if (index < next) continue;
    let gap = next;
    while (gap < index && !present.has(gap)) gap += 1;
    if (gap > next) problems.push(problemAt('removed', next, 'the index is not shown', gap - 1));
    for (let i = gap + 1; i < index; i += 1) {
      if (!present.has(i)) problems.push(problemAt('removed', i, 'the index is not shown'));
    }
    next = index + 1;
  }
  return problems;
}

/**
 * Reads the tiles and bundles of a log of `size` entries.
 * Every level is held against the level below it, so a rewritten tile is named with the range it covers.
 */
export function readTiles(read: ReadTile, size: number, onEvent?: OnEvent): ShownLog {
  const collected = nothing(onEvent);
  const { problems } = collected;
  for (let index = 0; index * TILE_WIDTH < size; index += 1) {
    const bundle = readBundle(read, index, size);
    if (typeof bundle === 'string') problems.push(tileProblem(0, index, size, `entries ${bundle}`));
    else for (const event of bundle) collectEvent(collected, event);
  }
  const stated = readLevel(read, 0, size, problems);
  let below = stated;
  let upperTiles = 0;
  for (let level = 1; level < tileLevels(size); level += 1) {
    const found = problems.length;
    const above = readLevel(read, level, size, problems);
    for (let i = 0; i < above.count(); i += 1) {
      const hash = above.at(i);
      if (!hash.equals(NO_HASH) && !recomputeRoot(below, TILE_WIDTH, i * TILE_WIDTH).equals(hash))
        problems.push(tileProblem(level - 1, i, size, `does not have the hash that level ${level} states`));
    }
    if (problems.length === found) upperTiles += Math.ceil(above.count() / TILE_WIDTH);
    below = above;
  }
  return { ...collected, stated, upperTiles };
}

function readBundle(read: ReadTile, index: number, size: number): Uint8Array[] | string {
  const name = tileOf('entries', index, size);
  const partial = read(tilePath(name));
  const bytes = partial ?? read(tilePath({ ...name, width: TILE_WIDTH }));
  if (!bytes) return 'missing';
  try {
    const entries = decodeBundle(bytes);
    // A full bundle that stands in for a partial one holds later entries too; nothing else may hold more or fewer.
    return partial ? entries : entries.slice(0, name.width);
  } catch (error) {
    if (error instanceof DispatchError) return error.detail ?? error.code;
    throw error;
  }
}

/** The hashes of one level; a tile that is missing or cut off leaves zeros, which are the hash of nothing. */
function readLevel(read: ReadTile, level: number, size: number, problems: LogProblem[]): HashList {
  const hashes = createHashList();
  for (let index = 0; index * TILE_WIDTH < hashesAtLevel(level, size); index += 1) {
    const name = tileOf(level, index, size);
    const bytes = read(tilePath(name)) ?? read(tilePath({ ...name, width: TILE_WIDTH }));
    const isWhole = bytes?.byteLength === name.width * BYTES || bytes?.byteLength === TILE_WIDTH * BYTES;
    if (!isWhole) problems.push(tileProblem(level, index, size, bytes ? 'of the wrong length' : 'missing'));
    for (let i = 0; i < name.width; i += 1) {
      hashes.push(isWhole && bytes ? bytes.subarray(i * BYTES, (i + 1) * BYTES) : NO_HASH);
    }
  }
  return hashes;
}

/** A finding about a tile, with the range of events below it. */
function tileProblem(level: number, index: number, size: number, what: string): LogProblem {
  const span = TILE_WIDTH ** (level + 1);
  const path = tilePath(tileOf(level, index, size));
  return problemAt('tile', index * span, `${path}: ${what}`, Math.min((index + 1) * span, size) - 1);
}
