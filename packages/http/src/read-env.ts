import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isUuid } from '@deadlatch/kernel';

/** Everything that is wrong with how a service was set up, at once. Its text names settings, never their values. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** How one environment variable is read. */
export interface Setting<T> {
  /** completes "NAME must be …" */
  readonly form: string;
  /** the value, or `undefined` when `text` has not the form */
  readonly parse: (text: string) => T | undefined;
  /** present when the variable may be absent */
  readonly absent?: { readonly value: T };
}

export type ConfigOf<S> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** Any text of 1 to `maxLength` characters, without control characters. */
export function text(maxLength = 1_000): Setting<string> {
  return {
    form: `text of at most ${maxLength} characters`,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    parse: (value) => (value.length <= maxLength && !/[\u0000-\u001f\u007f]/.test(value) ? value : undefined),
  };
}

export function integer(minimum: number, maximum: number): Setting<number> {
  return {
    form: `a whole number from ${minimum} to ${maximum}`,
    parse: (value) => {
      const number = /^-?(?:0|[1-9][0-9]{0,14})$/.test(value) ? Number(value) : Number.NaN;
      return number >= minimum && number <= maximum ? number : undefined;
    },
  };
}

export function port(): Setting<number> {
  return { ...integer(1, 65_535), form: 'a port from 1 to 65535' };
}

export function uuid(): Setting<string> {
  return { form: 'a lower-case UUID', parse: (value) => (isUuid(value) ? value : undefined) };
}

/** One of a closed set of words. */
export function choice<const T extends string>(values: readonly T[]): Setting<T> {
  return { form: `one of ${values.join(', ')}`, parse: (value) => values.find((known) => known === value) };
}

/** `DEADLATCH_MTLS`: whether services prove themselves to each other here (`on`, unless told) or a mesh does it. */
export function mtlsMode(): Setting<'on' | 'mesh'> {
  return optional(choice(['on', 'mesh']), 'on');
}

/** An absolute URL without user, query or fragment; given back without a trailing slash. */
export function url(...schemes: readonly string[]): Setting<string> {
  const allowed = schemes.length === 0 ? ['http', 'https'] : schemes;
  return {
    form: `a URL (${allowed.join(', ')}) without user, query and fragment`,
    parse: (value) => {
      const parsed = URL.canParse(value) ? new URL(value) : undefined;
      if (parsed === undefined || !allowed.includes(parsed.protocol.slice(0, -1))) return undefined;
      if (parsed.username || parsed.password || parsed.search || parsed.hash || /[?#]/.test(value))
        return undefined;
      return parsed.href.replace(/\/+$/, '');
    },
  };
}

/** A folder that exists; given back as an absolute path. */
export function directory(): Setting<string> {
  return {
    form: 'a folder that exists',
    parse: (value) => {
      const isFolder = statSync(value, { throwIfNoEntry: false })?.isDirectory() === true;
      return isFolder ? resolve(value) : undefined;
    },
  };
}

/** A setting that may be absent; `fallback` then, or `null`. Set but empty is still a mistake. */
export function optional<T>(setting: Setting<T>): Setting<T | null>;
export function optional<T>(setting: Setting<T>, fallback: T): Setting<T>;
export function optional<T>(setting: Setting<T>, fallback: T | null = null): Setting<T | null> {
  return { ...setting, absent: { value: fallback } };
}

/**
 * Reads and proves the settings of a service.
 * @param together groups of optional names of which either all or none may be set
 * @returns a frozen object of the parsed values
 * @throws ConfigError naming every problem at once
 * @source C.7
 */
export function readEnv<S extends Readonly<Record<string, Setting<unknown>>>>(
  settings: S,
  env: Readonly<Record<string, string | undefined>>,
  together: readonly (readonly (keyof S & string)[])[] = [],
): ConfigOf<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const given = Object.hasOwn(env, name) ? env[name] : undefined;
    if (given === undefined) {
      if (setting.absent === undefined) problems.push(`${name} is not set (it must be ${setting.form})`);
      else values[name] = setting.absent.value;
      continue;
    }
    const value = given === '' ? undefined : parseQuietly(setting, given);
    if (value === undefined) problems.push(`${name} must be ${setting.form}`);
    else values[name] = value;
  }
  for (const group of together) {
    const missing = group.filter((name) => env[name] === undefined);
    if (missing.length > 0 && missing.length < group.length) {
      problems.push(`${missing.join(' and ')} must be set together with the rest of ${group.join(', ')}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as ConfigOf<S>;
}

/** A parser that throws (a folder one may not look at) has found a problem too. */
function parseQuietly<T>(setting: Setting<T>, given: string): T | undefined {
  try {
    return setting.parse(given);
  } catch {
    return undefined;
  }
}
