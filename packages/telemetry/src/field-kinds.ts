import { ERROR_CODES, type ErrorCode, isUuid, REFUSAL_DIMENSIONS } from '@deadlatch/kernel';

/**
 * What a field of a log line, an attribute of a span or a label of a metric may hold. Each kind is a closed form in which no sentence, name, number or address
 * of a person fits; a value of another form is written as `[invalid]`, never as itself.
 */
export type FieldKind =
  /** a lower-case UUID the system minted */
  | 'id'
  /** a whole number, 0 to 10^12 */
  | 'count'
  /** one word of code: `sms`, `turn_ended`, `ticket.create`, `tool-bridge` */
  | 'word'
  /** a code of the closed union */
  | 'code'
  /** a gate dimension */
  | 'dimension'
  /** a route as the program declares it, parameters by name: `/v1/tickets/:id` */
  | 'route'
  /** a place in our own source: `packages/http/src/server.ts:12:3` */
  | 'place'
  /** a system's or database's error code: `ECONNREFUSED`, `23505` */
  | 'error_code'
  /** RFC 7638 thumbprint */
  | 'key_id'
  /** an HTTP method that our routes use */
  | 'method'
  /** `2xx`: all that is said of a status where every value costs */
  | 'status_class'
  /** 16 bytes in lower-case hexadecimal, as W3C trace context writes them */
  | 'trace_id';

export type FieldKinds = Readonly<Record<string, FieldKind>>;
type ValueOf<K extends FieldKind> = K extends 'count' ? number : K extends 'code' ? ErrorCode : string;
/** What may be handed in for the fields of an entry; none is required. */
export type FieldsOf<F extends FieldKinds> = { readonly [K in keyof F]?: ValueOf<F[K]> | undefined };

const CODE_SET: ReadonlySet<string> = new Set(ERROR_CODES);
const DIMENSION_SET: ReadonlySet<string> = new Set(REFUSAL_DIMENSIONS);
/** No digits in a row long enough for a telephone number; no `@`, no spaces, no upper case. */
const WORD = /^(?!.*\d{5})[a-z][a-z0-9_.-]{0,47}$/;
const ROUTE = /^(?:(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) )?\/(?:[a-z0-9:_*./-]|[A-Z](?![A-Z])){0,120}$/;
export const PLACE = /(?:apps|packages|tools)\/[a-z0-9/.-]{1,120}\.ts:\d{1,5}:\d{1,5}/;
const WHOLE_PLACE = new RegExp(`^${PLACE.source}$`);
const ERROR_CODE = /^(?:[A-Z][A-Z_]{2,39}|[0-9A-Z]{5})$/;
const KEY_ID = /^[A-Za-z0-9_-]{43}$/;
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const STATUS_CLASS = /^[1-5]xx$/;
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const MAX_COUNT = 1_000_000_000_000;

const text =
  (accepts: (value: string) => boolean) =>
  (value: unknown): boolean =>
    typeof value === 'string' && accepts(value);

const CHECKS: Readonly<Record<FieldKind, (value: unknown) => boolean>> = {
  id: text(isUuid),
  count: (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_COUNT,
  word: text((value) => WORD.test(value)),
  code: text((value) => CODE_SET.has(value)),
  dimension: text((value) => DIMENSION_SET.has(value)),
  route: text((value) => ROUTE.test(value)),
  place: text((value) => WHOLE_PLACE.test(value)),
  error_code: text((value) => ERROR_CODE.test(value)),
  key_id: text((value) => KEY_ID.test(value)),
  method: text((value) => METHODS.has(value)),
  status_class: text((value) => STATUS_CLASS.test(value)),
  trace_id: text((value) => TRACE_ID.test(value)),
};

export const INVALID = '[invalid]';

/** The value if it has the form of its kind, else `[invalid]`. */
export function formOf(kind: FieldKind, value: unknown): string | number {
  return CHECKS[kind](value) ? (value as string | number) : INVALID;
}

/**
 * A new object with the listed fields alone, each in the form of its kind. Whatever else was handed in is not looked at.
 * @invariant nothing of `given` but values of a declared form gets into the result
 */
export function listedFields(
  kinds: FieldKinds,
  given: Readonly<Record<string, unknown>>,
): Record<string, string | number> {
  const listed: Record<string, string | number> = {};
  for (const field in kinds) {
    const kind = kinds[field];
    if (kind === undefined || !Object.hasOwn(given, field)) continue;
    const value = readOnce(given, field);
    if (value !== undefined) listed[field] = formOf(kind, value);
  }
  return listed;
}

/** A getter that throws must not stop the request that is being told of. */
function readOnce(given: Readonly<Record<string, unknown>>, field: string): unknown {
  try {
    return given[field];
  } catch {
    return null;
  }
}
