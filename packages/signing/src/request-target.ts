import { refuse } from '@deadlatch/kernel';

/** Longer than any route of ours with its parameters. */
export const MAX_TARGET_LENGTH = 2_048;

/** pchar without `;`, which some routers cut at, and without `%`, checked on its own. @source RFC 3986 section 3.3 */
const PATH = /^(?:\/(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-F]{2})*)+$/;
const QUERY = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})+$/;
const ESCAPE = /%([0-9A-F]{2})/g;
const UNRESERVED = /[A-Za-z0-9._~-]/;

export interface RequestTarget {
  /** `@path` of the signature */
  readonly path: string;
  /** `@query` of the signature: begins with `?`, also when there is none */
  readonly query: string;
}

/**
 * Reads a raw request target (origin-form) that is already in normal form; anything else is refused, so that
 * the bytes signed, the bytes routed and the bytes logged cannot be read in two ways.
 *
 * Refused: absolute-form, `*`, fragments, backslashes, controls, non-ASCII, empty or dot segments, lower-case
 * escapes, escapes of unreserved characters, of `/` and `\`, of controls, or that are no UTF-8; a bare `?`.
 * @throws DispatchError `malformed_body`
 * @source RFC 9421 section 2.2.6 and 2.2.7, RFC 3986 section 6.2.2
 */
export function parseTarget(raw: string): RequestTarget {
  if (raw.length > MAX_TARGET_LENGTH) refuse('malformed_body', { detail: 'target_too_long' });
  const mark = raw.indexOf('?');
  const path = mark < 0 ? raw : raw.slice(0, mark);
  const query = mark < 0 ? '' : raw.slice(mark + 1);
  if (!PATH.test(path)) refuse('malformed_body', { detail: 'path_not_normal' });
  if (mark >= 0 && !QUERY.test(query)) refuse('malformed_body', { detail: 'query_not_normal' });
  if (path.includes('//')) refuse('malformed_body', { detail: 'path_not_normal' });
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) {
    refuse('malformed_body', { detail: 'path_not_normal' });
  }
  assertEscapes(path, true);
  assertEscapes(query, false);
  return { path, query: `?${query}` };
}

function assertEscapes(text: string, isPath: boolean): void {
  for (const [, hex] of text.matchAll(ESCAPE)) {
    const byte = Number.parseInt(hex ?? '00', 16);
    const isControl = byte < 0x20 || byte === 0x7f;
    const isSlash = byte === 0x2f || byte === 0x5c;
    const isPlain = byte < 0x80 && UNRESERVED.test(String.fromCharCode(byte));
    if (isControl || isPlain || (isPath && isSlash))
      refuse('malformed_body', { detail: 'escape_not_normal' });
  }
  try {
    decodeURIComponent(text);
  } catch (cause) {
    refuse('malformed_body', { detail: 'escape_not_utf8', cause });
  }
}
