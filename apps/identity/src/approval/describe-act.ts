import { formatUsd, type JsonValue, parseStrictJson, refuse } from '@deadlatch/kernel';
import { actionDigest } from '@deadlatch/signing';

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
  /** Of the statement as it is signed: bytes of UTF-8, and its digest. */
  readonly bytes: number;
  readonly digest: string;
  /** How many contacts it puts on file together; 0 for every other act. */
  readonly imports: number;
}

export interface Shown {
  readonly label: string;
  readonly value: string;
}

/** A command that is not listed cannot be shown in words, so it cannot be confirmed here. */
const TITLES: ReadonlyMap<string, string> = new Map([
  ['account.change', 'Change an account'],
  ['contact.add', 'Put a contact on file'],
  ['contact.import', 'Put contacts on file'],
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
  const bytes = new TextEncoder().encode(action);
  const value = parseStrictJson(bytes);
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
  const { contacts, ...rest } = input;
  const rows = command === 'contact.import' ? describeRows(contacts, fields.get('places')) : NO_ROWS;
  const others = [...fields].filter(([key]) => !SHOWN.has(key)).flatMap(([key, item]) => shown([key], item));
  return {
    kind: 'act',
    title: rows.count === 0 ? title : `Put ${rows.count} contacts on file`,
    expiresAt,
    site: text('site'),
    account: text('account'),
    asked: [...flat(rows.count === 0 ? input : rest), ...rows.asked],
    others: [...others, ...rows.others],
    bytes: bytes.byteLength,
    digest: actionDigest(action),
    imports: rows.count,
  };
}

interface Rows {
  readonly count: number;
  readonly asked: readonly Shown[];
  readonly others: readonly Shown[];
}
const NO_ROWS: Rows = { count: 0, asked: [], others: [] };

/** A line for each contact, and every row in full among the rest. */
function describeRows(contacts: JsonValue | undefined, places: JsonValue | undefined): Rows {
  if (!Array.isArray(contacts) || contacts.length === 0) return unreadable('contacts');
  const sites = isRecord(places) ? new Map(Object.entries(places)) : unreadable('places');
  const asked = (contacts as readonly JsonValue[]).map((row) => {
    if (!isRecord(row)) return unreadable('contact');
    const { slug, site_id: siteId, may_request: mayRequest } = row;
    const site = siteId === undefined ? 'every site' : sites.get(String(siteId));
    if (typeof slug !== 'string' || typeof mayRequest !== 'boolean' || typeof site !== 'string') {
      return unreadable('contact');
    }
    return { label: slug, value: `${site}, ${mayRequest ? 'may ask for work' : 'may not ask for work'}` };
  });
  const others = (contacts as readonly JsonValue[]).map((row, at) => ({
    label: `contact ${at + 1}`,
    value: JSON.stringify(row),
  }));
  return { count: contacts.length, asked, others };
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
