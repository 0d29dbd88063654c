import { isUtf8 } from 'node:buffer';

/**
 * Recognises the plain kind of canonical JSON in one pass over its bytes, without building it: every event that our
 * services write, at twice the speed of parsing it and writing it again. Whatever it does not know at sight (an
 * escape beyond the short ones, a number with a fraction, a key that is not ASCII) it does not judge: the strict
 * parser does.
 */

/** Escapes that canonical form writes with one letter. @source RFC 8785 section 3.2.2.2 */
const SHORT_ESCAPES: ReadonlySet<number> = new Set(Buffer.from('"\\bfnrt'));
const WORDS = ['null', 'true', 'false'].map((word) => Buffer.from(word));
const FORBIDDEN_KEY = '__proto__';
const [QUOTE, BACKSLASH, SPACE, DELETE, COMMA, COLON] = [0x22, 0x5c, 0x20, 0x7f, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];
/** As deep as the strict parser goes. */
const MAX_DEPTH = 16;
/** So many digits are exact in a double. */
const MAX_DIGITS = 15;
const FAILED = -1;

/**
 * The members of an object in canonical form as they stand there, strings in their quotes; `undefined` when it
 * cannot tell.
 * @param wanted keys of the outermost object to report; an absent one is not in the result
 * @invariant what is not `undefined` is canonical: the strict parser and the canonical writer give it back as it is
 * @source RFC 8785 section 3.2
 */
export function scanCanonical(
  bytes: Buffer,
  wanted: readonly string[],
): ReadonlyMap<string, string> | undefined {
  if (!isUtf8(bytes)) return undefined;
  const members = new Map<string, string>();
  const longest = Math.max(...wanted.map((key) => key.length));
  const end = scanObject(bytes, 0, 1, (keyStart, keyStop, stop) => {
    if (keyStop - keyStart > longest) return;
    const key = bytes.toString('latin1', keyStart, keyStop);
    if (wanted.includes(key)) members.set(key, bytes.toString('utf8', keyStop + 2, stop));
  });
  return end === bytes.length ? members : undefined;
}

type OnMember = (keyStart: number, keyStop: number, stop: number) => void;

function scanObject(bytes: Buffer, start: number, depth: number, onMember?: OnMember): number {
  if (bytes[start] !== OPEN_OBJECT || depth > MAX_DEPTH) return FAILED;
  if (bytes[start + 1] === CLOSE_OBJECT) return start + 2;
  let beforeStart = 0;
  let beforeStop = 0;
  let at = start;
  do {
    const keyStart = at + 2;
    const keyStop = scanKey(bytes, at + 1);
    if (keyStop === FAILED || bytes[keyStop + 1] !== COLON) return FAILED;
    if (beforeStart > 0 && !isBefore(bytes, beforeStart, beforeStop, keyStart, keyStop)) return FAILED;
    beforeStart = keyStart;
    beforeStop = keyStop;
    at = scanValue(bytes, keyStop + 2, depth);
    if (at === FAILED) return FAILED;
    onMember?.(keyStart, keyStop, at);
  } while (bytes[at] === COMMA);
  return bytes[at] === CLOSE_OBJECT ? at + 1 : FAILED;
}

/** Where the key's closing quote stands. Printable ASCII only, so that bytes sort as UTF-16 code units do. */
function scanKey(bytes: Buffer, start: number): number {
  if (bytes[start] !== QUOTE) return FAILED;
  let at = start + 1;
  for (;;) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) break;
    if (byte < SPACE || byte >= DELETE || byte === BACKSLASH) return FAILED;
    at += 1;
  }
  const isForbidden =
    at - start - 1 === FORBIDDEN_KEY.length && bytes.toString('latin1', start + 1, at) === FORBIDDEN_KEY;
  return isForbidden ? FAILED : at;
}

/** Whether one key sorts before the next. The closing quote ends both; no key holds one. */
function isBefore(bytes: Buffer, a: number, aStop: number, b: number, bStop: number): boolean {
  const shorter = Math.min(aStop - a, bStop - b);
  for (let i = 0; i < shorter; i += 1) {
    const difference = (bytes[a + i] ?? 0) - (bytes[b + i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return aStop - a < bStop - b;
}

function scanArray(bytes: Buffer, start: number, depth: number): number {
  if (depth > MAX_DEPTH) return FAILED;
  if (bytes[start + 1] === CLOSE_ARRAY) return start + 2;
  let at = start;
  do {
    at = scanValue(bytes, at + 1, depth);
    if (at === FAILED) return FAILED;
  } while (bytes[at] === COMMA);
  return bytes[at] === CLOSE_ARRAY ? at + 1 : FAILED;
}

function scanValue(bytes: Buffer, start: number, depth: number): number {
  const first = bytes[start];
  if (first === QUOTE) return scanString(bytes, start);
  if (first === OPEN_OBJECT) return scanObject(bytes, start, depth + 1);
  if (first === OPEN_ARRAY) return scanArray(bytes, start, depth + 1);
  if (isDigit(first)) return scanWhole(bytes, start);
  for (const word of WORDS) {
    if (word[0] === first && word.every((byte, i) => bytes[start + i] === byte)) return start + word.length;
  }
  return FAILED;
}

function scanString(bytes: Buffer, start: number): number {
  let at = start + 1;
  for (;;) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) return at + 1;
    if (byte < SPACE) return FAILED;
    if (byte === BACKSLASH) {
      if (!SHORT_ESCAPES.has(bytes[at + 1] ?? 0)) return FAILED;
      at += 1;
    }
    at += 1;
  }
}

/** A whole number without a sign, small enough to be exact. What follows it is checked by whoever expects it. */
function scanWhole(bytes: Buffer, start: number): number {
  let at = start;
  while (isDigit(bytes[at])) at += 1;
  const digits = at - start;
  const isCanonical = digits <= MAX_DIGITS && (digits === 1 || bytes[start] !== 0x30);
  return isCanonical ? at : FAILED;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
