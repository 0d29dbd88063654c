import { formatUsd, type JsonValue, parseStrictJson, refuse } from '@deadlatch/kernel';

export interface ActionLine {
  readonly kind: string;
  readonly quantity: number;
  readonly unitCents: number;
  readonly totalCents: number;
  readonly isIncurred: boolean;
  readonly partNumber: string | null;
}

/** What a person reads of an action. Everything comes out of the signed text; nothing is added to it. */
export interface ActionView {
  readonly kind: 'money';
  readonly title: string;
  readonly amountCents: number;
  readonly newNteCents: number;
  readonly lines: readonly ActionLine[];
  readonly expiresAt: string;
  /** `DL-…`, when the statement holds one. */
  readonly reference: string | null;
  /** The site's code, when the statement holds one. */
  readonly site: string | null;
  /** Every other member of the statement, so that nothing that is signed stays unseen. */
  readonly others: readonly { readonly label: string; readonly value: string }[];
}

const TITLES: ReadonlyMap<string, string> = new Map([
  ['NTE_INCREASE', 'Raise the not-to-exceed amount'],
  ['PROPOSAL', 'Accept a proposal'],
  ['RETURN_TRIP', 'Pay for a return trip'],
  ['AFTER_HOURS_RATE', 'Pay the after-hours rate'],
  ['SUBSTITUTE_PART', 'Accept a substitute part'],
]);

const SHOWN = new Set([
  'kind',
  'amount_cents',
  'new_nte_cents',
  'lines',
  'expires_at',
  'reference',
  'ticket_reference',
  'site',
]);
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$/;

/**
 * Reads a canonical action statement.
 * @param action RFC 8785 JSON, already proven to be what was signed
 * @throws DispatchError `digest_mismatch` when kind, amount, new NTE, lines or expiry is missing or of another
 *   type: what cannot be shown in full cannot be approved
 * @invariant every member of the statement is in the view
 * @source T3.4
 */
export function describeAction(action: string): ActionView {
  const value = parseStrictJson(new TextEncoder().encode(action));
  const fields = record(value);
  const kind = text(fields, 'kind');
  return {
    kind: 'money',
    title: TITLES.get(kind) ?? kind,
    amountCents: whole(fields, 'amount_cents'),
    newNteCents: whole(fields, 'new_nte_cents'),
    lines: list(fields, 'lines').map(describeLine),
    expiresAt: instant(fields, 'expires_at'),
    reference: optionalText(fields, 'reference') ?? optionalText(fields, 'ticket_reference'),
    site: optionalText(fields, 'site') ?? optionalText(fields, 'site_code'),
    others: [...fields].filter(([key]) => !SHOWN.has(key)).map(([key, item]) => other(key, item)),
  };
}

function describeLine(value: JsonValue): ActionLine {
  const line = record(value);
  const quantity = whole(line, 'quantity');
  const unitCents = whole(line, 'unit_cents');
  return {
    kind: text(line, 'kind'),
    quantity,
    unitCents,
    totalCents: quantity * unitCents,
    isIncurred: line.get('incurred') === 'yes',
    partNumber: optionalText(line, 'part_number'),
  };
}

function other(key: string, value: JsonValue): { label: string; value: string } {
  const label = key.replace(/_cents$/, '').replaceAll('_', ' ');
  if (key.endsWith('_cents') && typeof value === 'number') return { label, value: formatUsd(value) };
  return { label, value: typeof value === 'string' ? value : JSON.stringify(value) };
}

/** A Map, so that a member named `constructor` is only ever a member. */
function record(value: JsonValue | undefined): ReadonlyMap<string, JsonValue> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unreadable('not an object');
  return new Map(Object.entries(value));
}

function text(fields: ReadonlyMap<string, JsonValue>, key: string): string {
  const value = fields.get(key);
  return typeof value === 'string' && value !== '' ? value : unreadable(key);
}

function optionalText(fields: ReadonlyMap<string, JsonValue>, key: string): string | null {
  const value = fields.get(key);
  return typeof value === 'string' && value !== '' ? value : null;
}

function whole(fields: ReadonlyMap<string, JsonValue>, key: string): number {
  const value = fields.get(key);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : unreadable(key);
}

function list(fields: ReadonlyMap<string, JsonValue>, key: string): readonly JsonValue[] {
  const value = fields.get(key);
  return Array.isArray(value) && value.length > 0 ? value : unreadable(key);
}

function instant(fields: ReadonlyMap<string, JsonValue>, key: string): string {
  const value = text(fields, key);
  return INSTANT.test(value) ? value : unreadable(key);
}

function unreadable(what: string): never {
  return refuse('digest_mismatch', { detail: `action statement: ${what}` });
}
