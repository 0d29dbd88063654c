/**
 * A token of normalised text. `chunk` = a maximal run of letters and digits, with apostrophes between letters;
 * `mark` = any other single character that is not a space. Spaces and line feeds are no tokens.
 */
export interface Token {
  readonly kind: 'chunk' | 'mark';
  readonly start: number;
  readonly end: number;
  /** Lower case, same length as the text behind it. */
  readonly lower: string;
  /** What the chunk is made of; a mark has neither. */
  readonly letters: boolean;
  readonly digits: boolean;
}

const ALNUM = /^[\p{L}0-9]$/u;
const LETTER = /^\p{L}$/u;

/** Splits normalised text in one pass. Letters outside the basic plane count as letters. */
export function tokenise(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const ch = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (ch === ' ' || ch === '\n') {
      at += 1;
    } else if (ALNUM.test(ch)) {
      const token = readChunk(text, at);
      tokens.push(token);
      at = token.end;
    } else {
      const end = at + ch.length;
      tokens.push({ kind: 'mark', start: at, end, lower: ch, letters: false, digits: false });
      at = end;
    }
  }
  return tokens;
}

function readChunk(text: string, start: number): Token {
  let letters = false;
  let digits = false;
  let at = start;
  while (at < text.length) {
    const ch = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (ch >= '0' && ch <= '9') digits = true;
    else if (LETTER.test(ch)) letters = true;
    else if (!(ch === "'" && isLetterAt(text, at - 1) && isLetterAt(text, at + 1))) break;
    at += ch.length;
  }
  return { kind: 'chunk', start, end: at, lower: lowerSameLength(text.slice(start, at)), letters, digits };
}

function isLetterAt(text: string, at: number): boolean {
  return at >= 0 && at < text.length && LETTER.test(String.fromCodePoint(text.codePointAt(at) ?? 0));
}

/** Some letters change length in lower case; those keep their form, so offsets stay true. */
function lowerSameLength(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return [...text].map((ch) => (ch.toLowerCase().length === ch.length ? ch.toLowerCase() : ch)).join('');
}

/** Whether only spaces, line feeds or at most `maxMarks` marks stand between two tokens of one list. */
export function marksBetween(tokens: readonly Token[], left: number, right: number): number {
  let marks = 0;
  for (let at = left + 1; at < right; at += 1) {
    if (tokens[at]?.kind !== 'mark') return Number.POSITIVE_INFINITY;
    marks += 1;
  }
  return marks;
}
