import type { Token } from './tokens.ts';

/** One written or spoken number inside a run: "512", "O7", "double five", "twenty five". */
export interface DigitGroup {
  readonly digits: string;
  readonly start: number;
  readonly end: number;
  readonly spoken: boolean;
  /** Part of a clock time such as 5:30; counted only where times make no sense. */
  readonly time: boolean;
  /** Index of its first token. */
  readonly token: number;
}

/** Groups with nothing but fillers between them. */
export type DigitRun = readonly DigitGroup[];

const UNITS = new Map([
  ['zero', '0'],
  ['oh', '0'],
  ['o', '0'],
  ['nought', '0'],
  ['one', '1'],
  ['two', '2'],
  ['three', '3'],
  ['four', '4'],
  ['five', '5'],
  ['six', '6'],
  ['seven', '7'],
  ['eight', '8'],
  ['nine', '9'],
  ['niner', '9'],
]);
const TEENS = new Map(
  'ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'
    .split(' ')
    .map((word, index) => [word, String(10 + index)]),
);
const TENS = new Map(
  'twenty thirty forty fifty sixty seventy eighty ninety'
    .split(' ')
    .map((word, index) => [word, String(2 + index)]),
);
const SCALES = new Map([
  ['hundred', '00'],
  ['thousand', '000'],
]);
const REPEATS = new Map([
  ['double', 2],
  ['triple', 3],
]);
/** What people say or type between the parts of one number. */
const FILLER_WORDS = new Set(
  'then and dash hyphen space dot point minus plus slash um uh uhm er comma again followed by area code pause star pound hash'.split(
    ' ',
  ),
);
const FILLER_MARKS = new Set([...'-.()/+,;_*#|\\~\'"[]{}<>=!&:']);
const MAX_FILLERS = 4;

/** A chunk that is a number once letter O (and l, I behind a digit) is read as a digit; "L9080" is a lock. */
const NUMBER_LIKE = /^(?=.{0,40}[0-9])[0-9o][0-9oil]{0,39}$/;
const LONG_NUMBER = /^[0-9]+$/;
const EXTENDED = /^([0-9]{4,12})(?:x|ext)([0-9]{0,8})$/;

/**
 * Finds every number of the text, however it is written, and joins neighbours over spaces, line breaks,
 * punctuation and spoken fillers. One pass; at most `MAX_FILLERS` tokens are looked at between two groups.
 */
export function findDigitRuns(tokens: readonly Token[]): readonly DigitRun[] {
  const runs: DigitRun[] = [];
  let run: DigitGroup[] = [];
  let fillers = 0;
  const close = () => {
    if (run.length > 0) runs.push(run);
    run = [];
    fillers = 0;
  };
  for (let at = 0; at < tokens.length; ) {
    const read = readGroup(tokens, at);
    if (read !== null) {
      run.push(read.group);
      fillers = 0;
      at = read.next;
      continue;
    }
    fillers += 1;
    if (fillers > MAX_FILLERS || !isFiller(tokens[at])) close();
    at += 1;
  }
  close();
  return runs.map(withoutLoneLetters).filter((kept) => kept.length > 0);
}

function isFiller(token: Token | undefined): boolean {
  if (token === undefined) return false;
  return token.kind === 'mark' ? FILLER_MARKS.has(token.lower) : FILLER_WORDS.has(token.lower);
}

function readGroup(tokens: readonly Token[], at: number): { group: DigitGroup; next: number } | null {
  const token = tokens[at];
  if (token === undefined || token.kind !== 'chunk') return null;
  const written = writtenDigits(token.lower);
  if (written !== null) {
    const time = isClockPart(tokens, at);
    return {
      group: { digits: written, start: token.start, end: token.end, spoken: false, time, token: at },
      next: at + 1,
    };
  }
  return readSpoken(tokens, at);
}

function writtenDigits(lower: string): string | null {
  if (LONG_NUMBER.test(lower)) return lower;
  // "0123x45" and "0123ext": a number with an extension stuck to it.
  const extended = EXTENDED.exec(lower);
  if (extended) return `${extended[1]}${extended[2]}`;
  if (!NUMBER_LIKE.test(lower)) return null;
  return lower.replaceAll('o', '0').replaceAll(/[il]/g, '1');
}

/** The two numbers of `h:mm`, provided nothing of the same shape is chained on. */
function isClockPart(tokens: readonly Token[], at: number): boolean {
  return isClock(tokens, at) || (at >= 2 && isClock(tokens, at - 2));
}

function isClock(tokens: readonly Token[], at: number): boolean {
  const [hour, colon, minute] = [tokens[at], tokens[at + 1], tokens[at + 2]];
  if (colon?.lower !== ':' || hour === undefined || minute === undefined) return false;
  if (hour.end !== colon.start || colon.end !== minute.start) return false;
  if (tokens[at + 3]?.lower === ':' || (at > 0 && tokens[at - 1]?.lower === ':')) return false;
  return /^(?:[01]?[0-9]|2[0-3])$/.test(hour.lower) && /^[0-5][0-9](?:am|pm|a|p)?$/.test(minute.lower);
}

function readSpoken(tokens: readonly Token[], at: number): { group: DigitGroup; next: number } | null {
  const first = tokens[at];
  if (first === undefined) return null;
  let next = at;
  let times = 1;
  const repeat = REPEATS.get(first.lower);
  if (repeat !== undefined) {
    times = repeat;
    next += 1;
  }
  const head = tokens[next]?.lower ?? '';
  let digits = UNITS.get(head) ?? TEENS.get(head) ?? (repeat === undefined ? undefined : writtenDigits(head));
  const tens = TENS.get(head);
  if (tens !== undefined) {
    const hyphen = tokens[next + 1]?.lower === '-' ? 1 : 0;
    const unit = UNITS.get(tokens[next + 1 + hyphen]?.lower ?? '');
    digits = tens + (unit ?? '0');
    if (unit !== undefined) next += 1 + hyphen;
  }
  if (digits === undefined || digits === null || digits.length > 40) return null;
  const scale = SCALES.get(tokens[next + 1]?.lower ?? '');
  if (scale !== undefined) next += 1;
  const last = tokens[next];
  if (last === undefined) return null;
  const value = digits.repeat(times) + (scale ?? '');
  return {
    group: { digits: value, start: first.start, end: last.end, spoken: true, time: false, token: at },
    next: next + 1,
  };
}

/** "oh" and "o" are digits only beside others: "oh 2 doors are stuck" keeps its "oh". */
function withoutLoneLetters(run: DigitRun): DigitRun {
  return run.length === 1 && run[0]?.spoken && run[0].digits === '0' ? [] : run;
}

/** All digits of a run, in order. */
export function digitsOf(run: DigitRun): string {
  return run.map((group) => group.digits).join('');
}
