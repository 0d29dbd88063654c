import { isInstant, isUuid, refuse } from '@deadlatch/kernel';

/** Where a row stands in the queue. */
export interface QueuePlace {
  readonly rank: number;
  /** RFC 3339 with milliseconds. */
  readonly at: string;
  readonly id: string;
}

const FORM = /^([0-3])_([0-9TZ:.-]{24})_([0-9a-f-]{36})$/;

/** A place as its reader carries it to the next page: opaque, and no more than a place. */
export function writePlace({ rank, at, id }: QueuePlace): string {
  return Buffer.from(`${rank}_${at}_${id}`).toString('base64url');
}

/**
 * Reads it back. It needs no signature: it opens no row that the reader does not see anyway.
 * @throws DispatchError `schema_mismatch` for anything that `writePlace` does not write
 */
export function readPlace(text: string): QueuePlace {
  const [, rank, at, id] = FORM.exec(Buffer.from(text, 'base64url').toString('latin1')) ?? [];
  if (rank === undefined || at === undefined || id === undefined || !isInstant(at) || !isUuid(id)) {
    return refuse('schema_mismatch', { detail: 'cursor' });
  }
  const place = { rank: Number(rank), at, id };
  // Base64 has more than one spelling for the same bytes.
  return writePlace(place) === text ? place : refuse('schema_mismatch', { detail: 'cursor' });
}
