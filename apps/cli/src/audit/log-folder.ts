import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { decodeBundle, type ReadTile, TILE_WIDTH, tileOf, tilePath } from '@deadlatch/audit-log';
import { StartError } from '../arguments.ts';

const CHUNK_BYTES = 1_048_576;
const NEWLINE = 0x0a;

/** A file's bytes, or undefined when there is none. @throws the file system's error when it cannot be read */
export function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file that verification cannot do without. @throws StartError when it is not there */
export function readNeeded(path: string): Uint8Array {
  return readIfThere(path) ?? fail(`There is no ${path}: what is absent is not verified.`);
}

/** A log as its tiles lie in a folder. @source C2SP tlog-tiles */
export function readTileIn(folder: string): ReadTile {
  return (path) => readIfThere(join(folder, path));
}

/** Entries of a log from its bundles, in order. @throws StartError naming a bundle that is not there or cut off */
export function* entriesOf(read: ReadTile, size: number): Generator<Uint8Array> {
  for (let index = 0; index * TILE_WIDTH < size; index += 1) yield* entriesOfBundle(read, index, size);
}

/** One entry. @throws StartError */
export function entryAt(read: ReadTile, index: number, size: number): Uint8Array {
  const entry = entriesOfBundle(read, Math.floor(index / TILE_WIDTH), size)[index % TILE_WIDTH];
  return entry ?? fail(`The log has no entry ${index}.`);
}

function entriesOfBundle(read: ReadTile, index: number, size: number): readonly Uint8Array[] {
  const name = tileOf('entries', index, size);
  const bytes = read(tilePath(name)) ?? read(tilePath({ ...name, width: TILE_WIDTH }));
  const entries = bytes === undefined ? [] : decodeBundle(bytes).slice(0, name.width);
  return entries.length === name.width
    ? entries
    : fail(`${tilePath(name)} of the log is missing or cut off.`);
}

/**
 * The lines of a file, without their newlines, a piece at a time. A last line that does not end counts as one: it was
 * cut off, and whoever reads it will say so.
 */
export function* linesOf(path: string): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    let rest = Buffer.alloc(0);
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      const bytes = Buffer.concat([rest, chunk.subarray(0, read)]);
      let from = 0;
      for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
        yield bytes.subarray(from, to);
        from = to + 1;
      }
      rest = bytes.subarray(from);
    }
    if (rest.byteLength > 0) yield rest;
  } finally {
    closeSync(file);
  }
}

function fail(sentence: string): never {
  throw new StartError(sentence);
}
