import { refuse } from './errors.ts';

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

const MAX_DEPTH = 16;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses JSON the way a gate must: fatal on bad UTF-8, a byte-order mark, duplicate keys, nesting over 16,
 * `__proto__` keys, lone surrogates, U+0000 (no text of the database can hold it) and numbers that a double cannot
 * hold exactly.
 *
 * `JSON.parse` alone keeps the last of two equal keys, so the bytes that were signed could mean two things.
 * The scan here checks structure; `JSON.parse` then builds the value.
 * @throws DispatchError `malformed_body`
 */
export function parseStrictJson(bytes: Uint8Array): JsonValue {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    return refuse('malformed_body', { detail: 'not utf-8', cause });
  }
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    return refuse('malformed_body', { detail: 'not json', cause });
  }
  scan(text);
  return value;
}

/** Walks text that `JSON.parse` already accepted; throws on what it forgave. */
function scan(text: string): void {
  const keys: (Set<string> | null)[] = [];
  let expectKey = false;
  let at = 0;
  while (at < text.length) {
    const ch = text[at];
    if (ch === '"') {
      const end = stringEnd(text, at);
      const raw = JSON.parse(text.slice(at, end)) as string;
      if (!raw.isWellFormed()) refuse('malformed_body', { detail: 'lone surrogate' });
      if (raw.includes('\0')) refuse('malformed_body', { detail: 'zero character' });
      const open = keys.at(-1);
      if (expectKey && open) {
        if (raw === '__proto__') refuse('malformed_body', { detail: 'forbidden key' });
        if (open.has(raw)) refuse('malformed_body', { detail: 'duplicate key' });
        open.add(raw);
        expectKey = false;
      }
      at = end;
      continue;
    }
    if (ch === '{' || ch === '[') {
      keys.push(ch === '{' ? new Set() : null);
      if (keys.length > MAX_DEPTH) refuse('malformed_body', { detail: 'too deep' });
      expectKey = ch === '{';
    } else if (ch === '}' || ch === ']') {
      keys.pop();
      expectKey = false;
    } else if (ch === ',') {
      expectKey = keys.at(-1) != null;
    } else if (ch === '-' || (ch !== undefined && ch >= '0' && ch <= '9')) {
      at = numberEnd(text, at);
      continue;
    }
    at += 1;
  }
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function numberEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && /[0-9eE+.-]/.test(text[at] as string)) at += 1;
  const value = Number(text.slice(start, at));
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    refuse('malformed_body', { detail: 'number out of range' });
  }
  return at;
}
