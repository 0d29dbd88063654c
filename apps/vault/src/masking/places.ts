import { RANK, type Span } from './spans.ts';
import type { Token } from './tokens.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Words that end a street name and hardly anything else. */
const STREET = new Set(
  'street st avenue ave boulevard blvd road rd lane ln highway hwy parkway pkwy turnpike tpke terrace ter expressway expy freeway fwy'.split(
    ' ',
  ),
);
/** Words that also mean other things: only behind a house number of three digits or a capital letter. */
const STREET_OR_WORD = new Set(
  'drive dr court ct place pl circle cir square sq plaza plz way trail trl loop run row crossing alley pike path point'.split(
    ' ',
  ),
);
const DIRECTIONS = new Set(['n', 's', 'e', 'w', 'ne', 'nw', 'se', 'sw', 'north', 'south', 'east', 'west']);
const UNIT = new Set(['apt', 'apartment', 'suite', 'ste']);
/** Words that never stand inside a street name. */
const BREAKS = new Set(
  'the a an on at in of is are and or but with to for from not no by our my your this that door doors lock locks by'.split(
    ' ',
  ),
);
const MAX_NAME_WORDS = 4;
/** How far a unit, town or state may follow a street line. */
const MAX_TAIL = 6;

/** Street lines ("1200 Oak St, Suite 4, Springfield TX 78701"), unit lines and post office boxes. */
export function findPlaces(tokens: readonly Token[], text: string, vocabulary: Vocabulary): readonly Span[] {
  const spans: Span[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) continue;
    const street = token.digits ? streetEnd(tokens, text, at) : -1;
    if (street !== -1) {
      const last = tailEnd(tokens, street, vocabulary);
      spans.push(place(token.start, tokens[last]?.end ?? token.end));
      at = last;
    } else if (UNIT.has(token.lower)) {
      const unit = unitEnd(tokens, at);
      if (unit !== -1) spans.push(place(token.start, tokens[unit]?.end ?? token.end));
    } else if (isBox(tokens, at)) {
      const number = tokens.slice(at, at + 7).find((t) => t.digits);
      if (number !== undefined) spans.push(place(token.start, number.end));
    }
  }
  return spans;
}

function place(start: number, end: number): Span {
  return { start, end, label: 'ADDRESS', rank: RANK.pattern };
}

/** Index of the street word that ends the line starting with the house number at `first`, or -1. */
function streetEnd(tokens: readonly Token[], text: string, first: number): number {
  const house = tokens[first]?.lower ?? '';
  if (!/^[0-9]{1,6}[a-z]?$/.test(house)) return -1;
  for (let at = first + 1, words = 0; at < tokens.length && words <= MAX_NAME_WORDS; at += 1) {
    const token = tokens[at];
    if (token === undefined || BREAKS.has(token.lower)) return -1;
    if (token.kind === 'mark') {
      if (!['.', '-', "'"].includes(token.lower)) return -1;
      continue;
    }
    if (words > 0 && STREET.has(token.lower)) return at;
    const capital = /[A-Z]/.test(text[token.start] ?? '');
    const sure = house.length >= 3 || capital;
    if (words > 0 && sure && STREET_OR_WORD.has(token.lower)) return at;
    if (!DIRECTIONS.has(token.lower)) words += 1;
  }
  return -1;
}

/** Takes a direction, a unit, and what looks like town, state and postcode along with a street line. */
function tailEnd(tokens: readonly Token[], street: number, vocabulary: Vocabulary): number {
  let last = street;
  for (let at = street + 1; at < tokens.length && at <= street + MAX_TAIL; at += 1) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.kind === 'mark') {
      if (![',', '.', '#', '-'].includes(token.lower)) break;
      continue;
    }
    const unit = UNIT.has(token.lower) || ['unit', 'floor', 'fl', 'bldg'].includes(token.lower);
    const afterUnit = token.digits && tokens[at - 1]?.lower !== ',';
    const postal = /^[0-9]{5}$/.test(token.lower);
    const strange = token.letters && !vocabulary.has(token.lower);
    if (!unit && !afterUnit && !postal && !strange && !DIRECTIONS.has(token.lower)) break;
    last = at;
  }
  return last;
}

function unitEnd(tokens: readonly Token[], at: number): number {
  let next = at + 1;
  while (next < at + 3 && ['#', '.', 'number', 'no'].includes(tokens[next]?.lower ?? '')) next += 1;
  const token = tokens[next];
  return token?.kind === 'chunk' && (token.digits || token.lower.length === 1) ? next : -1;
}

/** "PO Box 12", "P.O. box 12". */
function isBox(tokens: readonly Token[], at: number): boolean {
  const words = tokens
    .slice(at, at + 5)
    .filter((token) => token.kind === 'chunk')
    .map((token) => token.lower)
    .join(' ');
  return /^(?:po box|p o box)/.test(words) && ['po', 'p'].includes(tokens[at]?.lower ?? '');
}
