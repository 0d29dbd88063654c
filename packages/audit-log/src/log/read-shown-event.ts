import { DispatchError, isInstant, isUuid, parseStrictJson } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';
import { scanCanonical } from './scan-canonical.ts';

/** What the log verifier needs of an event. */
export interface ReadEvent {
  readonly id: string;
  /** milliseconds since the epoch */
  readonly timeMs: number;
}

const MEMBERS = ['v', 'id', 'time'];
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The event, or the reason why these bytes are none: strict, canonical JSON of a known version with id and time. */
export function readShownEvent(bytes: Uint8Array): ReadEvent | string {
  return readScanned(bytes) ?? readStrictly(bytes);
}

const VERSION = '1';

/** The short way, for whatever it knows to be an event; `undefined` leaves the judgement to the long one. */
function readScanned(bytes: Uint8Array): ReadEvent | undefined {
  const members = scanCanonical(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), MEMBERS);
  if (members?.get('v') !== VERSION) return undefined;
  const [id, time] = [unquoted(members.get('id')), unquoted(members.get('time'))];
  return isUuid(id) && isInstant(time) ? { id, timeMs: Date.parse(time) } : undefined;
}

/** A string without its quotes; nothing for what is none. */
function unquoted(text: string | undefined): string {
  return text?.startsWith('"') ? text.slice(1, -1) : '';
}

function readStrictly(bytes: Uint8Array): ReadEvent | string {
  try {
    const value = parseStrictJson(bytes);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return 'not an object';
    if (canonicalJson(value) !== utf8.decode(bytes)) return 'not in canonical form';
    const { v, id, time } = value;
    const isEvent =
      v === 1 && typeof id === 'string' && isUuid(id) && typeof time === 'string' && isInstant(time);
    return isEvent ? { id, timeMs: Date.parse(time) } : 'not an audit event of a known version';
  } catch (error) {
    if (error instanceof DispatchError) return `not strict JSON: ${error.detail ?? error.code}`;
    throw error;
  }
}
