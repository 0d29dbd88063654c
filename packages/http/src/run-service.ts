import { traceOf } from '@deadlatch/telemetry';
import { ConfigError } from './read-env.ts';

/** Something that runs until it is closed. */
export interface Running {
  close(): Promise<void>;
}

/** The part of `process` that is used. */
export interface ServiceProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: { resume(): unknown; once(event: 'close', listener: () => void): unknown };
  on(event: string, listener: (argument: unknown) => void): unknown;
  exit(code: number): void;
  readonly stdout: { on(event: 'error', listener: () => void): unknown };
  readonly stderr: { write(text: string): unknown; on(event: 'error', listener: () => void): unknown };
}

/** Exit codes: 0 closed when asked, 1 failed, 2 set up wrongly. */
const FAILED = 1;
const MISCONFIGURED = 2;
/** How long open requests may take to end. Kept below what supervisors wait before they kill. */
const CLOSE_MS = 8_000;

const SENTENCES: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is already in use'],
  ['EACCES', 'something it needs may not be opened by this user'],
  ['ENOSPC', 'the disk is full'],
  ['EMFILE', 'too many files are open'],
  ['ENOENT', 'a file or folder it needs does not exist'],
  ['ECONNREFUSED', 'the database or another service does not answer'],
]);

/**
 * Runs a service until SIGTERM or SIGINT, then closes it gracefully; a second signal ends it at once.
 * A start that fails says why in one sentence, never with the text of an error, which may quote a secret.
 * @param main starts the service; called once
 */
export async function runService(
  main: () => Promise<Running>,
  host: ServiceProcess = process,
): Promise<void> {
  let running: Running | undefined;
  let isClosing = false;

  const close = (code: number) => {
    if (isClosing) {
      host.exit(FAILED);
      return;
    }
    isClosing = true;
    setTimeout(() => host.exit(FAILED), CLOSE_MS).unref();
    Promise.resolve(running?.close()).then(
      () => host.exit(code),
      (error: unknown) => {
        host.stderr.write(`${sentenceFor(error, 'could not close cleanly')}\n`);
        host.exit(FAILED);
      },
    );
  };
  const crash = (error: unknown) => {
    host.stderr.write(`${sentenceFor(error, 'stopped by an unexpected error')}\n`);
    close(FAILED);
  };
  host.on('SIGTERM', () => close(0));
  host.on('SIGINT', () => close(0));
  // A supervisor holds the other end of standard input: when it is gone, however it went, so is this process.
  if (host.env.DEADLATCH_SUPERVISED === 'yes') {
    host.stdin.once('close', () => close(0));
    host.stdin.resume();
  }
  // Nobody reads what we say any more: no reason to end in the middle of a request.
  host.stdout.on('error', () => undefined);
  host.stderr.on('error', () => undefined);
  host.on('uncaughtException', crash);
  host.on('unhandledRejection', crash);

  try {
    running = await main();
  } catch (error) {
    host.stderr.write(`${sentenceFor(error, 'could not start')}\n`);
    host.exit(error instanceof ConfigError ? MISCONFIGURED : FAILED);
  }
}

/** One sentence about an error that holds nothing of its text, unless it is a ConfigError, which is written for people. */
export function sentenceFor(error: unknown, what: string): string {
  if (error instanceof ConfigError) return `${what}: ${error.problems.join('; ')}`;
  const { error: name, error_code: code, place } = traceOf(error);
  const port =
    error instanceof Error && 'port' in error && typeof error.port === 'number' ? error.port : undefined;
  const known = code === undefined ? undefined : SENTENCES.get(code);
  if (known !== undefined) return `${what}: ${known}${port === undefined ? '' : ` (port ${port})`}`;
  return `${what}: ${[name, code, place].filter((part) => part !== undefined).join(' ')}`;
}
