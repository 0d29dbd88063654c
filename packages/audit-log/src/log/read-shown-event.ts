import { DispatchError, isInstant, isUuid, type JsonValue, parseStrictJson } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';

/** What the log verifier needs of an event. */
export interface ReadEvent {
  readonly id: string;
  /** milliseconds since the epoch */
  readonly timeMs: number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The event, or the reason why these bytes are none: strict, canonical JSON of a known version with id and time. */
export function readShownEvent(bytes: Uint8Array): ReadEvent | string {
  const value = readCanonical(bytes);
  if (typeof value === 'string') return value;
  const { v, id, time } = value;
  const isEvent =
    v === 1 && typeof id === 'string' && isUuid(id) && typeof time === 'string' && isInstant(time);
  return isEvent ? { id, timeMs: Date.parse(time) } : 'not an audit event of a known version';
}

type JsonObject = Readonly<Record<string, JsonValue>>;

function readCanonical(bytes: Uint8Array): JsonObject | string {
  const quick = readPlainCanonical(bytes);
  if (quick) return quick;
  try {
    const value = parseStrictJson(bytes);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return 'not an object';
    return canonicalJson(value) === utf8.decode(bytes) ? value : 'not in canonical form';
  } catch (error) {
    if (error instanceof DispatchError) return `not strict JSON: ${error.detail ?? error.code}`;
    throw error;
  }
}

/**
 * The short way for nearly every event, five times as fast; `undefined` means that the long way decides.
 * Text that comes back from the platform's writer as it was has no spare spaces, no second spelling of a number or
 * string, and no key twice; what canonical form asks for beyond that is the order of the keys.
 * @source RFC 8785 section 3.2 (strings and numbers as ECMAScript writes them, keys by UTF-16 code units)
 */
function readPlainCanonical(bytes: Uint8Array): JsonObject | undefined {
  let value: JsonValue;
  try {
    const text = utf8.decode(bytes);
    // Escapes: zero and lone surrogates, which the strict parser refuses, are among them.
    if (text.includes('\\u')) return undefined;
    value = JSON.parse(text) as JsonValue;
    if (JSON.stringify(value) !== text) return undefined;
  } catch {
    return undefined;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  return isPlain(value, 1) ? value : undefined;
}

/** As deep as the strict parser goes. */
const MAX_DEPTH = 16;

/** Keys in order, no deeper than may be, and no number but whole ones that a double holds exactly. */
function isPlain(value: JsonValue, depth: number): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (value === null || typeof value !== 'object') return true;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  let before: string | undefined;
  for (const key in value) {
    if (key === '__proto__' || (before !== undefined && !(before < key))) return false;
    before = key;
    if (!isPlain(value[key] ?? null, depth + 1)) return false;
  }
  return true;
}
