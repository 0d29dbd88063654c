import { open } from 'node:fs/promises';

/** Bytes that are held before they are written. */
const BATCH_BYTES = 1_048_576;
const NEWLINE = Buffer.from('\n');

/** Writes lines to a new file, some at a time. */
export interface LineWriter {
  write(line: Uint8Array | string): Promise<void>;
  /** Returns when everything is on the disk. */
  close(): Promise<void>;
}

/** @throws the file system's error, `EEXIST` for a file that is there already */
export async function createLines(path: string): Promise<LineWriter> {
  const file = await open(path, 'wx', 0o600);
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  const flush = async () => {
    const batch = Buffer.concat(waiting, bytes);
    waiting = [];
    bytes = 0;
    await file.appendFile(batch);
  };
  return {
    write: async (line) => {
      const content = typeof line === 'string' ? Buffer.from(line) : line;
      waiting.push(content, NEWLINE);
      bytes += content.byteLength + 1;
      if (bytes >= BATCH_BYTES) await flush();
    },
    close: async () => {
      try {
        await flush();
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}
