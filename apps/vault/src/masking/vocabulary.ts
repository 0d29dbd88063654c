/** The reviewed words that may be released. Everything else is masked like a name. */
export interface Vocabulary {
  has(lower: string): boolean;
  /** A maker or product line of one word. A short number behind a maker is a model, not a person's. */
  isMaker(lower: string): boolean;
  /** A maker of two words, such as `adams rite`; only the pair is released, never the first word alone. */
  isMakerPair(first: string, second: string): boolean;
}

/** Words so common that, alone and in lower case, they are language even where somebody is called that. */
export const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  'a all am an and any are as at be been but by can day did do does done down for from front get go good got had has have he her here him his how i if in into is it its just key last lock long look make man many may me more most much must my new next no not now of off old on one or our out over own she should so some soon store street than that the their them then there they this time to too two up us very was way we well were what when where which who why will with would yes you young your'.split(
    ' ',
  ),
);

const WORD = /^[a-z]+(?:'[a-z]+)?$/;
const MAKER = /^[a-z]+(?: [a-z]+)?$/;

/**
 * Reads word lists: one entry per line, `#` starts a comment line.
 * @throws Error when a line is malformed or a list is empty: half a vocabulary is a broken release
 */
export function readVocabulary(wordsText: string, makersText: string): Vocabulary {
  const words = readList(wordsText, WORD);
  const makers = readList(makersText, MAKER);
  return {
    has: (lower) => words.has(lower) || (!lower.includes(' ') && makers.has(lower)),
    isMaker: (lower) => !lower.includes(' ') && makers.has(lower),
    isMakerPair: (first, second) => makers.has(`${first} ${second}`),
  };
}

function readList(text: string, entry: RegExp): ReadonlySet<string> {
  const entries = new Set<string>();
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    if (!entry.test(trimmed)) throw new Error('a word list holds a line that is no entry');
    entries.add(trimmed);
  }
  if (entries.size === 0) throw new Error('a word list is empty');
  return entries;
}
