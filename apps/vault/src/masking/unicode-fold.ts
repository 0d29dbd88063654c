import { type MappedText, rewrite } from './mapped-text.ts';
import { Withheld } from './withhold.ts';

/** Letters that look like Latin ones, per target letter. @source Unicode TR39 confusables, the single-letter rows */
const LOOKALIKES: readonly (readonly [string, string])[] = [
  ['a', 'аαɑᴀ'],
  ['b', 'вьʙ'],
  ['c', 'сᴄ'],
  ['d', 'ԁđðɖᴅ'],
  ['e', 'еεєᴇ'],
  ['f', 'ꜰƒ'],
  ['g', 'ɡցɢ'],
  ['h', 'һհнħʜ'],
  ['i', 'іιıɩɪ'],
  ['j', 'јᴊ'],
  ['k', 'кκᴋ'],
  ['l', 'łʟӏ'],
  ['m', 'мᴍ'],
  ['n', 'ոηɴ'],
  ['o', 'оοօøᴏ'],
  ['p', 'рρᴘ'],
  ['q', 'ԛ'],
  ['r', 'ʀг'],
  ['s', 'ѕꜱ'],
  ['t', 'тτŧᴛ'],
  ['u', 'սυᴜ'],
  ['v', 'νѵᴠ'],
  ['w', 'ԝωᴡ'],
  ['x', 'хχ'],
  ['y', 'уγʏ'],
  ['z', 'ᴢ'],
  ['A', 'АΑ'],
  ['B', 'ВΒ'],
  ['C', 'С'],
  ['D', 'ĐÐ'],
  ['E', 'ЕΕ'],
  ['H', 'НΗĦ'],
  ['I', 'ІΙ'],
  ['J', 'Ј'],
  ['K', 'КΚ'],
  ['L', 'Ł'],
  ['M', 'МΜ'],
  ['N', 'Ν'],
  ['O', 'ОΟØ'],
  ['P', 'РΡ'],
  ['S', 'Ѕ'],
  ['T', 'ТΤŦ'],
  ['X', 'ХΧ'],
  ['Y', 'УΥ'],
  ['Z', 'Ζ'],
  ['3', 'З'],
  ['ae', 'æ'],
  ['AE', 'Æ'],
  ['oe', 'œ'],
  ['OE', 'Œ'],
  ['ss', 'ß'],
  ['th', 'þ'],
  ['TH', 'Þ'],
  ["'", '‘’‚‛ʼʹ′`´'],
  ['"', '“”„‟″«»'],
  ['-', '−‐‑‒–—―⁃﹣'],
  ['...', '…'],
  ['*', '•·∙'],
  ['/', '⁄∕⧸'],
  ['.', '。｡'],
  ['0', '⓿'],
];
const FOLDED: ReadonlyMap<string, string> = new Map(
  LOOKALIKES.flatMap(([to, from]) => [...from].map((ch) => [ch, to] as const)),
);

/** Runs of ten digits in circles and the like that compatibility decomposition leaves alone (1 to 9 in order). */
const CIRCLED_ONES = [0x2776, 0x2780, 0x278a];

const INVISIBLE = /^[\p{Cf}\p{Mn}\p{Me}\p{Mc}\u115f\u1160\u3164\uffa0]$/u;
const LINE = /^[\n\v\f\u0085\u2028\u2029]$/;
const SPACE = /^[\t\p{Zs}]$/u;
const CONTROL = /^[\p{Cc}\p{Cs}\p{Co}\ufffd]$/u;
const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;

/**
 * Folds to one alphabet: ASCII letters, digits and punctuation, spaces and line feeds, plus letters of other scripts
 * that resemble none of ours. Case is kept; accents, invisible characters and look-alikes are not; any other symbol
 * becomes a space, so an emoji between two digits separates no more than a space does.
 * @throws Withheld `undecodable` on control characters, lone surrogates and replacement characters
 */
export function foldUnicode(source: MappedText): MappedText {
  const { text } = source;
  const out = rewrite(source);
  for (let at = 0; at < text.length; ) {
    const ch = String.fromCodePoint(text.codePointAt(at) ?? 0);
    out.push(foldCharacter(ch), at, at + ch.length);
    at += ch.length;
  }
  return out.finish();
}

function foldCharacter(ch: string): string {
  if (ch >= ' ' && ch <= '~') return ch === '`' ? "'" : ch;
  if (ch === '\r') return '';
  if (LINE.test(ch)) return '\n';
  if (SPACE.test(ch)) return ' ';
  if (CONTROL.test(ch)) throw new Withheld('undecodable');
  if (INVISIBLE.test(ch)) return '';
  const known = FOLDED.get(ch);
  if (known !== undefined) return known;
  const circled = circledValue(ch);
  if (circled !== null) return circled;
  return [...ch.normalize('NFKD')].map(foldPart).join('');
}

function foldPart(ch: string): string {
  if (ch >= ' ' && ch <= '~') return ch;
  if (INVISIBLE.test(ch)) return '';
  const known = FOLDED.get(ch);
  if (known !== undefined) return known;
  if (DIGIT.test(ch)) return decimalValue(ch);
  return LETTER.test(ch) ? ch : ' ';
}

/** Decimal digits stand in runs of ten, so the distance to the start of the run is the value. */
function decimalValue(ch: string): string {
  const code = ch.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && DIGIT.test(String.fromCodePoint(code - value - 1))) value += 1;
  return String(value);
}

function circledValue(ch: string): string | null {
  const code = ch.codePointAt(0) ?? 0;
  for (const one of CIRCLED_ONES) {
    if (code >= one && code <= one + 8) return String(code - one + 1);
  }
  return null;
}
