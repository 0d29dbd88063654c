import { appendEvents, emptyEdge, type LogEdge, type LogFile } from './append-events.ts';
import { refuseRewrite } from './tile-contents.ts';

/** A log in memory, which refuses to write a path twice with different bytes. */
export interface StoredLog {
  readonly files: Map<string, Uint8Array>;
  readonly read: (path: string) => Uint8Array | undefined;
  readonly append: (entries: readonly Uint8Array[]) => LogEdge;
  readonly edge: () => LogEdge;
}

export function storedLog(start: LogEdge = emptyEdge(), files = new Map<string, Uint8Array>()): StoredLog {
  let edge = start;
  const write = ({ path, bytes }: LogFile) => {
    const stored = files.get(path);
    if (stored) refuseRewrite(path, stored, path, bytes);
    files.set(path, bytes);
  };
  return {
    files,
    read: (path) => files.get(path),
    edge: () => edge,
    append: (entries) => {
      const appended = appendEvents(edge, entries);
      appended.files.forEach(write);
      edge = appended.edge;
      return edge;
    },
  };
}
