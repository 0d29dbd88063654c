import type { FileLine } from './kinds.ts';

const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]|^ | $/;

/**
 * One file (RFC 4180, CRLF, UTF-8): the header, then every line. A spreadsheet runs nothing of it: what begins like a
 * formula gets an apostrophe before it. No code has that form, so an import reads back what was exported.
 */
export function writeTable(columns: readonly string[], lines: readonly FileLine[]): string {
  const rows = lines
    .map(({ cells }) => columns.map((column) => cells[column] ?? ''))
    .sort((a, b) => (a.join('\u0000') < b.join('\u0000') ? -1 : 1));
  return [columns, ...rows].map((cells) => `${cells.map(writeCell).join(',')}\r\n`).join('');
}

function writeCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
