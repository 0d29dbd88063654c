import { isIban } from './checksums.ts';
import { RANK, type Span } from './spans.ts';
import type { Token } from './tokens.ts';

const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
const LOCAL = /[A-Za-z0-9._%+'-]/;
const DOMAIN = /[A-Za-z0-9.-]/;

/** Shapes that name a person or a place without a dictionary. Every scan is bounded from each starting point. */
export function findPatterns(text: string, tokens: readonly Token[]): readonly Span[] {
  return [
    ...findEmails(text),
    ...findSpokenEmails(tokens),
    ...findUrls(text),
    ...findBareDomains(tokens),
    ...findHexAddresses(text),
    ...findIpv4(tokens),
    ...findIbans(text, tokens),
    ...findPostcodes(text),
    ...findHandles(tokens),
  ];
}

function pattern(start: number, end: number, label: Span['label']): Span {
  return { start, end, label, rank: RANK.pattern };
}

/** From each `@` outwards, so no start is tried twice. An `@` with nothing behind it is masked with its left side. */
function findEmails(text: string): readonly Span[] {
  const spans: Span[] = [];
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < MAX_LOCAL && LOCAL.test(text[start - 1] ?? '')) start -= 1;
    let end = at + 1;
    while (end < text.length && end - at <= MAX_DOMAIN && DOMAIN.test(text[end] ?? '')) end += 1;
    while (end > at + 1 && /[.-]/.test(text[end - 1] ?? '')) end -= 1;
    if (start < at && end > at + 1) spans.push(pattern(start, end, 'EMAIL'));
  }
  return spans;
}

const TOP_LEVEL = new Set(
  'com net org edu gov mil info biz io co app dev xyz online site shop store us uk ca de fr mx ly example test'.split(
    ' ',
  ),
);
const MAX_SPOKEN_TOKENS = 14;

/** "maria dot lopez at shop dot com", "maria @ shop . com": from the top-level word back to the last gap. */
function findSpokenEmails(tokens: readonly Token[]): readonly Span[] {
  const spans: Span[] = [];
  for (let last = 0; last < tokens.length; last += 1) {
    const tail = tokens[last];
    if (tail === undefined || !TOP_LEVEL.has(tail.lower) || !isDot(tokens[last - 1])) continue;
    let first = last;
    let sawAt = -1;
    for (let at = last - 1; at >= 0 && last - at < MAX_SPOKEN_TOKENS; at -= 1) {
      const token = tokens[at];
      if (token === undefined) break;
      const joins =
        isDot(token) || isAt(token) || ['-', '_', '+', 'dash', 'underscore'].includes(token.lower);
      const joinedToNext = at === last - 1 || joinsNext(tokens[at + 1]);
      if (!joins && !joinedToNext) break;
      if (isAt(token) && sawAt === -1) sawAt = at;
      first = at;
    }
    const head = tokens[first];
    if (head !== undefined && sawAt > first) spans.push(pattern(head.start, tail.end, 'EMAIL'));
  }
  return spans;
}

function isDot(token: Token | undefined): boolean {
  return token?.lower === '.' || token?.lower === 'dot';
}

function isAt(token: Token | undefined): boolean {
  return token?.lower === '@' || token?.lower === 'at';
}

function joinsNext(token: Token | undefined): boolean {
  return isDot(token) || isAt(token) || ['-', '_', '+', 'dash', 'underscore'].includes(token?.lower ?? '');
}

const SCHEME = /(?:[a-z][a-z0-9+.-]{1,15}:\/\/|www\.|mailto:|tel:)/gi;

