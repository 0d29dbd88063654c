import { refuse } from '@deadlatch/kernel';
import type { TSchema } from 'typebox';
import { type FreeTextRef, sourceOf } from './fields.ts';

/** What a person's client sends where a command takes free text. */
export interface PlainText {
  readonly text: string;
}

/**
 * Replaces every `{text}` at a free-text field of `schema` by the reference that `seal` answers.
 * Everything else stays as it is, wrong or right: the gate judges it.
 * @param seal puts words into the vault
 * @throws DispatchError `schema_mismatch` for anything but `{text}` at a free-text field: a reference that the client
 *   brings could name another person's words
 */
export async function sealFreeText(
  schema: TSchema,
  input: unknown,
  seal: (text: string) => Promise<FreeTextRef>,
): Promise<unknown> {
  if (sourceOf(schema) === 'free_text') {
    return isPlainText(input) ? seal(input.text) : refuse('schema_mismatch', { detail: 'words wanted' });
  }
  const { properties, items } = schema as { properties?: Record<string, TSchema>; items?: TSchema };
  if (items && Array.isArray(input)) return Promise.all(input.map((item) => sealFreeText(items, item, seal)));
  if (!properties || !isRecord(input)) return input;
  const sealed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) {
    const field = Object.hasOwn(properties, name) ? properties[name] : undefined;
    sealed[name] = field ? await sealFreeText(field, value, seal) : value;
  }
  return sealed;
}

function isPlainText(value: unknown): value is PlainText {
  return isRecord(value) && Object.keys(value).length === 1 && typeof value.text === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
