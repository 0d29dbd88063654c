import type { Schema } from '../api.ts';

export type FormValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | FormValue[]
  | { [key: string]: FormValue };

/** What a field holds before anybody touched it: nothing, except that required lists show their first rows. */
export function emptyValue(schema: Schema): FormValue {
  if (schema['x-source'] === 'free_text') return undefined;
  if (schema.type === 'object') {
    const required = schema.required ?? [];
    return Object.fromEntries(
      required.map((name) => [name, emptyValue(schema.properties?.[name] ?? {})] as const),
    );
  }
  if (schema.type === 'array') {
    const rows = schema.items?.type === 'object' ? (schema.minItems ?? 0) : 0;
    return Array.from({ length: rows }, () => emptyValue(schema.items ?? {}));
  }
  return undefined;
}

/**
 * The input to send: without what was left empty, so that an optional field is absent rather than blank.
 * Values are not corrected or completed; the gate refuses what does not fit.
 */
export function toInput(value: FormValue, schema: Schema): FormValue {
  if (value === undefined || value === null || value === '') return undefined;
  if (schema['x-source'] === 'free_text') return typeof value === 'string' ? { text: value } : undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => toInput(item, schema.items ?? {})).filter((item) => item !== undefined);
    return items.length === 0 && (schema.minItems ?? 0) > 0 ? undefined : items;
  }
  if (typeof value === 'object') {
    const known = schema.properties ?? {};
    const entries = Object.entries(value)
      .filter(([key]) => Object.hasOwn(known, key))
      .map(([key, item]) => [key, toInput(item, known[key] ?? {})] as const)
      .filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries);
  }
  return value;
}

/** Replaces one member of an object without touching the others. */
export function withMember(value: FormValue, name: string, member: FormValue): FormValue {
  const base = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  return { ...base, [name]: member };
}

export function memberOf(value: FormValue, name: string): FormValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Whole cents of what a person typed as dollars, or `undefined` when it is not an amount. */
export function centsOf(typed: string): number | undefined {
  const found = /^\s*\$?\s*(\d{1,7})(?:[.](\d{1,2}))?\s*$/.exec(typed.replaceAll(',', ''));
  if (!found) return undefined;
  return Number(found[1]) * 100 + Number((found[2] ?? '').padEnd(2, '0'));
}
