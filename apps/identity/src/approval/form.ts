import { refuse } from '@deadlatch/kernel';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses `application/x-www-form-urlencoded` the way a gate must: exactly the expected fields, each exactly
 * once, no bad escapes, no control characters.
 * @param names every field that must be present; nothing else may be
 * @throws DispatchError `malformed_body` for anything else
 * @source I.4; WHATWG URL 5.1 (which forgives what is refused here)
 */
export function parseForm<const Names extends readonly string[]>(
  body: Uint8Array,
  names: Names,
): Readonly<Record<Names[number], string>> {
  const text = decode(body);
  const found = new Map<string, string>();
  for (const pair of text === '' ? [] : text.split('&')) {
    const at = pair.indexOf('=');
    if (at <= 0) refuse('malformed_body', { detail: 'form: field without a name or value' });
    const name = unescapeField(pair.slice(0, at));
    const value = unescapeField(pair.slice(at + 1));
    if (!names.includes(name)) refuse('malformed_body', { detail: 'form: unknown field' });
    if (found.has(name)) refuse('malformed_body', { detail: 'form: field given twice' });
    found.set(name, value);
  }
  if (found.size !== names.length) refuse('malformed_body', { detail: 'form: field missing' });
  return Object.fromEntries(found) as Record<Names[number], string>;
}

function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    return refuse('malformed_body', { detail: 'form: not utf-8', cause });
  }
}

function unescapeField(raw: string): string {
  let value: string;
  try {
    value = decodeURIComponent(raw.replaceAll('+', ' '));
  } catch (cause) {
    return refuse('malformed_body', { detail: 'form: bad escape', cause });
  }
  for (let at = 0; at < value.length; at += 1) {
    if (value.charCodeAt(at) < 0x20) refuse('malformed_body', { detail: 'form: control character' });
  }
  return value;
}
