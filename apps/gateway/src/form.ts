import { refuse } from '@deadlatch/kernel';

/** A form without duplicate names, in the order it arrived. */
export type Form = ReadonlyMap<string, string>;

/** A carrier sends about twenty parameters, and up to two per attachment (at most ten of those). */
const MAX_PARAMETERS = 64;
const NAME = /^[A-Za-z][A-Za-z0-9]{0,63}$/;
/** The bytes that may stand in the encoded form; everything else must be percent-encoded. */
const ENCODED = /^[A-Za-z0-9*._~!'()+%:@/?,;$-]*$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses `application/x-www-form-urlencoded` the way a gate must: no duplicate names, no empty or bare pieces,
 * only well-formed escapes, only valid UTF-8, no NUL, bounded count.
 *
 * The platform's parsers forgive all of that, so what was signed and what was read could differ.
 * @throws DispatchError `malformed_body`
 * @source I.4
 */
export function parseForm(bytes: Uint8Array): Form {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const form = new Map<string, string>();
  for (const piece of text.split('&')) {
    const [rawName, rawValue, ...rest] = piece.split('=');
    if (rawName === undefined || rawValue === undefined || rest.length > 0) {
      refuse('malformed_body', { detail: 'form piece is not name=value' });
    }
    const name = decode(rawName);
    if (!NAME.test(name)) refuse('malformed_body', { detail: 'form name' });
    if (form.has(name)) refuse('malformed_body', { detail: 'duplicate form name' });
    form.set(name, decode(rawValue));
    if (form.size > MAX_PARAMETERS) refuse('malformed_body', { detail: 'too many form parameters' });
  }
  return form;
}

function decode(raw: string): string {
  if (!ENCODED.test(raw)) refuse('malformed_body', { detail: 'unencoded byte in form' });
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) refuse('malformed_body', { detail: 'bad escape in form' });
  const bytes: number[] = [];
  for (let at = 0; at < raw.length; at += 1) {
    const ch = raw[at];
    if (ch === '%') {
      bytes.push(Number.parseInt(raw.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(ch === '+' ? 0x20 : raw.charCodeAt(at));
    }
  }
  let value: string;
  try {
    value = utf8.decode(Uint8Array.from(bytes));
  } catch (cause) {
    return refuse('malformed_body', { detail: 'form is not utf-8', cause });
  }
  if (value.includes('\0')) refuse('malformed_body', { detail: 'NUL in form' });
  return value;
}
