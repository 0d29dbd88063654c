import { parseArgs } from 'node:util';

/** Exit codes of every command; documented in `deadlatch help`. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, unreachable: 4 } as const;

/** Something the caller of the command line can mend; `message` is the whole sentence to show. */
export class UsageError extends Error {}

/** A start that cannot go on; `message` is one clear sentence. */
export class StartError extends Error {
  /** Like that of `@deadlatch/postgres`, so that both are known without loading a database driver. */
  override readonly name = 'StartError';
}

/** What is asked runs nowhere or does not answer; `message` is one clear sentence. */
export class UnreachableError extends Error {}

export interface Arguments {
  readonly command: string;
  readonly words: readonly string[];
  readonly stateDir: string;
  readonly portBase: number;
  readonly profile: 'demo' | 'empty';
  readonly json: boolean;
  readonly as: string | undefined;
  readonly body: string | undefined;
  readonly target: string | undefined;
  readonly key: string | undefined;
  readonly correlation: string | undefined;
  readonly ticket: string | undefined;
  readonly subject: string | undefined;
  readonly event: string | undefined;
  /** RFC 3339. */
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly out: string | undefined;
  readonly log: string | undefined;
  readonly export: string | undefined;
  readonly proof: string | undefined;
  readonly trust: string | undefined;
  readonly receipts: string | undefined;
  /** Files with other checkpoints of the same log. */
  readonly older: readonly string[];
  readonly overlap: string | undefined;
  /** Whether everything is decided and nothing done. */
  readonly dryRun: boolean;
  /** Whether to stay until what was asked is confirmed. */
  readonly wait: boolean;
  /** Whether to write names and numbers too. */
  readonly reveal: boolean;
  /** Whether what cannot be taken back may be done. */
  readonly yes: boolean;
  /** The administrator's URL of a PostgreSQL of your own; holds a password, so it comes from the environment alone. */
  readonly databaseUrl: string | undefined;
  /** Where the services send their spans; the same variable as theirs. */
  readonly otlpEndpoint: string | undefined;
  /** The bucket that photos are kept in; the state directory unless told. The same variables as the service's. */
  readonly bucket: Bucket | undefined;
}

/** A bucket, as `OBJECT_STORE_URL` and `OBJECT_STORE_REGION` name it. */
export interface Bucket {
  readonly url: string;
  readonly region: string | undefined;
}

const text = { type: 'string' } as const;
/** The name of a key may begin with a hyphen; no option has that length. */
const KEY_ID = /^-[A-Za-z0-9_-]{42}$/;

/**
 * Reads the command line.
 * @param databaseUrl `DATABASE_URL` of the environment
 * @param otlpEndpoint `OTEL_EXPORTER_OTLP_ENDPOINT` of the environment
 * @param objectStore `OBJECT_STORE_URL` and `OBJECT_STORE_REGION` of the environment
 * @throws UsageError naming what is wrong
 */
export function readArguments(
  argv: readonly string[],
  databaseUrl?: string,
  otlpEndpoint?: string,
  objectStore: readonly [url?: string | undefined, region?: string | undefined] = [],
): Arguments {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv.filter((arg) => !KEY_ID.test(arg)));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'these arguments cannot be read');
  }
  const { values, positionals } = parsed;
  const portBase = Number(values['port-base']);
  if (!/^\d{4,5}$/.test(values['port-base']) || portBase < 1024 || portBase > 65_000) {
    throw new UsageError('--port-base takes a port between 1024 and 65000');
  }
  const profile = values.profile;
  if (profile !== 'demo' && profile !== 'empty') throw new UsageError('--profile takes demo or empty');
  if (values['state-dir'].trim() === '') throw new UsageError('--state-dir takes a directory');
  return {
    command: positionals[0] ?? 'help',
    words: [...positionals.slice(1), ...argv.filter((arg) => KEY_ID.test(arg))],
    stateDir: values['state-dir'],
    portBase,
    profile,
    json: values.json,
    as: values.as,
    body: values.body,
    target: values.target,
    key: values.key,
    correlation: values.correlation,
    ticket: values.ticket,
    subject: values.subject,
    event: values.event,
    since: values.since,
    until: values.until,
    out: values.out,
    log: values.log,
    export: values.export,
    proof: values.proof,
    trust: values.trust,
    receipts: values.receipts,
    older: values.older ?? [],
    overlap: values.overlap,
    dryRun: values['dry-run'],
    wait: values.wait,
    reveal: values.reveal,
    yes: values.yes,
    databaseUrl: databaseUrl === undefined || databaseUrl === '' ? undefined : postgresUrl(databaseUrl),
    otlpEndpoint: otlpEndpoint === undefined || otlpEndpoint === '' ? undefined : collectorUrl(otlpEndpoint),
    bucket: bucketOf(objectStore),
  };
}

function bucketOf([url = '', region]: readonly [url?: string | undefined, region?: string | undefined]) {
  if (url === '') return undefined;
  // In a folder photos are where everything else of the installation is, and nowhere else.
  if (!url.startsWith('s3:')) {
    throw new UsageError('OBJECT_STORE_URL takes a bucket here, like s3:https://s3.example/photos');
  }
  return { url, region };
}

function collectorUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  // What the services would refuse is refused before anything starts.
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || /[?#]/.test(text)) {
    throw new UsageError('OTEL_EXPORTER_OTLP_ENDPOINT must be like http://host:4318');
  }
  return text;
}

function postgresUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2) {
    throw new UsageError('DATABASE_URL must be like postgres://user:password@host:port/database');
  }
  return text;
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    strict: true,
    options: {
      'state-dir': { ...text, default: '.deadlatch' },
      'port-base': { ...text, default: '4300' },
      profile: { ...text, default: 'demo' },
      json: { type: 'boolean', default: false },
      as: text,
      body: text,
      target: text,
      key: text,
      correlation: text,
      ticket: text,
      subject: text,
      event: text,
      since: text,
      until: text,
      out: text,
      log: text,
      export: text,
      proof: text,
      trust: text,
      receipts: text,
      older: { ...text, multiple: true },
      overlap: text,
      'dry-run': { type: 'boolean', default: false },
      wait: { type: 'boolean', default: false },
      reveal: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
    },
  });
}
