import { type MappedText, rawText } from './mapped-text.ts';
import { undoTransport } from './transport.ts';
import { foldUnicode } from './unicode-fold.ts';
import { Withheld } from './withhold.ts';

/** The longest message that is masked at all, in bytes of UTF-8. */
export const MAX_BYTES = 16_384;

/** Brackets that only our placeholders use, raw or after decoding. */
const BRACKETS = /[\u27e6\u27e7]/;
/** The inside of a placeholder, in any brackets or none. */
const PLACEHOLDER =
  /(?:PERSON|PHONE|EMAIL|URL|ADDRESS|SITE|NUMBER|CARD|IBAN|SSN|IP|DATE|POSTCODE|CODE|PASSWORD|VALUE|UNKNOWN)[ ]?_[ ]?[0-9]/i;

/**
 * One normaliser for messages and for the dictionary alike: what looks equal to a reader becomes equal.
 * @throws Withheld `oversize`, `undecodable` or `placeholder_like_input`
 * @source design: "Making text safe", stage 1
 */
export function normalise(raw: string): MappedText {
  if (!raw.isWellFormed()) throw new Withheld('undecodable');
  if (Buffer.byteLength(raw, 'utf8') > MAX_BYTES) throw new Withheld('oversize');
  const decoded = undoTransport(rawText(raw));
  if (BRACKETS.test(decoded.text)) throw new Withheld('placeholder_like_input');
  const folded = foldUnicode(decoded);
  if (PLACEHOLDER.test(folded.text)) throw new Withheld('placeholder_like_input');
  return folded;
}
