import { type Dictionary, WINDOW } from './dictionary.ts';
import type { DigitRun } from './digit-runs.ts';
import { allowedEdits, deletions, editDistance } from './edit-distance.ts';
import { type Label, RANK, type Span } from './spans.ts';
import { marksBetween, type Token } from './tokens.ts';
import { FUNCTION_WORDS, type Vocabulary } from './vocabulary.ts';

/** Marks that may stand between two words of one value: "Lopez, Maria", "1200 - Main". */
const MAX_MARKS = 3;
/** Characters that may stand between two digits of one number on file, whatever they are. */
const MAX_DIGIT_GAP = 40;
/** Longer chunks are no names; keeps the deletions of one word few. */
const MAX_NAME = 32;

/**
 * Finds the known values of the account: written, turned round, initialled, run together, spelled out, spoken,
 * mistyped by one letter (two from nine letters).
 * @source design: "Making text safe", stage 2
 */
export function findKnownValues(
  tokens: readonly Token[],
  runs: readonly DigitRun[],
  text: string,
  dictionary: Dictionary,
  vocabulary: Vocabulary,
): readonly Span[] {
  return [
    ...findPhrases(tokens, text, dictionary),
    ...findSpelled(tokens, dictionary),
    ...findNearNames(tokens, dictionary, vocabulary),
    ...findLongNumbers(runs, dictionary),
    ...findShortNumbers(runs, dictionary),
  ];
}

function findPhrases(tokens: readonly Token[], text: string, dictionary: Dictionary): readonly Span[] {
  const spans: Span[] = [];
  for (let first = 0; first < tokens.length; first += 1) {
    const head = tokens[first];
    if (head?.kind !== 'chunk') continue;
    let at = first;
    let node = dictionary.phrases.next.get(withoutPossessive(head.lower));
    while (node !== undefined) {
      const last = tokens[at];
      if (last !== undefined && node.label !== null && !isOrdinaryUse(tokens, first, at, text)) {
        spans.push({ start: head.start, end: last.end, label: node.label, rank: RANK.known });
      }
      let next = at + 1;
      while (tokens[next]?.kind === 'mark') next += 1;
      const token = tokens[next];
      if (token === undefined || next - at - 1 > MAX_MARKS) break;
      node = node.next.get(withoutPossessive(token.lower));
      at = next;
    }
  }
  return spans;
}

function withoutPossessive(lower: string): string {
  return lower.endsWith("'s") ? lower.slice(0, -2) : lower;
}

/** "will" and "may" alone are verbs unless somebody wrote them like a name. */
function isOrdinaryUse(tokens: readonly Token[], first: number, last: number, text: string): boolean {
  const token = tokens[first];
  if (first !== last || token === undefined || !FUNCTION_WORDS.has(token.lower)) return false;
  const initial = text[token.start] ?? '';
  const capital = initial !== initial.toLowerCase();
  const before = tokens[first - 1];
  const opensSentence = before === undefined || ['.', '!', '?'].includes(before.lower);
  return !capital || opensSentence || token.lower === 'i';
}

/** "m a r i a" and "M-A-R-I-A": letters read out one by one are always masked, known or not. */
function findSpelled(tokens: readonly Token[], dictionary: Dictionary): readonly Span[] {
  const spans: Span[] = [];
  for (let first = 0; first < tokens.length; ) {
    let last = first;
    let word = isLoneLetter(tokens[first]) ? (tokens[first]?.lower ?? '') : '';
    while (word !== '') {
      let next = last + 1;
      while (tokens[next]?.kind === 'mark') next += 1;
      if (!isLoneLetter(tokens[next]) || marksBetween(tokens, last, next) > MAX_MARKS) break;
      word += tokens[next]?.lower ?? '';
      last = next;
    }
    const [head, tail] = [tokens[first], tokens[last]];
    if (word.length >= 3 && head !== undefined && tail !== undefined) {
      const label: Label = dictionary.names.has(word) ? 'PERSON' : 'UNKNOWN';
      spans.push({ start: head.start, end: tail.end, label, rank: RANK.known });
    }
    first = last + 1;
  }
  return spans;
}

function isLoneLetter(token: Token | undefined): boolean {
  return token?.kind === 'chunk' && token.letters && token.lower.length === 1;
}

function findNearNames(
  tokens: readonly Token[],
  dictionary: Dictionary,
  vocabulary: Vocabulary,
): readonly Span[] {
  const seen = new Map<string, boolean>();
  const spans: Span[] = [];
  for (const token of tokens) {
    if (!token.letters || token.lower.length > MAX_NAME) continue;
    const word = withoutPossessive(token.lower);
    // A word of the language that is one letter off a name says nothing about anybody.
    if (vocabulary.has(word)) continue;
    let near = seen.get(word);
    if (near === undefined) {
      near = isNearName(word, dictionary);
      seen.set(word, near);
    }
    if (near) spans.push({ start: token.start, end: token.end, label: 'PERSON', rank: RANK.known });
  }
  return spans;
}

function isNearName(word: string, dictionary: Dictionary): boolean {
  // One more letter than the name allows is still reachable, hence the length of the longer of both.
  for (const rest of deletions(word, allowedEdits(word.length + 1))) {
    for (const name of dictionary.nearNames.get(rest) ?? []) {
      const limit = allowedEdits(name.length);
      if (editDistance(word, name, limit) <= limit) return true;
    }
  }
  return false;
}

interface DigitAt {
  readonly digit: string;
  readonly start: number;
  readonly end: number;
}

/** Seven digits in a row of a number on file, with anything short in between: "512 ask for Al 555 then 0123". */
function findLongNumbers(runs: readonly DigitRun[], dictionary: Dictionary): readonly Span[] {
  if (dictionary.windows.size === 0) return [];
  const stream: DigitAt[] = [];
  for (const group of runs.flat()) {
    for (const digit of group.digits) stream.push({ digit, start: group.start, end: group.end });
  }
  const all = stream.map((item) => item.digit).join('');
  const spans: Span[] = [];
  for (let at = 0; at + WINDOW <= stream.length; at += 1) {
    const label = dictionary.windows.get(all.slice(at, at + WINDOW));
    if (label === undefined) continue;
    const part = stream.slice(at, at + WINDOW);
    if (part.some((item, index) => index > 0 && item.start - (part[index - 1]?.end ?? 0) > MAX_DIGIT_GAP))
      continue;
    spans.push({ start: part[0]?.start ?? 0, end: part.at(-1)?.end ?? 0, label, rank: RANK.known });
  }
  return spans;
}

/** A door code on file, in one piece or read out digit by digit. */
function findShortNumbers(runs: readonly DigitRun[], dictionary: Dictionary): readonly Span[] {
  const spans: Span[] = [];
  for (const run of runs) {
    for (let first = 0; first < run.length; first += 1) {
      let digits = '';
      for (let last = first; last < run.length && digits.length < WINDOW; last += 1) {
        digits += run[last]?.digits ?? '';
        const label = dictionary.shortNumbers.get(digits);
        if (label === undefined) continue;
        const [start, end] = [run[first]?.start ?? 0, run[last]?.end ?? 0];
        spans.push({ start, end, label, rank: RANK.known });
      }
    }
  }
  return spans;
}
