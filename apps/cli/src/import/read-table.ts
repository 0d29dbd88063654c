import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { parse } from 'csv-parse/sync';
import { CONTACTS_EXPORT, FILE_KINDS, type FileKind, KIND_OF_FILE } from './kinds.ts';

/** A contractor's whole directory fits into this many times over. */
const MAX_BYTES = 20_000_000;
export const MAX_LINES = 100_000;
const MAX_LINE_CHARS = 10_000;

/** What is wrong with a line. @invariant never the value itself: it may be somebody's name or number */
export interface LineProblem {
  /** The file's name, without its folder. */
  readonly file: string;
  /** From 1, the header being the first; null for the file as a whole. */
  readonly line: number | null;
  readonly column: string | null;
  readonly code: ProblemCode;
}

export const PROBLEM_CODES = {
  unknown_file: 'a file is called accounts.csv, sites.csv, assets.csv, technicians.csv or contacts.csv',
  too_large: 'more than 20 MB or 100,000 lines',
  not_utf8: 'not UTF-8 text',
  malformed_csv: 'quotes that do not end, or a line that is far too long',
  empty_file: 'no header',
  wrong_header: 'the header names exactly the columns of this kind of file, each once',
  no_values: 'an export without names and numbers, which holds nothing to import',
  wrong_cells: 'not as many cells as the header has',
  required: 'empty',
  form: 'not in the form that this column has',
  formula: 'begins like a formula of a spreadsheet',
  unknown_time_zone: 'no time zone that there is',
  duplicate: 'an earlier line names the same',
  unknown_account: 'neither on file nor in accounts.csv',
  unknown_site: 'this account has no such site, neither on file nor in sites.csv',
  differs: 'on file already, with something else in this column',
} as const;
export type ProblemCode = keyof typeof PROBLEM_CODES;

export interface Line {
  readonly line: number;
  /** By column; every column of the kind is there. */
  readonly cells: ReadonlyMap<string, string>;
}

/** One file, as it was read. */
export interface Table {
  readonly kind: FileKind;
  readonly file: string;
  /** Of its bytes: the same file names the same requests. */
  readonly hash: string;
  readonly lines: readonly Line[];
}

export interface ReadTable {
  /** null when nothing in it can be trusted to be a line. */
  readonly table: Table | null;
  readonly problems: readonly LineProblem[];
}

/**
 * Reads one CSV file (RFC 4180, comma, UTF-8 with or without a byte order mark). What it cannot read it names, and
 * goes on with the other lines.
 */
export function readTable(path: string, bytes: Uint8Array): ReadTable {
  const file = basename(path);
  const whole = (code: ProblemCode, line: number | null = null): ReadTable => ({
    table: null,
    problems: [{ file, line, column: null, code }],
  });
  const kind = KIND_OF_FILE.get(file);
  if (kind === undefined) return whole('unknown_file');
  if (bytes.byteLength > MAX_BYTES) return whole('too_large');
  const text = decoded(bytes);
  if (text === null) return whole('not_utf8');
  const parsed = parsedLines(text);
  if ('line' in parsed) return whole('malformed_csv', parsed.line);
  const [header, ...rows] = parsed.rows;
  if (header === undefined) return whole('empty_file');
  if (rows.length > MAX_LINES) return whole('too_large');
  const hasColumns = (columns: readonly string[]) =>
    header.cells.length === columns.length && columns.every((column) => header.cells.includes(column));
  if (kind === 'contacts' && hasColumns(CONTACTS_EXPORT)) return whole('no_values', header.line);
  if (!hasColumns(FILE_KINDS[kind].columns)) return whole('wrong_header', header.line);
  const problems: LineProblem[] = [];
  const lines = rows.flatMap(({ line, cells }) => {
    if (cells.length !== header.cells.length) {
      problems.push({ file, line, column: null, code: 'wrong_cells' });
      return [];
    }
    return [{ line, cells: new Map(header.cells.map((column, at) => [column, (cells[at] ?? '').trim()])) }];
  });
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { table: { kind, file, hash, lines }, problems };
}

/** Text without a byte order mark; null for what is not UTF-8, or holds a zero byte. */
function decoded(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // One kind of line end, so that lines are counted as an editor counts them.
    return text.includes('\u0000') ? null : text.replaceAll(/\r\n?/g, '\n');
  } catch {
    return null;
  }
}

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

function parsedLines(text: string): { readonly rows: readonly Row[] } | { readonly line: number | null } {
  try {
    const found = parse(text, {
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: MAX_LINE_CHARS,
    }) as unknown as readonly {
      readonly record: readonly string[];
      readonly info: { readonly lines: number };
    }[];
    return { rows: found.map(({ record, info }) => ({ line: info.lines, cells: record })) };
  } catch (error) {
    const line = (error as { readonly lines?: unknown }).lines;
    return { line: typeof line === 'number' ? line : null };
  }
}
