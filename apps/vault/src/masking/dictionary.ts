import { digitsOf, findDigitRuns } from './digit-runs.ts';
import { allowedEdits, deletions } from './edit-distance.ts';
import { normalise } from './normalise.ts';
import type { Label } from './spans.ts';
import { tokenise } from './tokens.ts';

export const VALUE_KINDS = ['person', 'site', 'address', 'phone', 'email', 'code', 'other'] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];

/** One thing known about an account's people and places, in clear. Lives only inside the vault's memory. */
export interface KnownValue {
  readonly kind: ValueKind;
  readonly value: string;
}

/** A node of the phrase tree; `label` is set where a phrase ends. */
export interface PhraseNode {
  readonly next: Map<string, PhraseNode>;
  label: Label | null;
}

/** The known values of one account, ready for matching. Scoped to the account: a global list masks the language. */
export interface Dictionary {
  readonly phrases: PhraseNode;
  /** Words of people's names by themselves. */
  readonly names: ReadonlySet<string>;
  /** What is left of a name word after deletions -> the name words it can come from. */
  readonly nearNames: ReadonlyMap<string, readonly string[]>;
  /** Every window of seven digits of a long number on file. */
  readonly windows: ReadonlyMap<string, Label>;
  /** Numbers of three to six digits on file, such as door codes. */
  readonly shortNumbers: ReadonlyMap<string, Label>;
}

export const LABEL_OF: Readonly<Record<ValueKind, Label>> = {
  person: 'PERSON',
  site: 'SITE',
  address: 'ADDRESS',
  phone: 'PHONE',
  email: 'EMAIL',
  code: 'CODE',
  other: 'VALUE',
};

export const WINDOW = 7;
const MAX_PHRASE_WORDS = 12;
/** Titles are not names. */
const TITLES = new Set(['mr', 'mrs', 'ms', 'miss', 'dr', 'jr', 'sr', 'ii', 'iii', 'the']);

/**
 * Compiles the known values. Values pass the same normaliser as messages, so both sides are folded alike.
 * @throws Withheld when a value cannot be normalised: an incomplete dictionary must not release anything
 */
export function compileDictionary(values: readonly KnownValue[]): Dictionary {
  const phrases: PhraseNode = { next: new Map(), label: null };
  const names = new Set<string>();
  const nearNames = new Map<string, string[]>();
  const windows = new Map<string, Label>();
  const shortNumbers = new Map<string, Label>();
  // Where a word is in several values, the first to come names it: a person rather than that person's address.
  const ordered = [...values].sort((a, b) => VALUE_KINDS.indexOf(a.kind) - VALUE_KINDS.indexOf(b.kind));
  for (const { kind, value } of ordered) {
    const label = LABEL_OF[kind];
    const tokens = tokenise(normalise(value).text);
    const words = tokens.filter((t) => t.kind === 'chunk').map((t) => t.lower);
    for (const phrase of phrasesOf(kind, words)) addPhrase(phrases, phrase, label);
    if (kind === 'person') for (const word of nameWords(words)) names.add(word);
    if (['phone', 'code', 'other', 'address', 'site'].includes(kind)) {
      for (const run of findDigitRuns(tokens)) addNumber(digitsOf(run), label, windows, shortNumbers, kind);
    }
  }
  for (const name of names) {
    for (const rest of deletions(name, allowedEdits(name.length))) {
      nearNames.set(rest, [...(nearNames.get(rest) ?? []), name]);
    }
  }
  return { phrases, names, nearNames, windows, shortNumbers };
}

function nameWords(words: readonly string[]): readonly string[] {
  return words.filter((word) => word.length >= 2 && !TITLES.has(word));
}

/** The ways in which a value is written down: whole, in part, turned round, initialled, run together. */
function phrasesOf(kind: ValueKind, words: readonly string[]): readonly (readonly string[])[] {
  const whole = words.slice(0, MAX_PHRASE_WORDS);
  if (whole.length === 0) return [];
  if (kind === 'person') return personPhrases(nameWords(words));
  if (kind === 'address') return addressPhrases(words);
  if (kind === 'email') return emailPhrases(words);
  return kind === 'phone' ? [] : [whole, [whole.join('')]];
}

/** People have two names or three; the pairs of a longer list would only mask more than the person. */
const MAX_PAIRED_NAMES = 4;

function personPhrases(words: readonly string[]): readonly (readonly string[])[] {
  const phrases: string[][] = words.map((word) => [word]);
  phrases.push([...words], [words.join('')]);
  const paired = words.slice(0, MAX_PAIRED_NAMES);
  for (const one of paired) {
    for (const other of paired) {
      if (one === other) continue;
      const initial = one.charAt(0);
      phrases.push(
        [one, other],
        [one + other],
        [initial, other],
        [initial + other],
        [other, initial],
        [other + initial],
      );
    }
  }
  return phrases;
}

/** A house number with its street, and any two neighbouring words with something of their own in them. */
function addressPhrases(words: readonly string[]): readonly (readonly string[])[] {
  const phrases: string[][] = [words.slice(0, MAX_PHRASE_WORDS)];
  for (let at = 0; at + 1 < words.length; at += 1) {
    phrases.push(words.slice(at, at + 2));
    if (at + 2 < words.length) phrases.push(words.slice(at, at + 3));
  }
  return phrases;
}

/** `maria.lopez@shop.example` is said "maria dot lopez at shop dot example". */
function emailPhrases(words: readonly string[]): readonly (readonly string[])[] {
  const phrases: string[][] = [words.slice(0, MAX_PHRASE_WORDS)];
  for (const local of words.slice(0, -2)) if (local.length >= 4) phrases.push([local]);
  return phrases;
}

function addPhrase(root: PhraseNode, words: readonly string[], label: Label): void {
  let node = root;
  for (const word of words) {
    let child = node.next.get(word);
    if (child === undefined) {
      child = { next: new Map(), label: null };
      node.next.set(word, child);
    }
    node = child;
  }
  if (words.length > 0) node.label ??= label;
}

function addNumber(
  digits: string,
  label: Label,
  windows: Map<string, Label>,
  shortNumbers: Map<string, Label>,
  kind: ValueKind,
): void {
  for (let at = 0; at + WINDOW <= digits.length; at += 1) {
    const window = digits.slice(at, at + WINDOW);
    if (!windows.has(window)) windows.set(window, label);
  }
  // A house number alone is any number; a door code alone is the door's.
  const telling = kind === 'code' || kind === 'other';
  if (telling && digits.length >= 3 && digits.length < WINDOW && !shortNumbers.has(digits)) {
    shortNumbers.set(digits, label);
  }
}
