import type { DigitRun } from './digit-runs.ts';
import type { EquipmentIds } from './equipment.ts';
import { RANK, type Span } from './spans.ts';
import type { Token } from './tokens.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Letters and digits in one chunk that mean something to everybody: 5pm, 3rd, 24v, 36in, 2x4, x2. */
const COMMON_FORMS: readonly RegExp[] = [
  /^[0-9]{1,2}(?:am|pm|a|p)$/,
  /^[0-9]{1,3}(?:st|nd|rd|th)$/,
  /^[0-9]{1,3}(?:ft|in|mm|cm|m|lb|lbs|kg|v|vac|vdc|a|amp|w|hr|hrs|h|min|mins|sec|secs|s|x|k|deg|pc|pcs)$/,
  /^[0-9]{1,2}x[0-9]{1,2}$/,
  /^x[0-9]{1,2}$/,
];

/** Words after which a name follows, even one that is also a word: "ask for Rose". */
const NAME_CUES = new Set(
  'miss manager supervisor owner named name contact regards sincerely cheers signed'.split(' '),
);
const TITLES = new Set(['mr', 'mrs', 'ms', 'dr', 'mgr', 'attn']);
const NAME_CUE_PAIRS = new Set([
  'name is',
  'this is',
  'i am',
  'ask for',
  'speak to',
  'speak with',
  'talk to',
  'see for',
  "it's for",
  'here is',
]);

/**
 * Default deny: a word is released only when the vocabulary has it. Numbers are judged elsewhere.
 * @invariant a chunk with a letter in it is released only by the vocabulary, a common form or an equipment id
 */
export function findUnknownWords(
  tokens: readonly Token[],
  runs: readonly DigitRun[],
  text: string,
  vocabulary: Vocabulary,
  equipment: EquipmentIds,
): readonly Span[] {
  const numberTokens = new Set(runs.flatMap((run) => run.map((group) => group.token)));
  const spans: Span[] = [];
  const strange = new Set<number>();
  tokens.forEach((token, at) => {
    if (token.kind === 'mark') {
      // Only ASCII punctuation is ever released.
      if (token.lower > '~') spans.push(unknown(token));
      return;
    }
    if (!token.letters) return;
    if (isIntroducedName(tokens, at, text)) spans.push({ ...unknown(token), label: 'PERSON' });
    if (isReadable(token, vocabulary, equipment) || isMakerWord(tokens, at, vocabulary)) return;
    if (token.digits && numberTokens.has(at)) return;
    strange.add(at);
    spans.push(unknown(token));
  });
  return [...spans, ...findNeighbours(tokens, strange, text)];
}

/**
 * What stands right beside an unknown capitalised word belongs to it: "Zoe Young", "Hanne I. Kreutzmann",
 * "Harjukuja 54", "27 Rosengasse". Looks a few words on while they are capitalised.
 */
function findNeighbours(
  tokens: readonly Token[],
  strange: ReadonlySet<number>,
  text: string,
): readonly Span[] {
  const spans: Span[] = [];
  for (const at of strange) {
    if (!isCapitalised(tokens[at], text)) continue;
    for (const step of [1, -1]) {
      for (let near = at + step, words = 0; words < MAX_NAME_NEIGHBOURS; near += step) {
        const token = tokens[near];
        if (token === undefined) break;
        if (token.kind === 'mark') {
          if (token.lower !== '-' && !isInitialDot(tokens, near)) break;
          continue;
        }
        if (strange.has(near) || !belongsToName(tokens, near, text)) break;
        spans.push({ ...unknown(token), label: token.digits ? 'NUMBER' : 'UNKNOWN' });
        words += 1;
      }
    }
  }
  return spans;
}

const MAX_NAME_NEIGHBOURS = 3;

/** A capitalised word in mid-sentence, an initial, or a bare number of two digits or more. */
function belongsToName(tokens: readonly Token[], at: number, text: string): boolean {
  const token = tokens[at];
  if (token === undefined) return false;
  if (token.digits) return !token.letters && token.lower.length >= 2;
  const before = tokens[at - 1];
  const opensSentence = before === undefined || ['.', '!', '?', ':'].includes(before.lower);
  if (opensSentence && !isInitialDot(tokens, at - 1)) return false;
  return isCapitalised(token, text) || isInitialDot(tokens, at + 1);
}

/** The full stop of "I." in a name. */
function isInitialDot(tokens: readonly Token[], at: number): boolean {
  const letter = tokens[at - 1];
  return tokens[at]?.lower === '.' && letter?.kind === 'chunk' && letter.lower.length === 1;
}

function unknown(token: Token): Span {
  return { start: token.start, end: token.end, label: 'UNKNOWN', rank: RANK.word };
}

function isReadable(token: Token, vocabulary: Vocabulary, equipment: EquipmentIds): boolean {
  const { lower } = token;
  if (token.digits) {
    return COMMON_FORMS.some((form) => form.test(lower)) || equipment.covers(token.start, token.end);
  }
  if (vocabulary.has(lower)) return true;
  if (lower.endsWith("'s") && vocabulary.has(lower.slice(0, -2))) return true;
  return equipment.covers(token.start, token.end);
}

function isMakerWord(tokens: readonly Token[], at: number, vocabulary: Vocabulary): boolean {
  const lower = tokens[at]?.lower ?? '';
  return (
    vocabulary.isMakerPair(lower, tokens[at + 1]?.lower ?? '') ||
    vocabulary.isMakerPair(tokens[at - 1]?.lower ?? '', lower)
  );
}

/** A capitalised word behind "this is", "ask for", "Mr.": a name, whatever else the word means. */
function isIntroducedName(tokens: readonly Token[], at: number, text: string): boolean {
  if (!isCapitalised(tokens[at], text)) return false;
  if (isCued(tokens, at - 1)) return true;
  // Two capitalised words in a row are first and last name.
  return isCapitalised(tokens[at - 1], text) && isCued(tokens, at - 2);
}

/** Whether the words that end at `last` announce a name. A full stop ends a sentence, except behind "Mr". */
function isCued(tokens: readonly Token[], last: number): boolean {
  const mark = tokens[last]?.lower ?? '';
  const at = ['.', ':', ','].includes(mark) ? last - 1 : last;
  const word = tokens[at]?.lower ?? '';
  if (mark === '.' && !TITLES.has(word)) return false;
  return (
    NAME_CUES.has(word) || TITLES.has(word) || NAME_CUE_PAIRS.has(`${tokens[at - 1]?.lower ?? ''} ${word}`)
  );
}

/** "Rose", but not "ROSE" in a message that shouts, and not "I". */
function isCapitalised(token: Token | undefined, text: string): boolean {
  if (token === undefined || token.kind !== 'chunk') return false;
  const written = text.slice(token.start, token.end);
  return /^[A-Z]./.test(written) && written.slice(1) === written.slice(1).toLowerCase();
}
