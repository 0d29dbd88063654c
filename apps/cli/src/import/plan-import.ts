import { findCommand, type InputValidator } from '@deadlatch/catalogue';
import { derivedUuid } from '@deadlatch/kernel';
import { CODE, FORMULA } from './forms.ts';
import {
  FILE_KINDS,
  LIST_SEPARATOR,
  linesOnFile,
  type OnFile,
  ROW_COMMANDS,
  ROW_KINDS,
  type RowKind,
} from './kinds.ts';
import { type ContactPlan, planContacts } from './plan-contacts.ts';
import type { Line, LineProblem, ProblemCode, ReadTable, Table } from './read-table.ts';

/** One command of an import. */
export interface ImportStep {
  readonly file: string;
  readonly line: number;
  readonly kind: RowKind;
  /** What the row is called among those of its kind; others name it by this. */
  readonly name: string;
  /** The row that is on file already, exactly so; null when there is none. */
  readonly id: string | null;
  /** Derived from the file and the line: made again, it is the same request. */
  readonly key: string;
  /** The command's input. @param idOf the id of what this line names, e.g. of its account */
  readonly body: (idOf: (kind: RowKind, name: string) => string) => object;
}

export interface ImportPlan {
  readonly steps: readonly ImportStep[];
  /** Ids of what is on file, by kind and name. */
  readonly ids: ReadonlyMap<string, string>;
  /** Who is asked for together; after every step. */
  readonly contacts: ContactPlan;
  readonly problems: readonly LineProblem[];
}

/** Stands for an id that only the run knows; in the form of one. */
const SOME_ID = '01900000-0000-7000-8000-000000000000';

/**
 * Decides every line of every file, without asking anybody to do anything: forms by the catalogue's own schemas,
 * references among the lines and to what is on file, names that come twice.
 * @returns steps in the order in which they can be done. They may be done only when there is no problem
 */
export function planImport(
  tables: readonly ReadTable[],
  onFile: OnFile,
  validate: InputValidator,
): ImportPlan {
  const problems: LineProblem[] = tables.flatMap((table) => table.problems);
  const steps: ImportStep[] = [];
  const checks = { validate, isZone: zoneCheck() };
  const existing = linesOnFile(onFile);
  const known = new Map<RowKind, Map<string, string>>();
  const read = tables.flatMap(({ table }) => (table === null ? [] : [table]));
  for (const kind of ROW_KINDS) {
    const names = new Map(existing[kind].map(({ id, cells }) => [nameOf(kind, cells), id]));
    known.set(kind, names);
    const rows = new Map(existing[kind].map(({ id, cells }) => [id, cells]));
    const seen = new Set<string>();
    const ofKind = read.filter((table) => table.kind === kind);
    for (const table of ofKind) {
      for (const line of table.lines) {
        const cells = Object.fromEntries(line.cells);
        const name = nameOf(kind, cells);
        const id = names.get(name) ?? null;
        const wrong =
          ownProblem(kind, cells, checks) ??
          referenceProblem(kind, cells, known) ??
          (seen.has(name) ? at(LAST_NAME[kind], 'duplicate') : null) ??
          differenceProblem(kind, cells, id === null ? undefined : rows.get(id));
        seen.add(name);
        if (wrong === null) steps.push(stepOf(kind, table, line, name, id));
        else problems.push({ file: table.file, line: line.line, ...wrong });
      }
    }
    // A line that is wrong itself still says that there is such a thing: what names it is judged by its own.
    for (const name of seen) if (!names.has(name)) names.set(name, '');
  }
  const ids = ROW_KINDS.flatMap((kind) =>
    existing[kind].map(({ id, cells }) => [placeOf(kind, nameOf(kind, cells)), id] as const),
  );
  const people = read.filter((table) => table.kind === 'contacts');
  const contacts = planContacts(people, onFile, {
    accounts: known.get('accounts') ?? new Map(),
    sites: known.get('sites') ?? new Map(),
  });
  return { steps, ids: new Map(ids), contacts, problems: [...problems, ...contacts.problems] };
}

/** What a row is called among all of them. */
export function placeOf(kind: RowKind, name: string): string {
  return `${kind} ${name}`;
}

type Cells = Readonly<Record<string, string>>;
type Wrong = Pick<LineProblem, 'column' | 'code'>;
const at = (column: string | null, code: ProblemCode): Wrong => ({ column, code });

/** The column that says what the row itself is called. */
const LAST_NAME: Readonly<Record<RowKind, string>> = {
  accounts: 'account',
  sites: 'site',
  assets: 'asset',
  technicians: 'technician',
};

