import { refuse } from '@deadlatch/kernel';

const FIELD = /^[A-Za-z0-9_-]{1,200}$/;

/**
 * Reads a form whose every field is base64url: exactly the expected names, each once, nothing else.
 * @throws DispatchError `malformed_body`
 * @source I.4
 */
export function readForm<const Names extends readonly string[]>(
  body: Buffer,
  names: Names,
): Readonly<Record<Names[number], string>> {
  const pairs = body.toString('latin1').split('&');
  const found = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(at, 0));
    const value = pair.slice(at + 1);
    const sound = names.includes(name) && !found.has(name) && FIELD.test(value);
    if (!sound) refuse('malformed_body', { detail: 'form' });
    found.set(name, value);
  }
  if (found.size !== names.length) refuse('malformed_body', { detail: 'form: field missing' });
  return Object.fromEntries(found) as Record<Names[number], string>;
}
