import { join } from 'node:path';
import { parseCheckpoint, parseNote, type SignedCheckpoint } from '@deadlatch/audit-log';
import { ConfigError } from '@deadlatch/http';
import { parseStrictJson } from '@deadlatch/kernel';
import { readIfThere, replaceDurably } from './durable-file.ts';

/** A checkpoint with the note it came in. */
export interface NotedCheckpoint extends SignedCheckpoint {
  readonly note: string;
}

/** How far the witness has seen the log. */
export interface Head {
  /** the newest checkpoint that continues all before it; what the log must go on from */
  readonly known: NotedCheckpoint | null;
  /** the newest one that was also cosigned, with that cosignature; not larger than `known` */
  readonly cosigned: NotedCheckpoint | null;
}

/** Where the head is kept. */
export interface StoredHead {
  readonly atStart: Head;
  /** Returns once a power cut cannot take it back. @throws the file system's error */
  write(head: Head): Promise<void>;
}

/**
 * Opens the head of this log in the witness's own folder. A folder without one is that of a new witness: it takes
 * over the log as it finds it, once.
 * @throws ConfigError when the file is damaged or of another log: to begin anew would be to forget
 */
export async function openHead(directory: string, origin: string): Promise<StoredHead> {
  const path = join(directory, 'head.json');
  const bytes = await readIfThere(path);
  return {
    atStart: bytes === undefined ? { known: null, cosigned: null } : readHead(bytes, origin),
    write: ({ known, cosigned }) => {
      const content = { v: 1, known: known?.note ?? null, cosigned: cosigned?.note ?? null };
      return replaceDurably(path, Buffer.from(`${JSON.stringify(content)}\n`));
    },
  };
}

/** A note and what its text says. Its signatures were verified before it was kept. */
export function noted(note: string): NotedCheckpoint {
  const { text } = parseNote(Buffer.from(note));
  return { ...parseCheckpoint(text), text, note };
}

function readHead(bytes: Uint8Array, origin: string): Head {
  try {
    const value = parseStrictJson(bytes);
    const { v, known, cosigned } = value as { readonly [name: string]: unknown };
    const [first, second] = [readNote(known), readNote(cosigned)];
    const isOfLog = [first, second].every(
      (checkpoint) => checkpoint === null || checkpoint.origin === origin,
    );
    if (v === 1 && isOfLog && (second?.size ?? 0) <= (first?.size ?? 0))
      return { known: first, cosigned: second };
  } catch {
    // The reason may quote the file.
  }
  throw new ConfigError(['head.json in WITNESS_DIR is damaged or of another log: bring it back from a copy']);
}

function readNote(note: unknown): NotedCheckpoint | null {
  if (note === null) return null;
  if (typeof note !== 'string') throw new TypeError('not a note');
  return noted(note);
}
