/** A run of words in a clause: `from` inclusive, `to` exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Splits a text into clauses of lower-case words. Placeholders of masked words are dropped: they say nothing.
 * @param text at most as long as the vault releases (16,000 characters); the time it takes is linear in that
 */
export function clausesOf(text: string): readonly (readonly string[])[] {
  return text
    .replace(/⟦[^⟧]{0,40}⟧/g, ' ')
    .toLowerCase()
    .replaceAll('’', "'")
    .split(/[.!?;\n]| but /)
    .map((clause) => clause.match(/[a-z0-9']+/g) ?? [])
    .filter((words) => words.length > 0);
}

/**
 * Where a phrase occurs in a clause. A phrase is words with single spaces; a word may list alternatives with `|`
 * and end in `*` for any ending: `door*|gate won't|wont lock*`.
 */
export function findPhrase(words: readonly string[], phrase: string): readonly Span[] {
  const pattern = phrase.split(' ').map((word) => word.split('|'));
  return words.flatMap((_, from) =>
    pattern.every((alternatives, at) => alternatives.some((one) => isWord(words[from + at], one)))
      ? [{ from, to: from + pattern.length }]
      : [],
  );
}

export function hasPhrase(words: readonly string[], phrase: string): boolean {
  return findPhrase(words, phrase).length > 0;
}

function isWord(word: string | undefined, wanted: string): boolean {
  if (word === undefined) return false;
  return wanted.endsWith('*') ? word.startsWith(wanted.slice(0, -1)) : word === wanted;
}
