import type { Dictionary } from './dictionary.ts';
import { findDigitRuns } from './digit-runs.ts';
import { findEquipment } from './equipment.ts';
import { findKnownValues } from './known-values.ts';
import { normalise } from './normalise.ts';
import { findNumbers } from './numbers.ts';
import { findPatterns } from './patterns.ts';
import { findPlaces } from './places.ts';
import { findSecrets } from './secrets.ts';
import { type Label, mergeSpans, type Span } from './spans.ts';
import { type Token, tokenise } from './tokens.ts';
import type { Vocabulary } from './vocabulary.ts';
import { Withheld, type WithholdReason } from './withhold.ts';
import { findUnknownWords } from './words.ts';

/** A range that must not be released: in normalised text, and in the message as it arrived. */
export interface MaskedSpan extends Span {
  readonly rawStart: number;
  readonly rawEnd: number;
}

/** What all detectors found; `text` is the normalised message and still holds personal data. */
export type Analysis =
  | { readonly state: 'READY'; readonly text: string; readonly spans: readonly MaskedSpan[] }
  | { readonly state: 'WITHHELD'; readonly reason: WithholdReason };

export interface AnalyseInput {
  readonly raw: string;
  /** Null when the account's known values are not at hand: nothing is released then. */
  readonly dictionary: Dictionary | null;
  readonly vocabulary: Vocabulary;
}

/** A value that was taken out of a released text. Personal data: vault only. */
export interface MaskedValue {
  /** `PERSON_1`, without brackets. */
  readonly placeholder: string;
  readonly label: Label;
  /** The value in normalised form. */
  readonly value: string;
  /** Half-open range in the raw message. */
  readonly rawStart: number;
  readonly rawEnd: number;
}

export type MaskResult =
  | { readonly state: 'RELEASED'; readonly text: string; readonly values: readonly MaskedValue[] }
  | { readonly state: 'WITHHELD'; readonly reason: WithholdReason };

/** Gives equal values of a case equal numbers: (label, comparable value) -> 1, 2, … */
export type NumberPlaceholder = (label: Label, comparable: string) => number;

/** A released text fits the field that carries it. */
const MAX_RELEASED = 16_000;
/** Above this share of masked characters the rest says nothing and may still point at somebody. */
const MAX_MASKED_SHARE = 0.6;

/**
 * Runs every stage over one message. Never throws: what cannot be finished is withheld, never handed on raw.
 * @invariant READY only after every stage ran to its end on this very text (T5.2)
 */
export function analyse({ raw, dictionary, vocabulary }: AnalyseInput): Analysis {
  try {
    if (dictionary === null) throw new Withheld('missing_dictionary');
    const normalised = normalise(raw);
    if (normalised.text.trim() === '') throw new Withheld('empty');
    const tokens = tokenise(normalised.text);
    const spans = findSpans(normalised.text, tokens, dictionary, vocabulary);
    if (maskedShare(tokens, spans) > MAX_MASKED_SHARE) throw new Withheld('mostly_masked');
    return {
      state: 'READY',
      text: normalised.text,
      spans: spans.map((span) => ({
        ...span,
        rawStart: normalised.starts[span.start] ?? 0,
        rawEnd: normalised.ends[span.end - 1] ?? 0,
      })),
    };
  } catch (error) {
    return { state: 'WITHHELD', reason: error instanceof Withheld ? error.reason : 'exception' };
  }
}

/** Everything in normalised text that must not be released, merged and in order. */
function findSpans(
  text: string,
  tokens: readonly Token[],
  dictionary: Dictionary,
  vocabulary: Vocabulary,
): readonly Span[] {
  const runs = findDigitRuns(tokens);
  const equipment = findEquipment(tokens, vocabulary);
  return mergeSpans([
    ...findKnownValues(tokens, runs, text, dictionary, vocabulary),
    ...findSecrets(tokens, runs),
    ...findPatterns(text, tokens),
    ...findPlaces(tokens, text, vocabulary),
    ...findNumbers(runs, tokens, text, equipment.covers),
    ...findUnknownWords(tokens, runs, text, vocabulary, equipment),
  ]);
}

/** Share of masked words, a masked span counting as one: "call me at ⟦PHONE_1⟧" is mostly readable. */
function maskedShare(tokens: readonly Token[], spans: readonly Span[]): number {
  let open = 0;
  let next = 0;
  for (const token of tokens) {
    while (next < spans.length && (spans[next]?.end ?? 0) <= token.start) next += 1;
    const span = spans[next];
    const masked = span !== undefined && span.start < token.end;
    if (token.kind === 'chunk' && !masked) open += 1;
  }
  return spans.length / Math.max(1, spans.length + open);
}

/**
 * Writes the released text: the normalised message with every span replaced by its placeholder.
 * @invariant the text outside placeholders is ASCII, whatever the detectors said
 */
export function render(analysis: Analysis, numberOf: NumberPlaceholder): MaskResult {
  if (analysis.state === 'WITHHELD') return analysis;
  const values: MaskedValue[] = [];
  let text = '';
  let at = 0;
  for (const span of analysis.spans) {
    const value = analysis.text.slice(span.start, span.end);
    const placeholder = `${span.label}_${numberOf(span.label, comparable(value))}`;
    const between = analysis.text.slice(at, span.start);
    if (!ASCII.test(between)) return { state: 'WITHHELD', reason: 'exception' };
    text += `${between}\u27e6${placeholder}\u27e7`;
    values.push({ placeholder, label: span.label, value, rawStart: span.rawStart, rawEnd: span.rawEnd });
    at = span.end;
  }
  const rest = analysis.text.slice(at);
  if (!ASCII.test(rest)) return { state: 'WITHHELD', reason: 'exception' };
  text += rest;
  return text.length > MAX_RELEASED
    ? { state: 'WITHHELD', reason: 'oversize' }
    : { state: 'RELEASED', text, values };
}

const ASCII = /^[\n\x20-\x7e]*$/;

/** Digits and lower-case letters only: "Lopez," and "lopez" are one person. */
export function comparable(value: string): string {
  const letters = value.toLowerCase().replaceAll(/[^\p{L}0-9]/gu, '');
  return letters === '' ? value : letters;
}

/**
 * Numbers placeholders within one case, going on from those it has.
 * @param given `LABEL comparable` -> number
 */
export function createNumbering(given: ReadonlyMap<string, number>): NumberPlaceholder {
  const numbers = new Map(given);
  const highest = new Map<string, number>();
  for (const [key, number] of numbers) {
    const label = key.slice(0, key.indexOf(' '));
    highest.set(label, Math.max(highest.get(label) ?? 0, number));
  }
  return (label, value) => {
    const key = `${label} ${value}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const next = (highest.get(label) ?? 0) + 1;
    highest.set(label, next);
    numbers.set(key, next);
    return next;
  };
}
