import { isInstant, isUuid, type JsonValue, parseStrictJson } from '@deadlatch/kernel';

/**
 * `omitted`: the log says that nothing is waiting, and the event is not in it. `late`: it has been waiting for too long.
 * `split_view`: the log signed two trees of which neither continues the other.
 */
export type AlarmKind = 'omitted' | 'late' | 'split_view';

export interface Alarm {
  readonly kind: AlarmKind;
  /** of which receipt; null for a split view */
  readonly leafHash: string | null;
  readonly eventId: string | null;
  /** when it was raised */
  readonly time: string;
  /** of a split view: the two notes */
  readonly evidence: readonly string[];
}

/**
 * One line of the ledger. `over`: the receipt of this hash, or the split view, is settled. `restored`: people accepted a
 * restore, which is named by its mark.
 */
export type Entry =
  | {
      readonly kind: 'receipt';
      readonly leafHash: string;
      readonly eventId: string;
      readonly time: string;
      /** when it was handed over, milliseconds since the epoch */
      readonly at: number;
    }
  | { readonly kind: 'alarm'; readonly alarm: Alarm }
  | { readonly kind: 'over'; readonly key: string }
  | { readonly kind: 'restored'; readonly mark: string; readonly at: number };

const HASH = /^[A-Za-z0-9_-]{43}$/;

/** The line of an entry, with its line feed. */
export function formatEntry(entry: Entry): string {
  return `${JSON.stringify(fieldsOf(entry))}\n`;
}

function fieldsOf(entry: Entry): readonly unknown[] {
  if (entry.kind === 'over') return ['over', entry.key];
  if (entry.kind === 'restored') return ['restored', entry.mark, entry.at];
  if (entry.kind === 'receipt') return ['receipt', entry.leafHash, entry.eventId, entry.time, entry.at];
  const { kind, leafHash, eventId, time, evidence } = entry.alarm;
  return ['alarm', kind, leafHash, eventId, time, ...evidence];
}

/** The entry of a line without its line feed, or `undefined` when it is none. */
export function parseEntry(line: string): Entry | undefined {
  let fields: JsonValue;
  try {
    fields = parseStrictJson(Buffer.from(line));
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields)) return undefined;
  const [kind, ...rest] = fields;
  if (kind === 'over') return readOver(rest);
  if (kind === 'restored') return readRestored(rest);
  if (kind === 'receipt') return readReceipt(rest);
  return kind === 'alarm' ? readAlarm(rest) : undefined;
}

function readOver([key, ...rest]: readonly JsonValue[]): Entry | undefined {
  return typeof key === 'string' && key !== '' && rest.length === 0 ? { kind: 'over', key } : undefined;
}

function readRestored([mark, at, ...rest]: readonly JsonValue[]): Entry | undefined {
  const isWhole = isHash(mark) && typeof at === 'number' && rest.length === 0;
  return isWhole ? { kind: 'restored', mark, at } : undefined;
}

function readReceipt([leafHash, eventId, time, at, ...rest]: readonly JsonValue[]): Entry | undefined {
  const isWhole =
    isHash(leafHash) && isId(eventId) && isTime(time) && typeof at === 'number' && rest.length === 0;
  return isWhole ? { kind: 'receipt', leafHash, eventId, time, at } : undefined;
}

function readAlarm([kind, leafHash, eventId, time, ...evidence]: readonly JsonValue[]): Entry | undefined {
  if (!isTime(time) || !evidence.every((note) => typeof note === 'string')) return undefined;
  if (kind === 'split_view' && leafHash === null && eventId === null)
    return { kind: 'alarm', alarm: { kind, leafHash, eventId, time, evidence } };
  const isOfReceipt = (kind === 'omitted' || kind === 'late') && isHash(leafHash) && isId(eventId);
  return isOfReceipt ? { kind: 'alarm', alarm: { kind, leafHash, eventId, time, evidence } } : undefined;
}

const isHash = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && HASH.test(value);
const isId = (value: JsonValue | undefined): value is string => typeof value === 'string' && isUuid(value);
const isTime = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && isInstant(value);
