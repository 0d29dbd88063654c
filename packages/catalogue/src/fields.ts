import { isInstant } from '@deadlatch/kernel';
import Type, { type TSchema } from 'typebox';

/**
 * Field constructors. Every field of a command says where its value comes from:
 * `reference` (an id the system minted), `choice` (a closed set), `literal` (the caller wrote it) or
 * `free_text` (a handle of words kept in the vault). Agents may send references and choices only (T1.5).
 */
export type FieldSource = 'reference' | 'choice' | 'literal' | 'free_text';

export const SOURCE = 'x-source';

/** Where a field's value comes from; lists and optional fields answer for their items. */
export function sourceOf(schema: TSchema): FieldSource | undefined {
  return (schema as Record<string, unknown>)[SOURCE] as FieldSource | undefined;
}

export const UUID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$';

/** A UUID the system minted for something of this kind. */
export function reference(kind: string) {
  return Type.String({ pattern: UUID_PATTERN, maxLength: 36, [SOURCE]: 'reference', 'x-kind': kind });
}

/** One of a closed set of words. */
export function choice<const T extends readonly string[]>(values: T) {
  return Type.Enum([...values] as unknown as T, { [SOURCE]: 'choice' });
}

/** A whole number within bounds, written by the caller. */
export function integer(minimum: number, maximum: number) {
  return Type.Integer({ minimum, maximum, [SOURCE]: 'literal' });
}

/** Cents, 0 to $100,000 unless told otherwise. */
export function amount(maximum = 10_000_000) {
  return integer(0, maximum);
}

export function flag() {
  return Type.Boolean({ [SOURCE]: 'choice' });
}

/** A short machine word such as a part number; never a sentence. */
export function word(pattern: string, maxLength: number) {
  return Type.String({ pattern, minLength: 1, maxLength, [SOURCE]: 'literal' });
}

/** RFC 3339 in UTC with milliseconds; a moment that there is. */
export function instant() {
  const form = Type.String({
    pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$',
    maxLength: 24,
    [SOURCE]: 'literal',
  });
  return Type.Refine(form, isInstant);
}

export function sha256() {
  return Type.String({ pattern: '^[0-9a-f]{64}$', maxLength: 64, [SOURCE]: 'literal' });
}

/**
 * Words of a person. They live in the vault; a command carries the handle and a keyed commitment,
 * so there is no field of any command in which a sentence would fit (T5.2).
 */
export function freeText() {
  return Type.Object(
    {
      text_id: Type.String({ pattern: UUID_PATTERN, maxLength: 36 }),
      commitment: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', maxLength: 43 }),
    },
    { additionalProperties: false, [SOURCE]: 'free_text' },
  );
}
export interface FreeTextRef {
  readonly text_id: string;
  readonly commitment: string;
}

export function list<T extends TSchema>(items: T, minItems: number, maxItems: number) {
  return Type.Array(items, { minItems, maxItems });
}

export function object<T extends Record<string, TSchema>>(properties: T) {
  return Type.Object(properties, { additionalProperties: false });
}

export const optional = Type.Optional;
