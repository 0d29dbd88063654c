import { type JsonValue, refuse } from '@deadlatch/kernel';
import canonicalize from 'canonicalize';

/** Far deeper than anything the edge lets in (16); only there so that hostile depth cannot exhaust the stack. */
const MAX_DEPTH = 64;

/**
 * The one text of a JSON value. Refuses whatever JSON cannot hold instead of dropping or rewriting it:
 * `undefined`, functions, symbols, bigints, non-finite numbers, lone surrogates, holes, cycles and objects
 * of a class (a `Date` or a `toJSON` would be signed as something the reader never saw).
 * @throws DispatchError `schema_mismatch`
 * @source RFC 8785
 */
export function canonicalJson(value: unknown): string {
  assertJson(value, 0);
  const text = canonicalize(value);
  return text === undefined ? refuse('schema_mismatch', { detail: 'not_canonical' }) : text;
}

/**
 * Proves that `value` is plain JSON.
 * @throws DispatchError `schema_mismatch`
 */
export function assertJson(value: unknown, depth: number): asserts value is JsonValue {
  if (depth > MAX_DEPTH) refuse('schema_mismatch', { detail: 'too_deep' });
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) refuse('schema_mismatch', { detail: 'lone_surrogate' });
    return;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse('schema_mismatch', { detail: 'not_finite' });
    return;
  }
  if (typeof value !== 'object') refuse('schema_mismatch', { detail: 'not_json' });
  if (Array.isArray(value)) {
    // Array.from turns holes into undefined, which is refused below; `for of` on the array would too.
    for (const item of Array.from(value)) assertJson(item, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    refuse('schema_mismatch', { detail: 'not_plain' });
  for (const [key, item] of Object.entries(value)) {
    if (!key.isWellFormed()) refuse('schema_mismatch', { detail: 'lone_surrogate' });
    if (typeof item === 'function') refuse('schema_mismatch', { detail: 'not_json' });
    assertJson(item, depth + 1);
  }
}
