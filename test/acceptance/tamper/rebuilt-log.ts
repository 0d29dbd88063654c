import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  appendEvents,
  cosign,
  emptyEdge,
  formatCheckpoint,
  formatExportLine,
  leafHash,
  rootOf,
  signCheckpoint,
} from '@deadlatch/audit-log';
import type { ServiceKeyPair } from '@deadlatch/signing';

/** What somebody with the log key makes of these entries: a whole new history, with a checkpoint of its own. */
export interface RebuiltLog {
  readonly checkpoint: Uint8Array;
  /** An export of it. */
  readonly lines: readonly Uint8Array[];
  /** Writes tiles and checkpoint into a folder. */
  store(folder: string): Promise<void>;
}

/** @param keys the log's; and the witness's, when that was stolen too */
export function rebuildLog(
  entries: readonly Uint8Array[],
  origin: string,
  keys: {
    readonly log: ServiceKeyPair;
    readonly witness?: { readonly name: string; readonly key: ServiceKeyPair };
  },
): RebuiltLog {
  const { edge, files } = appendEvents(emptyEdge(), entries);
  const tree = { origin, size: edge.size, root: rootOf(edge) };
  const nowS = Math.floor(Date.now() / 1000);
  const line = keys.witness ? cosign(formatCheckpoint(tree), nowS, keys.witness.name, keys.witness.key) : '';
  const checkpoint = Buffer.from(signCheckpoint(tree, keys.log) + line);
  return {
    checkpoint,
    lines: entries.map((event, index) => formatExportLine({ index, leafHash: leafHash(event), event })),
    store: async (folder) => {
      for (const { path, bytes } of files) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), bytes);
      }
      await writeFile(join(folder, 'checkpoint'), checkpoint);
    },
  };
}
