import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeBundle,
  hashesFromTiles,
  leafHash,
  parseNoteKey,
  type ReadTile,
  rangeRoot,
  sameBytes,
  TILE_WIDTH,
  tileOf,
  tilePath,
  verifyCheckpoint,
  type WitnessedCheckpoint,
  witnessPolicy,
} from '@deadlatch/audit-log';
import { StartError } from '../arguments.ts';
import type { Trust } from '../up/keys.ts';

const CHECKPOINT = 'checkpoint';

/** One entry of the log: the stored bytes of an event. */
export interface LogEntry {
  readonly index: number;
  readonly leafHash: Uint8Array;
  readonly body: Uint8Array;
}

/** The log as its tiles show it, under a checkpoint that was cosigned. */
export interface PublishedLog {
  readonly head: WitnessedCheckpoint;
  readonly note: Uint8Array;
  /** The root of its first `size` entries. @throws DispatchError `unavailable` when a tile is missing */
  rootAt(size: number): Uint8Array;
  /** Entries from `first` to the end, each proven by its hash. @throws StartError naming what does not fit */
  entriesFrom(first: number): LogEntry[];
}

/** Whether this installation has published a log at all. */
export function hasPublishedLog(directory: string): boolean {
  return existsSync(join(directory, CHECKPOINT));
}

/**
 * Opens the published log of an installation.
 * @throws StartError when there is none; DispatchError `unauthenticated` when its checkpoint does not count
 * @invariant nothing is read but what the cosigned checkpoint covers
 */
export function openPublishedLog(directory: string, trust: Trust): PublishedLog {
  const read: ReadTile = (path) => fileAt(join(directory, path));
  const note = fileAt(join(directory, CHECKPOINT));
  if (note === undefined) throw new StartError(`There is no published checkpoint in ${directory}.`);
  const head = verifyCheckpoint(
    note,
    parseNoteKey('log', trust.log.key),
    witnessPolicy(trust.witnesses.quorum, trust.witnesses.keys),
  );
  const hashAt = hashesFromTiles(head.size, read);
  const rootAt = (size: number) => rangeRoot(0, size, hashAt);
  if (!sameBytes(rootAt(head.size), head.root))
    throw new StartError('The tiles of the log do not have the root of its checkpoint: nothing is restored.');
  return {
    head,
    note,
    rootAt,
    entriesFrom: (first) => {
      const entries: LogEntry[] = [];
      for (let tile = Math.floor(first / TILE_WIDTH); tile * TILE_WIDTH < head.size; tile += 1) {
        bundle(read, tile, head.size).forEach((body, at) => {
          const index = tile * TILE_WIDTH + at;
          const stated = hashAt(0, index);
          if (!sameBytes(leafHash(body), stated))
            throw new StartError(`The log's event at index ${index} is not the one that was logged.`);
          if (index >= first) entries.push({ index, leafHash: stated, body });
        });
      }
      return entries;
    },
  };
}

function bundle(read: ReadTile, index: number, size: number): Uint8Array[] {
  const name = tileOf('entries', index, size);
  const bytes = read(tilePath(name)) ?? read(tilePath({ ...name, width: TILE_WIDTH }));
  const entries = bytes === undefined ? [] : decodeBundle(bytes).slice(0, name.width);
  if (entries.length < name.width)
    throw new StartError(`The log's events from index ${index * TILE_WIDTH} on are missing from its files.`);
  return entries;
}

function fileAt(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
