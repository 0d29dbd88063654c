import { decodeEntity } from './html-entities.ts';
import { type MappedText, rewrite } from './mapped-text.ts';
import { Withheld } from './withhold.ts';

/**
 * Layers that carriers and mail programs wrap around words. Each is undone in one linear pass; the passes are
 * repeated until nothing changes, because layers nest (`&amp;#53;`, quoted-printable HTML).
 */
const MAX_ROUNDS = 4;

/** Undoes quoted-printable, e-mail quoting, HTML tags and entities. @throws Withheld `undecodable` */
export function undoTransport(source: MappedText): MappedText {
  let current = source;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const next = undoEntities(undoTags(undoQuoting(undoQuotedPrintable(current))));
    if (next.text === current.text) return next;
    current = next;
  }
  // Nested deeper than any honest sender nests.
  throw new Withheld('undecodable');
}

const HEX_PAIR = /^[0-9A-Fa-f]{2}$/;

/** Where quoted-printable starts to be likely: one soft line break, or two escapes. A lone `=20` stays text. */
function looksQuotedPrintable(text: string): boolean {
  let escapes = 0;
  for (let at = text.indexOf('='); at !== -1; at = text.indexOf('=', at + 1)) {
    if (softBreakLength(text, at) > 0) return true;
    if (HEX_PAIR.test(text.slice(at + 1, at + 3))) escapes += 1;
    if (escapes === 2) return true;
  }
  return false;
}

/** @source RFC 2045 section 6.7 rule 5 */
function softBreakLength(text: string, at: number): number {
  if (text[at + 1] === '\n') return 2;
  return text[at + 1] === '\r' && text[at + 2] === '\n' ? 3 : 0;
}

function undoQuotedPrintable(source: MappedText): MappedText {
  const { text } = source;
  if (!looksQuotedPrintable(text)) return source;
  const out = rewrite(source);
  let at = 0;
  while (at < text.length) {
    const skip = text[at] === '=' ? softBreakLength(text, at) : 0;
    if (skip > 0) {
      at += skip;
      continue;
    }
    let end = at;
    const bytes: number[] = [];
    while (text[end] === '=' && HEX_PAIR.test(text.slice(end + 1, end + 3))) {
      bytes.push(Number.parseInt(text.slice(end + 1, end + 3), 16));
      end += 3;
    }
    if (bytes.length === 0) {
      out.push(text[at] ?? '', at, at + 1);
      at += 1;
    } else {
      out.push(decodeUtf8(bytes), at, end);
      at = end;
    }
  }
  return out.finish();
}

function decodeUtf8(bytes: readonly number[]): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    throw new Withheld('undecodable');
  }
}

/** Drops `>` marks at line starts, so that a number quoted over two lines is one number again. */
function undoQuoting(source: MappedText): MappedText {
  const { text } = source;
  if (!text.includes('>')) return source;
  const out = rewrite(source);
  let lineStart = true;
  for (let at = 0; at < text.length; at += 1) {
    const ch = text[at] as string;
    if (lineStart && ch === '>') continue;
    if (lineStart && (ch === ' ' || ch === '\t') && text[at + 1] === '>') continue;
    out.push(ch, at, at + 1);
    lineStart = ch === '\n';
  }
  return out.finish();
}

/** Only real element names count as tags: "<broken>" is somebody's way of writing. */
const INLINE = new Set(
  'a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark q rp rt ruby s samp small span strike strong sub sup time tt u var wbr'.split(
    ' ',
  ),
);
const BLOCK = new Set(
  'address article aside audio base blockquote body br button canvas caption center col colgroup dd details dialog div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe input legend li link main map meta nav noscript object ol optgroup option p param picture pre progress section select source summary svg table tbody td template textarea tfoot th thead title tr track ul video'.split(
    ' ',
  ),
);
/** Elements whose content is not words at all. */
const DROPPED = new Set(['script', 'style']);
const TAG_NAME = /[A-Za-z][A-Za-z0-9]{0,10}/y;
/** A tag longer than this is no tag; keeps one unclosed `<` from eating the message. */
const MAX_TAG = 2_000;

interface Tag {
  readonly name: string;
  readonly closing: boolean;
  readonly end: number;
}

function undoTags(source: MappedText): MappedText {
  const { text } = source;
  if (!text.includes('<')) return source;
  const out = rewrite(source);
  const closers = closerIndex(text);
  const lower = text.toLowerCase();
  let at = 0;
  while (at < text.length) {
    if (text[at] !== '<') {
      out.push(text[at] as string, at, at + 1);
      at += 1;
      continue;
    }
    const comment = text.startsWith('<!--', at) ? text.indexOf('-->', at + 4) : -1;
    if (text.startsWith('<!--', at)) {
      // An unclosed comment hides the rest in a browser, and so it does here.
      at = comment === -1 ? text.length : comment + 3;
      continue;
    }
    const tag = readTag(text, at, closers);
    if (tag === null) {
      out.push('<', at, at + 1);
      at += 1;
      continue;
    }
    if (!INLINE.has(tag.name)) out.push('\n', at, tag.end);
    at = tag.end;
    if (DROPPED.has(tag.name) && !tag.closing) at = endOfDropped(lower, at, tag.name);
  }
  return out.finish();
}

/** For each position the next `>` at or after it, so that `<<<<<<` costs one look each. */
function closerIndex(text: string): Int32Array {
  const next = new Int32Array(text.length + 1).fill(-1);
  for (let at = text.length - 1; at >= 0; at -= 1) {
    next[at] = text[at] === '>' ? at : (next[at + 1] ?? -1);
  }
  return next;
}

function readTag(text: string, at: number, closers: Int32Array): Tag | null {
  const closing = text[at + 1] === '/';
  const nameAt = at + (closing ? 2 : 1);
  TAG_NAME.lastIndex = nameAt;
  const name = TAG_NAME.exec(text)?.[0].toLowerCase();
  const doctype = text.startsWith('<!', at) || text.startsWith('<?', at);
  if (name === undefined && !doctype) return null;
  const known = name !== undefined && (INLINE.has(name) || BLOCK.has(name) || DROPPED.has(name));
  if (!known && !doctype) return null;
  const after = text[nameAt + (name?.length ?? 0)] ?? '';
  if (known && !/[\s/>]/.test(after)) return null;
  const close = closers[at] ?? -1;
  if (close === -1 || close - at > MAX_TAG) return null;
  return { name: name ?? '!', closing, end: close + 1 };
}

function endOfDropped(lower: string, from: number, name: string): number {
  const close = lower.indexOf(`</${name}`, from);
  return close === -1 ? lower.length : close;
}

function undoEntities(source: MappedText): MappedText {
  const { text } = source;
  if (!text.includes('&')) return source;
  const out = rewrite(source);
  let at = 0;
  while (at < text.length) {
    const entity = text[at] === '&' ? decodeEntity(text, at) : null;
    if (entity === null) {
      out.push(text[at] as string, at, at + 1);
      at += 1;
    } else {
      out.push(entity.value, at, entity.end);
      at = entity.end;
    }
  }
  return out.finish();
}
