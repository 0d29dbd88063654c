import { isIban, isLuhn, isSsn } from '../masking/checksums.ts';
import type { Dictionary } from '../masking/dictionary.ts';
import { digitsOf, findDigitRuns } from '../masking/digit-runs.ts';
import { findKnownValues } from '../masking/known-values.ts';
import { comparable } from '../masking/mask.ts';
import { normalise } from '../masking/normalise.ts';
import { type Token, tokenise } from '../masking/tokens.ts';
import type { Vocabulary } from '../masking/vocabulary.ts';
import { Withheld } from '../masking/withhold.ts';

/** The longest value is an address line of about a dozen words. */
const MAX_NGRAM = 12;
/** Shorter values say nothing by themselves. */
const MIN_COMPARABLE = 3;
/** Our own placeholders are what is allowed to leave. */
const PLACEHOLDER = /\u27e6[A-Z]{2,12}_[1-9][0-9]{0,8}\u27e7/g;

export interface ExitCheck {
  readonly text: string;
  readonly dictionary: Dictionary;
  readonly vocabulary: Vocabulary;
  /** Digests of everything that was ever masked in this case. */
  readonly maskedDigests: ReadonlySet<string>;
  readonly digest: (comparable: string) => string;
}

/**
 * Whether a text that is about to leave holds nothing of this case: no value on file, nothing that was masked
 * before (word n-grams and digit strings by keyed digest), no card, account or social security number.
 * Independent of what the masking thought of the text. Anything it cannot read is not clear.
 * @source design 04, stage 6
 */
export function isClear({ text, dictionary, vocabulary, maskedDigests, digest }: ExitCheck): boolean {
  try {
    const { text: folded } = normalise(text.replaceAll(PLACEHOLDER, ' '));
    const tokens = tokenise(folded);
    const runs = findDigitRuns(tokens);
    if (findKnownValues(tokens, runs, folded, dictionary, vocabulary).length > 0) return false;
    const numbers = runs.map(digitsOf);
    if (numbers.some((digits) => isLuhn(digits) || isSsn(digits))) return false;
    const isHit = (value: string) => value.length >= MIN_COMPARABLE && maskedDigests.has(digest(value));
    if (numbers.some(isHit)) return false;
    return !ngrams(tokens).some((gram) => isIban(gram.toUpperCase()) || isHit(gram));
  } catch (error) {
    if (error instanceof Withheld) return false;
    throw error;
  }
}

/** Every run of up to twelve neighbouring chunks, joined the way values are compared. */
function ngrams(tokens: readonly Token[]): readonly string[] {
  const words = tokens.filter((token) => token.kind === 'chunk').map((token) => comparable(token.lower));
  const grams = new Set<string>();
  words.forEach((_, first) => {
    let gram = '';
    for (let at = first; at < Math.min(words.length, first + MAX_NGRAM); at += 1) {
      gram += words[at] ?? '';
      grams.add(gram);
    }
  });
  return [...grams];
}
