import { EXIT, UnreachableError, UsageError } from './arguments.ts';

/** What the system says when it cannot do a thing, as a sentence for the person at the keyboard. */
const SENTENCES: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'The disk is full.'],
  ['EDQUOT', 'The disk quota is used up.'],
  ['EROFS', 'The file system is read-only.'],
  ['EMFILE', 'Too many files are open.'],
  ['EACCES', 'A file it needs may not be used by this user.'],
  ['EPERM', 'A file it needs may not be used by this user.'],
]);

/** What a failed command ends with: one sentence and an exit code. */
export function failureOf(error: unknown): { readonly sentence: string; readonly exitCode: number } {
  if (error instanceof UsageError) return { sentence: error.message, exitCode: EXIT.usage };
  if (error instanceof UnreachableError) return { sentence: error.message, exitCode: EXIT.unreachable };
  if (error instanceof Error && error.name === 'StartError') {
    return { sentence: error.message, exitCode: EXIT.failed };
  }
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') {
    return { sentence: 'The database does not answer.', exitCode: EXIT.unreachable };
  }
  const known = code === undefined ? undefined : SENTENCES.get(code);
  if (known !== undefined)
    return { sentence: path === undefined ? known : `${known} (${path})`, exitCode: EXIT.failed };
  // Nobody foresaw it: whoever reports it needs the place.
  return { sentence: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}
