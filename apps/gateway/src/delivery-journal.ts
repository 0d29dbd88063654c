import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isUuid, parseStrictJson, refuse } from '@deadlatch/kernel';
import { createDurably, fileIn, hasCode, pruneOlder, replaceDurably } from './durable-file.ts';

/** A text that the carrier took from us. */
export interface SentRecord {
  readonly messageId: string;
  /** The carrier's id of it. */
  readonly providerId: string;
  /** Whether dispatch-api was told. */
  readonly isReported: boolean;
}

/** Which of our messages the carrier has, so that none is handed over twice and its later reports find home. */
export interface DeliveryJournal {
  /** Durable on return. A second record of the same message is ignored. */
  record(messageId: string, providerId: string): Promise<void>;
  find(messageId: string): Promise<SentRecord | null>;
  /** The message behind one of the carrier's ids, or `null` for one we do not know. */
  messageOf(providerId: string): Promise<string | null>;
  markReported(messageId: string): Promise<void>;
}

/** Longer than any carrier reports on a message. */
const REMEMBER_MS = 30 * 24 * 3_600_000;

/**
 * Opens the journal: `sent/<message id>` and `by-provider/<carrier id>`, ids only.
 *
 * A crash after the carrier took a text and before `record` returned leaves no trace here: the next attempt
 * sends it again. That window (one fsync) makes delivery at-least-once, as with any carrier without
 * idempotency keys; the message's state at dispatch-api is the main guard.
 */
export async function openDeliveryJournal(options: {
  readonly directory: string;
  readonly now: () => number;
  readonly scratchName: () => string;
}): Promise<DeliveryJournal> {
  const { directory, now, scratchName } = options;
  const sent = join(directory, 'sent');
  const byProvider = join(directory, 'by-provider');
  const scratchFolder = join(directory, 'scratch');
  for (const path of [sent, byProvider, scratchFolder]) await mkdir(path, { recursive: true, mode: 0o700 });
  await pruneOlder(sent, now() - REMEMBER_MS);
  await pruneOlder(byProvider, now() - REMEMBER_MS);
  const scratch = (): string => fileIn(scratchFolder, scratchName());

  const find = async (messageId: string): Promise<SentRecord | null> => {
    const bytes = await readIfThere(fileIn(sent, messageId));
    return bytes === null ? null : readRecord(messageId, bytes);
  };
  const index = (record: SentRecord): Promise<boolean> =>
    createDurably(fileIn(byProvider, record.providerId), scratch(), Buffer.from(record.messageId));

  return {
    find: async (messageId) => {
      const record = await find(messageId);
      // A crash may have come between the two files of `record`.
      if (record !== null && !record.isReported) await index(record);
      return record;
    },
    record: async (messageId, providerId) => {
      const record: SentRecord = { messageId, providerId, isReported: false };
      // This file first: it is the one that keeps the text from being sent again.
      await createDurably(fileIn(sent, messageId), scratch(), writeRecord(record));
      await index(record);
    },
    messageOf: async (providerId) => {
      const bytes = await readIfThere(fileIn(byProvider, providerId));
      if (bytes === null) return null;
      const messageId = bytes.toString('latin1');
      if (!isUuid(messageId)) refuse('unavailable', { detail: 'delivery journal is damaged' });
      return messageId;
    },
    markReported: async (messageId) => {
      const record = await find(messageId);
      if (record === null || record.isReported) return;
      await replaceDurably(fileIn(sent, messageId), scratch(), writeRecord({ ...record, isReported: true }));
    },
  };
}

function writeRecord(record: SentRecord): Uint8Array {
  return Buffer.from(JSON.stringify({ provider_id: record.providerId, reported: record.isReported }));
}

function readRecord(messageId: string, bytes: Uint8Array): SentRecord {
  const value = parseStrictJson(bytes);
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const { provider_id, reported } = value;
    if (typeof provider_id === 'string' && typeof reported === 'boolean') {
      return { messageId, providerId: provider_id, isReported: reported };
    }
  }
  // Sending it again could be a second text, staying silent a lost one: a person has to look.
  return refuse('unavailable', { detail: 'delivery journal is damaged' });
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}
