import { Withheld } from './withhold.ts';

/** The named references that mail programs write; any other name stays text and is then an unknown word. */
const LATIN1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml';

const NAMED: ReadonlyMap<string, string> = new Map([
  // ISO 8859-1 names stand in code point order from U+00A0.
  ...LATIN1.split(' ').map((name, index) => [name, String.fromCodePoint(0xa0 + index)] as const),
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['ndash', '–'],
  ['mdash', '—'],
  ['lsquo', '‘'],
  ['rsquo', '’'],
  ['ldquo', '“'],
  ['rdquo', '”'],
  ['hellip', '…'],
  ['bull', '•'],
  ['trade', '™'],
  ['euro', '€'],
  ['zwj', '\u200d'],
  ['zwnj', '\u200c'],
  ['ensp', ' '],
  ['emsp', ' '],
  ['thinsp', ' '],
  ['commat', '@'],
  ['period', '.'],
  ['comma', ','],
  ['num', '#'],
  ['lpar', '('],
  ['rpar', ')'],
  ['hyphen', '-'],
  ['dash', '-'],
  ['Tab', ' '],
  ['NewLine', '\n'],
  ['lbrack', '['],
  ['rbrack', ']'],
  ['lobrk', '\u27e6'],
  ['robrk', '\u27e7'],
]);

const NUMERIC = /&#(?:[xX]([0-9A-Fa-f]{1,8})|([0-9]{1,8}));?/y;
const NAME = /&([A-Za-z][A-Za-z0-9]{1,7})(;?)/y;

/**
 * The reference at `at` (which is a `&`), or null when it is plain text.
 * @source HTML Living Standard 13.2.5.72 ff: a missing semicolon is forgiven for numbers and for Latin-1 names
 * @throws Withheld `undecodable` for a number that is no character
 */
export function decodeEntity(text: string, at: number): { value: string; end: number } | null {
  NUMERIC.lastIndex = at;
  const numeric = NUMERIC.exec(text);
  if (numeric) {
    const code = numeric[1] === undefined ? Number(numeric[2]) : Number.parseInt(numeric[1], 16);
    if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw new Withheld('undecodable');
    }
    return { value: String.fromCodePoint(code), end: at + numeric[0].length };
  }
  NAME.lastIndex = at;
  const named = NAME.exec(text);
  const value = named?.[1] === undefined ? undefined : NAMED.get(named[1]);
  if (!named || value === undefined) return null;
  // "AT&T" and "cut&copy" stay as written: without a semicolon only the four that change markup are forgiven.
  if (named[2] === '' && !['amp', 'lt', 'gt', 'nbsp'].includes(named[1] ?? '')) return null;
  return { value, end: at + named[0].length };
}
