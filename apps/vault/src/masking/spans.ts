/** Every kind of placeholder; the name is what the agent reads in `⟦PERSON_1⟧`. */
export const LABELS = [
  'PERSON',
  'SITE',
  'ADDRESS',
  'PHONE',
  'EMAIL',
  'URL',
  'CARD',
  'IBAN',
  'SSN',
  'IP',
  'DATE',
  'CODE',
  'PASSWORD',
  'POSTCODE',
  'NUMBER',
  'VALUE',
  'UNKNOWN',
] as const;
export type Label = (typeof LABELS)[number];

/** A half-open range of normalised text that must not be released. Of overlapping spans the higher rank names. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: Label;
  readonly rank: number;
}

/** What is sure beats what is guessed: values on file, then secrets, then shapes, then loose digits, then words. */
export const RANK = { known: 50, secret: 40, pattern: 30, digits: 20, word: 10 } as const;

/** Joins overlapping spans into their union, in order; nothing that any detector marked is ever unmarked. */
export function mergeSpans(spans: readonly Span[]): readonly Span[] {
  const sorted = [...spans].sort((a, b) => a.start - b.start || b.end - a.end);
  const merged: Span[] = [];
  for (const span of sorted) {
    const last = merged.at(-1);
    if (last === undefined || span.start >= last.end) {
      merged.push(span);
      continue;
    }
    const named = span.rank > last.rank ? span : last;
    merged[merged.length - 1] = {
      start: last.start,
      end: Math.max(last.end, span.end),
      label: named.label,
      rank: named.rank,
    };
  }
  return merged;
}
