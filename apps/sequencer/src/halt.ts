import { DispatchError, refuse } from '@deadlatch/kernel';

/** Why the log does not go on until somebody has looked at it. Closed: what is logged is one of these words. */
export const HALT_REASONS = [
  /** `log.pem` cannot be read, or is not the key that everybody has pinned */
  'log_key_unusable',
  /** the pinned log key or witness policy cannot be read */
  'trust_unusable',
  /** the database belongs to another log */
  'other_origin',
  /** what stands as checkpoint, in the file or in the database, was not signed by this log */
  'checkpoint_not_ours',
  /** the log was longer once, as its own signature says */
  'restored_backup',
  /** an event's bytes are not the ones that were hashed */
  'event_altered',
  /** the database has an index without its entry or event */
  'entry_missing',
  /** a stored tile says something else than the database */
  'tile_differs',
  /** the entries do not make the root that the database or a signed checkpoint states */
  'root_differs',
] as const;

export type HaltReason = (typeof HALT_REASONS)[number];

/** Ends all sequencing and signing. @throws DispatchError `unavailable` with the reason as its detail */
export function halt(reason: HaltReason, cause?: unknown): never {
  return refuse('unavailable', { detail: reason, cause });
}

/** The reason, when it was `halt` that threw. */
export function haltReasonOf(error: unknown): HaltReason | undefined {
  if (!(error instanceof DispatchError)) return undefined;
  return HALT_REASONS.find((reason) => reason === error.detail);
}
