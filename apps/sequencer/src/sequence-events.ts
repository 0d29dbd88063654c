import { appendEvents, type LogEdge, rootOf } from '@deadlatch/audit-log';
import { isFull, type LogDatabase } from './log-database.ts';
import { pause } from './pause.ts';
import type { TileFiles } from './tile-files.ts';

/** How often is looked for events. A command's answer never waits for this; a receipt's proof does. */
const BATCH_MS = 150;

export interface SequenceParts {
  readonly database: LogDatabase;
  readonly files: TileFiles;
  readonly epoch: number;
  /** where the log stands; all of it is on the disk */
  readonly edge: LogEdge;
  /** Told of every tree whose tiles are on the disk. */
  readonly stored: (edge: LogEdge) => void;
}

/**
 * Gives waiting events their indexes, batch by batch, until told to stop. First the database commits the order, then
 * the tiles are written; only what is in both may be signed. While the disk works the database gets the next batch.
 * @throws whatever kept a batch from being committed or stored: the log has to be opened again
 * @invariant each event gets one index; indexes have no gap; nothing is told of that the database did not commit
 * @source F.4, R.1
 */
export async function sequenceEvents(parts: SequenceParts, signal: AbortSignal): Promise<void> {
  const { database, files, epoch, stored } = parts;
  let edge = parts.edge;
  let storing = Promise.resolve();
  // Awaited below, at the latest by the next batch; a failure must not be nobody's until then.
  const keep = (work: Promise<void>) => {
    work.catch(() => undefined);
    return work;
  };
  try {
    while (!signal.aborted) {
      const began = performance.now();
      const events = await database.nextBatch();
      if (events.length > 0) {
        const bodies = events.map((event) => event.body);
        const { edge: next, leafHashes, files: written } = appendEvents(edge, bodies);
        await database.append({ epoch, first: edge.size, events, leafHashes, root: rootOf(next) });
        edge = next;
        await storing;
        storing = keep(files.store(written).then(() => stored(next)));
      }
      if (!isFull(events)) await pause(BATCH_MS - (performance.now() - began), signal);
    }
  } finally {
    await storing;
  }
}
