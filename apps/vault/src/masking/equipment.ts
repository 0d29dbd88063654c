import type { Token } from './tokens.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Words that announce the id of a thing. */
const ANNOUNCERS = new Set(
  'serial sn model part parts asset mortise closer operator lockset keyway series'.split(' '),
);
const BETWEEN = new Set(['number', 'no', 'num', '#', ':', 'is', '.', '-', 'id', 'tag', '/', 'n']);
const MAX_BETWEEN = 4;
const MAX_ID = 24;

/** Ranges that hold the id of a lock, closer or part: readable, unless a value on file or a phone says otherwise. */
export interface EquipmentIds {
  covers(start: number, end: number): boolean;
}

/**
 * Serial, model and part numbers behind a word that announces them or behind a maker's name.
 * @source design: "A typed EQUIPMENT_ID keeps serial and part numbers readable"
 */
export function findEquipment(tokens: readonly Token[], vocabulary: Vocabulary): EquipmentIds {
  const covered = new Set<string>();
  const cover = (token: Token) => covered.add(`${token.start}-${token.end}`);
  tokens.forEach((token, at) => {
    if (ANNOUNCERS.has(token.lower)) {
      let next = at + 1;
      while (next <= at + MAX_BETWEEN && BETWEEN.has(tokens[next]?.lower ?? '')) next += 1;
      for (const part of idParts(tokens, next)) cover(part);
    } else if (isMakerEnd(tokens, at, vocabulary)) {
      const model = tokens[at + 1];
      if (
        model !== undefined &&
        /^(?:[0-9]{1,4}|[a-z]{1,3}[0-9]{1,5}[a-z]{0,4}|[0-9]{1,5}[a-z]{1,4})$/.test(model.lower)
      ) {
        cover(model);
      }
    }
  });
  return { covers: (start, end) => covered.has(`${start}-${end}`) };
}

function isMakerEnd(tokens: readonly Token[], at: number, vocabulary: Vocabulary): boolean {
  const lower = tokens[at]?.lower ?? '';
  return vocabulary.isMaker(lower) || vocabulary.isMakerPair(tokens[at - 1]?.lower ?? '', lower);
}

/** The chunks of one id: holds a digit, tied together by hyphens or slashes. */
function idParts(tokens: readonly Token[], first: number): readonly Token[] {
  const parts: Token[] = [];
  let length = 0;
  for (let at = first; at < tokens.length; at += 1) {
    const token = tokens[at];
    const before = tokens[at - 1];
    if (token === undefined || (at > first && token.start !== before?.end)) break;
    if (token.kind === 'mark' && !['-', '/'].includes(token.lower)) break;
    length += token.end - token.start;
    if (length > MAX_ID) return [];
    if (token.kind === 'chunk') parts.push(token);
  }
  return parts.some((part) => part.digits) && parts.every((part) => part.digits || part.lower.length <= 3)
    ? parts
    : [];
}
