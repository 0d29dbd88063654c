import type { DigitRun } from './digit-runs.ts';
import { RANK, type Span } from './spans.ts';
import type { Token } from './tokens.ts';

/** What opens a door. */
const CODE_WORDS = new Set(
  'code codes pin pins passcode passcodes combo combination combinations keycode doorcode gatecode lockcode lockbox alarm'.split(
    ' ',
  ),
);
const PASSWORD_WORDS = new Set(
  'password passwords passwd pwd passphrase passkey login username wifi'.split(' '),
);
/** Tokens looked at on either side of a code word, within its sentence. */
const REACH = 8;
const MAX_SECRET_TOKENS = 6;

/** Door and gate codes beside the words that announce them, in digits or spoken; passwords whatever they are. */
export function findSecrets(tokens: readonly Token[], runs: readonly DigitRun[]): readonly Span[] {
  const groupAt = new Map(runs.flat().map((group) => [group.token, group]));
  const runAt = new Map(runs.flatMap((run) => run.map((group) => [group.token, run] as const)));
  const spans: Span[] = [];
  tokens.forEach((token, at) => {
    if (CODE_WORDS.has(token.lower)) {
      for (const step of [1, -1]) {
        for (let near = at + step; Math.abs(near - at) <= REACH; near += step) {
          const other = tokens[near];
          if (other === undefined || isSentenceEnd(tokens, near)) break;
          const group = groupAt.get(near);
          const run = runAt.get(near) ?? [];
          const digits = run.reduce((sum, part) => sum + part.digits.length, 0);
          const mixed = other.letters && other.digits;
          if (mixed) spans.push(secret(other.start, other.end, 'CODE'));
          if (group === undefined || group.time || digits < 3) continue;
          spans.push(secret(run[0]?.start ?? 0, run.at(-1)?.end ?? 0, 'CODE'));
        }
      }
    }
    if (PASSWORD_WORDS.has(token.lower)) spans.push(...passwordAfter(tokens, at));
  });
  return spans;
}

function secret(start: number, end: number, label: Span['label']): Span {
  return { start, end, label, rank: RANK.secret };
}

/** A full stop ends a sentence when a space follows; "4.4.1.2" goes on. */
function isSentenceEnd(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at];
  if (token === undefined || !['.', '!', '?', ';'].includes(token.lower)) return false;
  return tokens[at + 1]?.start !== token.end;
}

/** After "password is", "password:" or "password=": everything to the end of the sentence, six tokens at most. */
function passwordAfter(tokens: readonly Token[], at: number): readonly Span[] {
  let next = at + 1;
  let announced = false;
  while (next < at + 8) {
    const lower = tokens[next]?.lower ?? '';
    if (['is', ':', '=', 'are'].includes(lower)) announced = true;
    else if (announced || !['for', 'the', 'to', 'of', 'our', 'my', 'wifi', 'door', '-', '"'].includes(lower))
      break;
    next += 1;
  }
  const first = tokens[next];
  if (!announced || first === undefined) return [];
  let last = next;
  while (last + 1 < tokens.length && last - next < MAX_SECRET_TOKENS && !isSentenceEnd(tokens, last + 1))
    last += 1;
  return [secret(first.start, tokens[last]?.end ?? first.end, 'PASSWORD')];
}
