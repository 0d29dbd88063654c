/** Why the database cannot be used now. The message is one clear sentence for the operator. */
export type StartErrorCode =
  | 'already_running'
  | 'port_in_use'
  | 'version_mismatch'
  | 'disk_full'
  | 'not_reachable'
  | 'no_system_user'
  | 'no_binaries'
  | 'newer_database'
  | 'changed_migration'
  | 'not_migrated'
  | 'did_not_start';

/** The operator has to do something; not a refusal of a caller. Holds no secret. */
export class StartError extends Error {
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StartError';
    this.code = code;
  }
}