/** A link is masked to the next space, at most 2,000 characters at a time. */
function findUrls(text: string): readonly Span[] {
  const spans: Span[] = [];
  let masked = 0;
  for (const match of text.matchAll(SCHEME)) {
    if (match.index < masked) continue;
    let end = match.index + match[0].length;
    while (end < text.length && end - match.index < 2_000 && !/[\s<>"]/.test(text[end] ?? ' ')) end += 1;
    spans.push(pattern(match.index, end, 'URL'));
    masked = end;
  }
  return spans;
}

/** `shop.com/help`: chunks tied by dots that end in a top-level domain; the path goes with it. */
function findBareDomains(tokens: readonly Token[]): readonly Span[] {
  const spans: Span[] = [];
  for (let at = 2; at < tokens.length; at += 1) {
    const [host, dot, top] = [tokens[at - 2], tokens[at - 1], tokens[at]];
    if (host === undefined || dot?.lower !== '.' || top === undefined || !TOP_LEVEL.has(top.lower)) continue;
    if (host.kind !== 'chunk' || host.end !== dot.start || dot.end !== top.start) continue;
    let last = at;
    while (last - at < 40 && tokens[last + 1]?.start === tokens[last]?.end) last += 1;
    spans.push(pattern(host.start, tokens[last]?.end ?? top.end, 'URL'));
  }
  return spans;
}

const HEX_RUN = /[0-9A-Fa-f:]{4,64}/g;

/** IPv6 and hardware addresses: hex groups tied by at least three colons, or by two in a row. */
function findHexAddresses(text: string): readonly Span[] {
  const spans: Span[] = [];
  for (const match of text.matchAll(HEX_RUN)) {
    const colons = match[0].split(':').length - 1;
    const doubled = match[0].includes('::') && /[0-9A-Fa-f]/.test(match[0]);
    if (colons >= 3 || doubled) spans.push(pattern(match.index, match.index + match[0].length, 'IP'));
  }
  return spans;
}

function findIpv4(tokens: readonly Token[]): readonly Span[] {
  const spans: Span[] = [];
  for (let at = 0; at + 6 < tokens.length; at += 1) {
    const part = tokens.slice(at, at + 7);
    const shaped = part.every((token, index) =>
      index % 2 === 1 ? token.lower === '.' : /^[0-9]{1,3}$/.test(token.lower) && Number(token.lower) < 256,
    );
    const tight = part.every((token, index) => index === 0 || token.start === part[index - 1]?.end);
    if (shaped && tight) spans.push(pattern(part[0]?.start ?? 0, part[6]?.end ?? 0, 'IP'));
  }
  return spans;
}

const MAX_IBAN = 34;

function findIbans(text: string, tokens: readonly Token[]): readonly Span[] {
  const spans: Span[] = [];
  tokens.forEach((head, first) => {
    if (!/^[a-z]{2}[0-9]{2}/.test(head.lower)) return;
    let joined = '';
    for (let at = first; at < tokens.length && joined.length <= MAX_IBAN; at += 1) {
      const token = tokens[at];
      if (token === undefined || token.kind !== 'chunk') break;
      joined += text.slice(token.start, token.end).toUpperCase();
      if (isIban(joined)) spans.push(pattern(head.start, token.end, 'IBAN'));
    }
  });
  return spans;
}

/** British and Canadian forms; five-digit codes are masked as digits. */
const POSTCODE =
  /\b(?:[A-Za-z]{1,2}[0-9][A-Za-z0-9]? {0,2}[0-9][A-Za-z]{2}|[A-Za-z][0-9][A-Za-z][ -]?[0-9][A-Za-z][0-9])\b/g;

function findPostcodes(text: string): readonly Span[] {
  return [...text.matchAll(POSTCODE)].map((m) => pattern(m.index, m.index + m[0].length, 'POSTCODE'));
}

/** `@handle`: a name on some network, whatever words it is made of. */
function findHandles(tokens: readonly Token[]): readonly Span[] {
  const spans: Span[] = [];
  for (let at = 0; at + 1 < tokens.length; at += 1) {
    const [sign, name] = [tokens[at], tokens[at + 1]];
    if (sign?.lower !== '@' || name?.kind !== 'chunk' || name.start !== sign.end) continue;
    spans.push(pattern(sign.start, name.end, 'UNKNOWN'));
  }
  return spans;
}
