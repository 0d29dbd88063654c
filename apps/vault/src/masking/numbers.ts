import { parsePhoneNumberFromString } from 'libphonenumber-js';
import { isLuhn, isSsn } from './checksums.ts';
import { type DigitGroup, type DigitRun, digitsOf } from './digit-runs.ts';
import { type Label, RANK, type Span } from './spans.ts';
import type { Token } from './tokens.ts';

/** Seven digits are a local phone number: from there on no number is released. */
const LONG = 7;
/** Phone metadata look-ups per message; past this the digits are masked all the same, only less well named. */
const MAX_LOOKUPS = 200;

/** The shape of a North American number said in parts. */
const PHONE_PARTS = new Set(['3,3,4', '1,3,3,4']);
const MAX_PART_GAP = 5;

/**
 * Masks numbers by how many digits belong together, not by how they are punctuated.
 * @param isProtected whether a range lies inside an equipment id, where shorter numbers stay readable
 */
export function findNumbers(
  runs: readonly DigitRun[],
  tokens: readonly Token[],
  text: string,
  isProtected: (start: number, end: number) => boolean,
): readonly Span[] {
  const spans: Span[] = [];
  let lookups = 0;
  const label = (run: DigitRun): Label => {
    lookups += 1;
    return labelOf(run, lookups <= MAX_LOOKUPS, text);
  };
  for (const run of runs) {
    for (const part of withoutTimes(run)) {
      const digits = digitsOf(part);
      if (digits.length >= LONG) {
        if (!isEquipmentNumber(part, isProtected)) spans.push(spanOf(part, label(part)));
      } else {
        spans.push(...shortNumbers(part, tokens, text, isProtected));
      }
    }
  }
  spans.push(...spokenInParts(runs));
  return spans;
}

function spanOf(groups: readonly DigitGroup[], label: Label): Span {
  return { start: groups[0]?.start ?? 0, end: groups.at(-1)?.end ?? 0, label, rank: RANK.digits };
}

/** Two clock times are opening hours; three in a row are a number in disguise. */
function withoutTimes(run: DigitRun): readonly DigitRun[] {
  const times = run.filter((group) => group.time).length;
  if (times === 0 || times > 4) return [run];
  const parts: DigitGroup[][] = [[]];
  for (const group of run) {
    if (group.time) parts.push([]);
    else parts.at(-1)?.push(group);
  }
  return parts.filter((part) => part.length > 0);
}

function labelOf(run: DigitRun, lookUp: boolean, text: string): Label {
  const digits = digitsOf(run);
  const shape = run.map((group) => group.digits.length).join(',');
  if (isLuhn(digits)) return 'CARD';
  if (isSsn(digits) && (shape === '3,2,4' || run.every((group) => group.spoken))) return 'SSN';
  if (isDate(run, text)) return 'DATE';
  if (digits.length > 15 || !lookUp) return 'NUMBER';
  const plus = text[(run[0]?.start ?? 0) - 1] === '+' ? '+' : '';
  const phone = parsePhoneNumberFromString(plus + digits, 'US');
  return phone?.isPossible() ? 'PHONE' : 'NUMBER';
}

/** "3/14/85" and "1985-03-14": dates with a year are birthdays more often than appointments. */
function isDate(run: DigitRun, text: string): boolean {
  const shape = run.map((group) => group.digits.length).join(',');
  if (!/^(?:[12],[12],[24]|4,[12],[12])$/.test(shape)) return false;
  return /[/.-]/.test(text.slice(run[0]?.start ?? 0, run.at(-1)?.end ?? 0));
}

/** A long serial number stays readable where somebody named it one, unless it could be a person's. */
function isEquipmentNumber(run: DigitRun, isProtected: (start: number, end: number) => boolean): boolean {
  const [group] = run;
  if (group === undefined || run.length !== 1 || !isProtected(group.start, group.end)) return false;
  const { digits } = group;
  if (digits.length > 12 || isLuhn(digits) || isSsn(digits)) return false;
  return parsePhoneNumberFromString(digits, 'US')?.isValid() !== true;
}

function shortNumbers(
  run: DigitRun,
  tokens: readonly Token[],
  text: string,
  isProtected: (start: number, end: number) => boolean,
): readonly Span[] {
  const spans: Span[] = [];
  if (isDate(run, text)) return [spanOf(run, 'DATE')];
  // "4 4 1 2" and "four four one two" are codes being read out; "2 of 3 doors" is not a run at all.
  if (run.length >= 4 && run.every((group) => group.digits.length === 1)) return [spanOf(run, 'NUMBER')];
  for (const group of run) {
    if (group.digits.length < 4 || isProtected(group.start, group.end)) continue;
    if (group.spoken || isAmount(tokens, group)) continue;
    spans.push(spanOf([group], group.digits.length === 5 ? 'POSTCODE' : 'NUMBER'));
  }
  return spans;
}

/** "$1200" and "1200 dollars". */
function isAmount(tokens: readonly Token[], group: DigitGroup): boolean {
  if (group.digits.length > 6) return false;
  if (tokens[group.token - 1]?.lower === '$') return true;
  return ['dollars', 'bucks', 'usd'].includes(tokens[group.token + 1]?.lower ?? '');
}

/** "512, the next part is 555 and the last one 0123": parts of a phone number with words in between. */
function spokenInParts(runs: readonly DigitRun[]): readonly Span[] {
  const groups = runs.flat();
  const spans: Span[] = [];
  for (let first = 0; first < groups.length; first += 1) {
    for (const count of [3, 4]) {
      const parts = groups.slice(first, first + count);
      if (parts.length !== count) continue;
      if (!PHONE_PARTS.has(parts.map((part) => part.digits.length).join(','))) continue;
      const near = parts.every((part, index) => {
        const before = parts[index - 1];
        return before === undefined || part.token - before.token <= MAX_PART_GAP + 1;
      });
      if (near) spans.push(spanOf(parts, 'PHONE'));
    }
  }
  return spans;
}
