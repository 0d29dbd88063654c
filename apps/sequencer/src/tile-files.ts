import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type LogFile,
  parseTilePath,
  type ReadTile,
  refuseRewrite,
  TILE_WIDTH,
  tilePath,
} from '@deadlatch/audit-log';
import { DispatchError } from '@deadlatch/kernel';
import { halt } from './halt.ts';

/** What the log shows the world: its tiles and its checkpoint, as files. */
export interface TileFiles {
  /** @throws the file system's error when a file is there and cannot be read */
  readonly read: ReadTile;
  /**
   * Returns once all of them survive a power cut. What is there already stays as it is.
   * @throws DispatchError `unavailable`, detail `tile_differs`, when other bytes are there; the file system's errors
   */
  store(files: readonly LogFile[]): Promise<void>;
  /** The note under the name `checkpoint`, whole; `undefined` before the first. */
  readCheckpoint(): Uint8Array | undefined;
  /** Replaces it at once and for good. */
  writeCheckpoint(note: string): Promise<void>;
  /** Removes what writers that were killed had not finished. For the one writer, before it writes. */
  removeScratch(): Promise<void>;
}

const CHECKPOINT = 'checkpoint';
const SCRATCH = /^\.[0-9a-f]+\.part$/;
/** Files that are written at the same time: each waits for the disk, not for the processor. */
const WRITES_AT_ONCE = 8;

/**
 * The tiles below one directory.
 *
 * A file gets its name only when its bytes are on the disk, and names are given in the order asked for, so whoever
 * sees a file can read all that came before it. Partial tiles go when the full one is there.
 * @param scratchName hexadecimal, new on every call
 * @invariant a name never changes its bytes
 * @source C2SP tlog-tiles
 */
export function openTileFiles(directory: string, scratchName: () => string): TileFiles {
  const at = (path: string) => join(directory, path);
  const read: ReadTile = (path) => ifThere(() => readFileSync(at(path)));
  const namesIn = (path: string) => ifThere(() => readdirSync(at(path))) ?? [];

  const write = async (bytes: Uint8Array): Promise<string> => {
    const scratch = at(`.${scratchName()}.part`);
    const file = await open(scratch, 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } catch (error) {
      await rm(scratch, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return scratch;
  };

  /** Whether the file is there with these bytes. What a narrower one says of the same place must be in them. */
  const isStored = ({ path, bytes }: LogFile): boolean => {
    const name = parseTilePath(path);
    const widths = namesIn(`${tilePath({ ...name, width: TILE_WIDTH })}.p`).map(Number);
    const narrower = Math.max(0, ...widths.filter((width) => width < name.width));
    const places = narrower === 0 ? [path] : [tilePath({ ...name, width: narrower }), path];
    let stored: Uint8Array | undefined;
    for (const place of places) {
      stored = read(place);
      if (stored !== undefined) demandSame(place, stored, path, bytes);
    }
    return stored !== undefined;
  };

  return {
    read,
    readCheckpoint: () => read(CHECKPOINT),
    async writeCheckpoint(note) {
      await rename(await write(Buffer.from(note)), at(CHECKPOINT));
      await sync(directory);
    },
    async store(files) {
      const fresh = files.filter((file) => !isStored(file));
      const folders = withParents(files.map(({ path }) => dirname(path)));
      for (const folder of folders) await mkdir(at(folder), { recursive: true });
      for (let from = 0; from < fresh.length; from += WRITES_AT_ONCE) {
        const some = fresh.slice(from, from + WRITES_AT_ONCE);
        const scratches = await Promise.all(some.map(({ bytes }) => write(bytes)));
        for (const [place, { path }] of some.entries()) await rename(scratches[place] ?? '', at(path));
      }
      // Also for what was there already: whoever named it may have died before this.
      await Promise.all(folders.map((folder) => sync(at(folder))));
      for (const { path } of files.filter(isFull))
        await rm(at(`${path}.p`), { recursive: true, force: true });
    },
    async removeScratch() {
      for (const name of namesIn('.').filter((one) => SCRATCH.test(one))) await rm(at(name), { force: true });
    },
  };
}

const isFull = ({ path }: LogFile) => parseTilePath(path).width === TILE_WIDTH;

function demandSame(storedPath: string, stored: Uint8Array, path: string, bytes: Uint8Array): void {
  try {
    refuseRewrite(storedPath, stored, path, bytes);
  } catch (error) {
    if (error instanceof DispatchError) halt('tile_differs', error);
    throw error;
  }
}

/** A new folder is a name in its parent, and so on up to the log's own. */
function withParents(folders: readonly string[]): string[] {
  const all = new Set<string>();
  for (const folder of folders) for (let one = folder; !all.has(one); one = dirname(one)) all.add(one);
  return [...all];
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