/** Codes hold no `/`, so joined names stay apart. */
function nameOf(kind: RowKind, cells: Cells): string {
  const columns: Readonly<Record<RowKind, readonly string[]>> = {
    accounts: ['account'],
    sites: ['account', 'site'],
    assets: ['account', 'site', 'asset'],
    technicians: ['technician'],
  };
  return columns[kind].map((column) => cells[column] ?? '').join('/');
}

const OPTIONAL: ReadonlySet<string> = new Set(['model', 'serial', 'skills', 'territories']);

/** Fields of the command by the column that fills them, where they are not called alike. */
const COLUMN_OF: Readonly<Record<RowKind, Readonly<Record<string, string>>>> = {
  accounts: { slug: 'account' },
  sites: { slug: 'site', account_id: 'account' },
  assets: { slug: 'asset', site_id: 'site' },
  technicians: { slug: 'technician' },
};

interface Checks {
  readonly validate: InputValidator;
  readonly isZone: (zone: string) => boolean;
}

function ownProblem(kind: RowKind, cells: Cells, { validate, isZone }: Checks): Wrong | null {
  for (const column of FILE_KINDS[kind].columns) {
    const cell = cells[column] ?? '';
    if (cell === '' && !OPTIONAL.has(column)) return at(column, 'required');
    if (FORMULA.test(cell)) return at(column, 'formula');
  }
  const entry = findCommand(ROW_COMMANDS[kind]);
  if (entry === undefined) return at(null, 'form');
  const [pointer] = validate(
    entry,
    false,
    bodyOf(kind, cells, () => SOME_ID),
  );
  if (pointer !== undefined) {
    const field = pointer.split('/')[1] ?? '';
    return at(COLUMN_OF[kind][field] ?? field, 'form');
  }
  // Only codes name a place: an account in a form that none can have is not looked for.
  if (kind === 'assets' || kind === 'sites') {
    if (!CODE.test(cells.account ?? '')) return at('account', 'form');
    if (!CODE.test(cells.site ?? '')) return at('site', 'form');
  }
  return kind === 'sites' && !isZone(cells.time_zone ?? '') ? at('time_zone', 'unknown_time_zone') : null;
}

/** Asks once for each name: a clock of a zone takes long to make, and a file names few zones in many lines. */
function zoneCheck(): (zone: string) => boolean {
  const known = new Map<string, boolean>();
  return (zone) => {
    const answer = known.get(zone) ?? isTimeZone(zone);
    known.set(zone, answer);
    return answer;
  };
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** @invariant a site is found under its account alone, so a line cannot name another account's */
function referenceProblem(
  kind: RowKind,
  cells: Cells,
  known: ReadonlyMap<RowKind, ReadonlyMap<string, string>>,
): Wrong | null {
  if (kind !== 'sites' && kind !== 'assets') return null;
  if (known.get('accounts')?.has(nameOf('accounts', cells)) !== true) return at('account', 'unknown_account');
  if (kind === 'sites') return null;
  return known.get('sites')?.has(nameOf('sites', cells)) === true ? null : at('site', 'unknown_site');
}

/** What is on file is not changed by an import: a line that says something else about it is refused. */
function differenceProblem(kind: RowKind, cells: Cells, row: Cells | undefined): Wrong | null {
  if (row === undefined) return null;
  const differs = FILE_KINDS[kind].columns.find((column) => inOrder(cells[column]) !== inOrder(row[column]));
  return differs === undefined ? null : at(differs, 'differs');
}

function inOrder(cell = ''): string {
  return listOf(cell).sort().join(LIST_SEPARATOR);
}

function listOf(cell: string): string[] {
  const words = cell.split(LIST_SEPARATOR).map((word) => word.trim());
  return [...new Set(words.filter((word) => word !== ''))];
}

function stepOf(
  kind: RowKind,
  table: Table,
  { line, cells }: Line,
  name: string,
  id: string | null,
): ImportStep {
  const { file, hash } = table;
  const key = derivedUuid('import', hash, String(line));
  return { file, line, kind, name, id, key, body: (idOf) => bodyOf(kind, Object.fromEntries(cells), idOf) };
}

function bodyOf(kind: RowKind, cells: Cells, idOf: (kind: RowKind, name: string) => string): object {
  const { account = '', site = '', asset = '', technician = '', model = '', serial = '' } = cells;
  switch (kind) {
    case 'accounts':
      return { slug: account };
    case 'sites':
      return {
        account_id: idOf('accounts', account),
        slug: site,
        time_zone: cells.time_zone ?? '',
        territory: cells.territory ?? '',
      };
    case 'assets':
      return {
        site_id: idOf('sites', nameOf('sites', cells)),
        kind: cells.kind ?? '',
        slug: asset,
        ...(model !== '' && { model }),
        ...(serial !== '' && { serial }),
      };
    case 'technicians':
      return {
        slug: technician,
        skills: listOf(cells.skills ?? ''),
        territories: listOf(cells.territories ?? ''),
      };
  }
}
