import { type Clock, DispatchError, type ErrorCode, systemClock } from '@deadlatch/kernel';
import { pino } from 'pino';
import { type FieldsOf, formOf, listedFields, PLACE } from './field-kinds.ts';
import { LOG_EVENTS, type LogEventTable, type LogLevel } from './log-events.ts';

/** `[name, fields]` of every line in a table; a union, so that a logger of a wider table fits a narrower one. */
type LineOf<T extends LogEventTable> = {
  [N in keyof T]: [name: N, fields: FieldsOf<T[N]['fields']>];
}[keyof T];

export interface Logger<T extends LogEventTable = typeof LOG_EVENTS> {
  /** Writes one line of the table. Never throws: logging must not decide anything. */
  event(...line: LineOf<T>): void;
}

export interface LoggerOptions<T extends LogEventTable> {
  readonly service: string;
  readonly level: LogLevel | 'silent';
  /** The table of everything this logger can say; the common one unless told. */
  readonly events?: T;
  /** The trace that a line belongs to, when there is one. */
  readonly traceId?: () => string | null;
  /** Takes one line of JSON with its line feed; standard output unless told. */
  readonly write?: (line: string) => void;
  readonly now?: Clock;
}

/** Lines of one name in one window; the next line after it says how many were not written. */
const LINES_A_WINDOW = 200;
const WINDOW_MS = 10_000;

/**
 * A logger behind an allow-list. pino gets an object built here from the table: names from the table, values of
 * the declared form, and a constant sentence. Nothing that a caller passes is handed through, so nothing needs to
 * be recognised and struck out (pino's path redaction misses deeper levels, other casing and error texts).
 * @source T5.1
 * @invariant a flood of one thing adds a bounded number of lines a second, and is counted
 * @invariant no error, object, array or free string reaches pino
 */
export function createLogger<T extends LogEventTable = typeof LOG_EVENTS>(
  options: LoggerOptions<T>,
): Logger<T> {
  const table: ReadonlyMap<string, LogEventTable[string]> = new Map(
    Object.entries(options.events ?? LOG_EVENTS),
  );
  const settings = {
    level: options.level,
    base: { service: formOf('word', options.service) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Not pino's own destination: when whoever reads standard output dies, it tries the same line again for ever, on
  // the main thread, and the process neither ends nor gives its port back.
  const { write = (line: string) => void process.stdout.write(line) } = options;
  const log = pino(settings, { write });
  const budget = createLineBudget(options.now ?? systemClock);
  return {
    event: (...line) => {
      const [name, fields] = line as [string, Readonly<Record<string, unknown>>];
      const entry = table.get(name);
      // A name outside the table could itself be data.
      if (entry === undefined) return;
      const unsaid = budget(name);
      if (unsaid === null) return;
      const traceId = options.traceId?.() ?? null;
      log[entry.level](
        {
          event: name,
          ...(unsaid > 0 && { unsaid }),
          ...(traceId !== null && { trace_id: formOf('trace_id', traceId) }),
          ...listedFields(entry.fields, fields),
        },
        entry.message,
      );
    },
  };
}

/** Answers how many lines of this name were not written since the last one, or null for not writing this one. */
function createLineBudget(now: Clock): (name: string) => number | null {
  const windows = new Map<string, { readonly from: number; written: number; unsaid: number }>();
  return (name) => {
    const at = now();
    const known = windows.get(name);
    const isOver = known === undefined || at < known.from || at >= known.from + WINDOW_MS;
    const window = isOver ? { from: at, written: 0, unsaid: known?.unsaid ?? 0 } : known;
    windows.set(name, window);
    if (window.written >= LINES_A_WINDOW) {
      window.unsaid += 1;
      return null;
    }
    const { unsaid } = window;
    window.written += 1;
    window.unsaid = 0;
    return unsaid;
  };
}

/** The public code of any error; whatever is not ours is an outage. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof DispatchError ? error.code : 'unavailable';
}

/**
 * What may be logged of an unexpected error: its class, its code (`ECONNREFUSED`, an SQLSTATE) and the first of
 * our own source lines in its stack. Never its text, which may quote input.
 */
export function traceOf(error: unknown): { error?: string; error_code?: string; place?: string } {
  if (!(error instanceof Error)) return { error: 'not_an_error' };
  const root = error instanceof DispatchError && error.cause instanceof Error ? error.cause : error;
  const code: unknown = Object.hasOwn(root, 'code') ? (root as { code?: unknown }).code : undefined;
  const place = PLACE.exec(framesOf(root))?.[0];
  return {
    error: snakeCase(root.name),
    ...(typeof code === 'string' && { error_code: code }),
    ...(place !== undefined && { place }),
  };
}

/** The stack after the error's text, which stands at its head and could itself look like a frame. */
function framesOf(error: Error): string {
  const stack = error.stack ?? '';
  const at = stack.indexOf(error.message);
  return at < 0 ? '' : stack.slice(at + error.message.length);
}

function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
}
