import { formatUsd, type JsonValue, parseStrictJson, refuse } from '@deadlatch/kernel';

/** What a member of staff reads of an act. Everything comes out of the signed text; nothing is added to it. */
export interface ActView {
  readonly kind: 'act';
  readonly title: string;
  readonly expiresAt: string;
  /** The code of the place it is about, when the statement holds one. */
  readonly site: string | null;
  readonly account: string | null;
  /** What is asked, value by value. */
  readonly asked: readonly Shown[];
  /** Every other member of the statement, so that nothing that is signed stays unseen. */
  readonly others: readonly Shown[];
}

export interface Shown {
  readonly label: string;
  readonly value: string;
}

/** A command that is not listed cannot be shown in words, so it cannot be confirmed here. */
const TITLES: ReadonlyMap<string, string> = new Map([
  ['account.change', 'Change an account'],
  ['contact.add', 'Put a contact on file'],
  ['contact.change', 'Change a contact'],
  ['contact.deactivate', 'Take a contact off'],
  ['contact.reset', "Reset a contact's second factors"],
  ['contact.set_limit', 'Set what a contact may approve'],
]);
const SHOWN = new Set(['command', 'input', 'expires_at', 'account', 'site']);
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/**
 * Reads a canonical statement of an act.
 * @param action RFC 8785 JSON, already proven to be what was signed
 * @throws DispatchError `digest_mismatch` when command, input or expiry is missing, or the command is not known: what
 *   cannot be shown in full cannot be confirmed
 * @invariant every member of the statement is in the view
 * @source T3.4
 */
export function describeAct(action: string): ActView {
  const value = parseStrictJson(new TextEncoder().encode(action));
  if (!isRecord(value)) return unreadable('not an object');
  const fields = new Map(Object.entries(value));
  const command = fields.get('command');
  const title = typeof command === 'string' ? TITLES.get(command) : undefined;
  const expiresAt = fields.get('expires_at');
  const input = fields.get('input');
  if (title === undefined) return unreadable('command');
  if (typeof expiresAt !== 'string' || !INSTANT.test(expiresAt)) return unreadable('expires_at');
  if (!isRecord(input)) return unreadable('input');
  const text = (key: string) => {
    const word = fields.get(key);
    return typeof word === 'string' && word !== '' ? word : null;
  };
  return {
    kind: 'act',
    title,
    expiresAt,
    site: text('site'),
    account: text('account'),
    asked: flat(input),
    others: [...fields].filter(([key]) => !SHOWN.has(key)).flatMap(([key, item]) => shown([key], item)),
  };
}

function flat(value: { readonly [key: string]: JsonValue }, path: readonly string[] = []): Shown[] {
  return Object.entries(value).flatMap(([key, item]) => shown([...path, key], item));
}

/** An amount is one by its name or by what it is part of: `nte_cents` holds an amount for each priority. */
function shown(path: readonly string[], item: JsonValue): Shown[] {
  if (isRecord(item)) return flat(item, path);
  const label = path
    .join(' ')
    .replaceAll(/_(cents|id)(?=_|\s|$)/g, '')
    .replaceAll('_', ' ');
  if (typeof item === 'number' && path.some((key) => key.includes('_cents')))
    return [{ label, value: formatUsd(item) }];
  return [{ label, value: typeof item === 'string' ? item : JSON.stringify(item) }];
}

function isRecord(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(what: string): never {
  return refuse('digest_mismatch', { detail: `act statement: ${what}` });
}
