import { MAX_IMPORTED_CONTACTS } from '@deadlatch/catalogue';
import { addressKey, type DetailName, wrongDetails } from '@deadlatch/contact-details';
import { derivedUuid } from '@deadlatch/kernel';
import { CODE, FORMULA } from './forms.ts';
import type { ContactOnFile, OnFile } from './kinds.ts';
import type { LineProblem, ProblemCode, Table } from './read-table.ts';

/** One contact of a file. Names, numbers and addresses are in the clear: they leave for the vault and nowhere else. */
export interface ContactLine {
  readonly line: number;
  readonly slug: string;
  /** The site's name among all of them; null: every site of the account. */
  readonly site: string | null;
  readonly mayRequest: boolean;
  readonly details: Readonly<Partial<Record<DetailName, string>>>;
  /** The same words of the same file have the same handle, however often they are handed in. */
  readonly textKey: (name: DetailName) => string;
}

/** Contacts of one account that are asked for in one act. */
export interface ContactBatch {
  readonly file: string;
  readonly account: string;
  readonly rows: readonly ContactLine[];
  /** Derived from the file and its lines: the same attempt is the same request. */
  readonly key: (attempt: number) => string;
}

export interface ContactPlan {
  readonly batches: readonly ContactBatch[];
  /** Lines whose contact is on file already, at that place and with that right. */
  readonly found: number;
  readonly problems: readonly LineProblem[];
}

/** Names of places that are on file or in the same run. */
interface Places {
  readonly accounts: ReadonlyMap<string, string>;
  /** By `account/site`. */
  readonly sites: ReadonlyMap<string, string>;
}

type Cells = ReadonlyMap<string, string>;
type Wrong = Pick<LineProblem, 'column' | 'code'>;
const at = (column: string, code: ProblemCode): Wrong => ({ column, code });
const cellOf = (cells: Cells, column: string): string => cells.get(column) ?? '';

const REQUIRED = ['account', 'contact', 'may_request', 'name'] as const;
const DETAILS = ['name', 'phone', 'email'] as const;
/** A number may begin with a plus; every other cell that does is refused. */
const FORMULA_COLUMNS = ['account', 'contact', 'site', 'may_request', 'name', 'email'] as const;

/**
 * Decides every line about a contact, and puts those who are not on file into as few acts as hold them, each of one
 * account. Acts are filled in the order of the lines, so that a later run, which finds whole acts done, asks for the
 * others as they were.
 * @invariant no problem holds a value
 */
export function planContacts(tables: readonly Table[], onFile: OnFile, places: Places): ContactPlan {
  const problems: LineProblem[] = [];
  const known = rowsByName(onFile);
  const seen = { names: new Set<string>(), addresses: new Set<string>() };
  const batches: ContactBatch[] = [];
  let found = 0;
  for (const { file, hash, lines } of tables) {
    const waiting = new Map<string, ContactLine[]>();
    for (const { line, cells } of lines) {
      const name = nameOf(cells);
      const rows = known.get(name);
      const wrong =
        ownProblem(cells) ??
        placeProblem(cells, places) ??
        repeatedIn(cells, seen) ??
        (rows === undefined ? null : differenceProblem(cells, rows, places));
      remember(cells, seen);
      if (wrong !== null) problems.push({ file, line, ...wrong });
      else if (rows !== undefined) found += 1;
      else {
        const account = cellOf(cells, 'account');
        const others = waiting.get(account) ?? [];
        waiting.set(account, others);
        others.push(contactLine(hash, line, cells));
      }
    }
    for (const [account, rows] of waiting) batches.push(...batchesOf(file, hash, account, rows));
  }
  return { batches, found, problems };
}

function nameOf(cells: Cells): string {
  return `${cellOf(cells, 'account')}/${cellOf(cells, 'contact')}`;
}

function rowsByName(onFile: OnFile): ReadonlyMap<string, readonly ContactOnFile[]> {
  const accounts = new Map(onFile.accounts.map(({ id, slug }) => [id, slug]));
  const found = new Map<string, ContactOnFile[]>();
  for (const row of onFile.contacts) {
    if (row.slug === null) continue;
    const name = `${accounts.get(row.account_id) ?? ''}/${row.slug}`;
    found.set(name, [...(found.get(name) ?? []), row]);
  }
  return found;
}

