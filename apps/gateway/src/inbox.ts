import { access, mkdir, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DispatchError, type JsonValue, parseStrictJson, refuse, toInstant } from '@deadlatch/kernel';
import { formatTraceparent, parseTraceparent } from '@deadlatch/telemetry';
import { createDurably, fileIn, hasCode, pruneOlder, syncDirectory } from './durable-file.ts';

/** A text that the carrier handed over; `sealed` opens only in the vault. */
export interface ReceivedItem {
  readonly kind: 'receive';
  readonly provider_id: string;
  /** RFC 3339; when it reached us. The same in every later attempt, so the attempts stay one command. */
  readonly received_at: string;
  /** base64url of the sealed box: the only place where personal data is, and unreadable here. */
  readonly sealed: string;
  /** The trace in which it arrived, so that handing it on is part of it. */
  readonly traceparent?: string;
}

/** What the carrier said of a text we sent. */
export interface StatusItem {
  readonly kind: 'status';
  readonly provider_id: string;
  readonly received_at: string;
  readonly status: 'delivered' | 'failed';
  readonly traceparent?: string;
}

export type InboxItem = ReceivedItem | StatusItem;

/** Events that were taken over from the carrier and not yet handed on. */
export interface Inbox {
  /**
   * Keeps the item. Once this returns, a power cut cannot lose it, and the same event again is `known`.
   * @throws DispatchError `unavailable` when the disk does not take it: the carrier must keep it then
   */
  accept(item: InboxItem): Promise<'new' | 'known'>;
  /** How many wait; what a person moves by hand is noticed at the next start. */
  waiting(): number;
  /** Names of the waiting items, in no particular order. */
  names(): Promise<readonly string[]>;
  /** @throws DispatchError `malformed_body` when the file is not what `accept` wrote */
  read(name: string): Promise<InboxItem>;
  /** Forgets the content for good and remembers that the event was used. */
  finish(name: string): Promise<void>;
  /** Puts an item that can never be handed on out of the way, for a person. Moving it back tries it again. */
  hold(name: string): Promise<void>;
}

/**
 * How long a used event is remembered here. The carrier repeats for hours; later ones still meet the
 * idempotency key at dispatch-api, which is kept as long as the ticket.
 */
const REMEMBER_MS = 30 * 24 * 3_600_000;

/**
 * Opens the durable inbox, one file per event: `waiting/` to hand on, `held/` for a person, `seen/` (empty
 * files) for events already used, `scratch/` for files half written, which nobody was promised anything about.
 * @param scratchName a new name at every call
 * @invariant Nothing readable about a person is written: texts and numbers are sealed to the vault's key before.
 * @source R.5
 */
export async function openInbox(options: {
  readonly directory: string;
  readonly now: () => number;
  readonly scratchName: () => string;
}): Promise<Inbox> {
  const { directory, now, scratchName } = options;
  const folder = (name: string): string => join(directory, name);
  for (const name of ['waiting', 'held', 'seen', 'scratch']) {
    await mkdir(folder(name), { recursive: true, mode: 0o700 });
  }
  // Left by a crash before the promise: the carrier was not answered and sends again.
  await pruneOlder(folder('scratch'), Number.POSITIVE_INFINITY);
  await pruneOlder(folder('seen'), now() - REMEMBER_MS);

  const isUsed = async (name: string): Promise<boolean> =>
    (await exists(fileIn(folder('seen'), name))) || (await exists(fileIn(folder('held'), name)));
  let waitingCount = (await readdir(folder('waiting'))).length;
  const scratch = (): string => fileIn(folder('scratch'), scratchName());

  const keep = async (item: InboxItem): Promise<'new' | 'known'> => {
    const name = nameOf(item);
    if (await isUsed(name)) return 'known';
    const waiting = fileIn(folder('waiting'), name);
    const isNew = await createDurably(waiting, scratch(), Buffer.from(JSON.stringify(item)));
    if (!isNew) return 'known';
    // It may have been finished between the look and the creation.
    if (!(await isUsed(name))) return 'new';
    await removeIfThere(waiting);
    return 'known';
  };

  return {
    accept: async (item) => {
      // Counted from the beginning: many that come at the same moment see each other.
      waitingCount += 1;
      const outcome = await keep(item).catch((cause: unknown) => {
        waitingCount -= 1;
        return refuse('unavailable', { detail: 'inbox is not writable', cause });
      });
      if (outcome === 'known') waitingCount -= 1;
      return outcome;
    },
    waiting: () => waitingCount,
    names: () => readdir(folder('waiting')),
    read: async (name) => {
      const item = readItem(parseStrictJson(await readFile(fileIn(folder('waiting'), name))));
      if (nameOf(item) !== name) refuse('malformed_body', { detail: 'inbox item under a foreign name' });
      return item;
    },
    finish: async (name) => {
      // First the mark, then the removal: a crash between the two hands on once more, which is harmless.
      await createDurably(fileIn(folder('seen'), name), scratch(), new Uint8Array());
      await removeIfThere(fileIn(folder('waiting'), name));
      waitingCount = Math.max(0, waitingCount - 1);
      await syncDirectory(folder('waiting'));
    },
    hold: async (name) => {
      await rename(fileIn(folder('waiting'), name), fileIn(folder('held'), name));
      waitingCount = Math.max(0, waitingCount - 1);
      await syncDirectory(folder('held'));
      await syncDirectory(folder('waiting'));
    },
  };
}

/** What to write for a status at `nowMs`. */
export function statusItem(providerId: string, status: 'delivered' | 'failed', nowMs: number): StatusItem {
  return { kind: 'status', provider_id: providerId, received_at: toInstant(nowMs), status };
}

/** One event, one name: this is what makes a repeated webhook the same file. */
function nameOf(item: InboxItem): string {
  return item.kind === 'receive' ? item.provider_id : `${item.provider_id}.${item.status}`;
}

const PROVIDER_ID = /^[A-Za-z0-9]{1,64}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

function readItem(value: JsonValue): InboxItem {
  const bad = (): never => refuse('malformed_body', { detail: 'not an inbox item' });
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return bad();
  const { kind, provider_id, received_at, sealed, status } = value;
  if (typeof provider_id !== 'string' || !PROVIDER_ID.test(provider_id)) return bad();
  if (typeof received_at !== 'string' || !INSTANT.test(received_at)) return bad();
  // What is no trace any more is none; the event is what counts.
  const trace = parseTraceparent(value.traceparent);
  const traceparent = trace && { traceparent: formatTraceparent(trace) };
  if (kind === 'receive' && typeof sealed === 'string') {
    return { kind, provider_id, received_at, sealed, ...traceparent };
  }
  if (kind === 'status' && (status === 'delivered' || status === 'failed')) {
    return { kind, provider_id, received_at, status, ...traceparent };
  }
  return bad();
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** Whether an attempt that failed with `error` can never succeed, so that repeating it is pointless. */
export function isHopeless(error: unknown): boolean {
  return error instanceof DispatchError && HOPELESS.has(error.code);
}

/**
 * The receiver read the content and will say the same next time. Everything else (outage, clock skew, a key not
 * yet pinned, a ceiling being rolled out) may pass, and a message is worth waiting for.
 */
const HOPELESS: ReadonlySet<string> = new Set([
  'malformed_body',
  'schema_mismatch',
  'payload_too_large',
  'unsupported_media_type',
  'idempotency_key_reused',
  'not_found',
]);