function ownProblem(cells: Cells): Wrong | null {
  for (const column of REQUIRED) if (cellOf(cells, column) === '') return at(column, 'required');
  if (cellOf(cells, 'phone') === '' && cellOf(cells, 'email') === '') return at('phone', 'required');
  for (const column of FORMULA_COLUMNS) {
    if (FORMULA.test(cellOf(cells, column))) return at(column, 'formula');
  }
  for (const column of ['account', 'contact', 'site'] as const) {
    const code = cellOf(cells, column);
    if (code !== '' && !CODE.test(code)) return at(column, 'form');
  }
  if (!['yes', 'no'].includes(cellOf(cells, 'may_request'))) return at('may_request', 'form');
  const [column] = wrongDetails(detailsOf(cells));
  return column === undefined ? null : at(column, 'form');
}

/** @invariant a site is found under its account alone, so a line cannot name another account's */
function placeProblem(cells: Cells, { accounts, sites }: Places): Wrong | null {
  const [account, site] = [cellOf(cells, 'account'), cellOf(cells, 'site')];
  if (!accounts.has(account)) return at('account', 'unknown_account');
  return site === '' || sites.has(`${account}/${site}`) ? null : at('site', 'unknown_site');
}

interface Seen {
  readonly names: Set<string>;
  readonly addresses: Set<string>;
}

/** Two people with one number are nobody: whoever writes from there is not recognised. So a file has each once. */
function repeatedIn(cells: Cells, { names, addresses }: Seen): Wrong | null {
  if (names.has(nameOf(cells))) return at('contact', 'duplicate');
  const twice = addressesOf(cells).find(([, key]) => addresses.has(key));
  return twice === undefined ? null : at(twice[0], 'duplicate');
}

/** A line that is wrong itself still says that there is such a contact: what comes after it is judged by it. */
function remember(cells: Cells, { names, addresses }: Seen): void {
  names.add(nameOf(cells));
  for (const [, key] of addressesOf(cells)) addresses.add(key);
}

function addressesOf(cells: Cells): readonly (readonly ['phone' | 'email', string])[] {
  return (['phone', 'email'] as const).flatMap((kind) => {
    const value = cellOf(cells, kind);
    return value === '' ? [] : [[kind, `${kind} ${addressKey(kind, value)}`] as const];
  });
}

/** What is on file is not changed by an import. Names and numbers are not compared: nobody can read them back. */
function differenceProblem(cells: Cells, rows: readonly ContactOnFile[], { sites }: Places): Wrong | null {
  const [account, site] = [cellOf(cells, 'account'), cellOf(cells, 'site')];
  const siteId = site === '' ? null : (sites.get(`${account}/${site}`) ?? '');
  if (!rows.every(({ state }) => state === 'ACTIVE')) return at('contact', 'differs');
  const there = rows.find((row) => row.site_id === siteId);
  if (there === undefined) return at('site', 'differs');
  return there.may_request === (cellOf(cells, 'may_request') === 'yes') ? null : at('may_request', 'differs');
}

function detailsOf(cells: Cells): Partial<Record<DetailName, string>> {
  const given = DETAILS.map((name) => [name, cellOf(cells, name)] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

function contactLine(hash: string, line: number, cells: Cells): ContactLine {
  const site = cellOf(cells, 'site');
  return {
    line,
    slug: cellOf(cells, 'contact'),
    site: site === '' ? null : `${cellOf(cells, 'account')}/${site}`,
    mayRequest: cellOf(cells, 'may_request') === 'yes',
    details: detailsOf(cells),
    textKey: (name) => derivedUuid('import', hash, String(line), name),
  };
}

function batchesOf(
  file: string,
  hash: string,
  account: string,
  rows: readonly ContactLine[],
): readonly ContactBatch[] {
  const batches: ContactBatch[] = [];
  for (let from = 0; from < rows.length; from += MAX_IMPORTED_CONTACTS) {
    const batch = rows.slice(from, from + MAX_IMPORTED_CONTACTS);
    const lines = batch.map(({ line }) => line).join(' ');
    const key = (attempt: number) => derivedUuid('import', hash, 'contacts', lines, String(attempt));
    batches.push({ file, account, rows: batch, key });
  }
  return batches;
}
