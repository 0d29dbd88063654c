/** What the database said no to, as the command path needs to know it. */
export type CommitErrorKind =
  | 'nonce_replayed'
  | 'idempotency_taken'
  | 'version_conflict'
  | 'authority_changed'
  | 'autonomy_changed'
  /** The agent's turn ended or expired between read and commit. */
  | 'turn_ended'
  | 'double_booking'
  | 'conversation_has_ticket'
  | 'duplicate_inbound'
  | 'expired'
  | 'token_consumed'
  /** A rule of the database that no correct caller runs into: a bug or an attack. */
  | 'guarantee'
  /** No answer: refuse with 503. */
  | 'unavailable';

export interface CommitError {
  readonly kind: CommitErrorKind;
  /** Constraint name or SQLSTATE, for audit. Never a value. */
  readonly detail: string;
}

const BY_CONSTRAINT: ReadonlyMap<string, CommitErrorKind> = new Map([
  ['nonces_pkey', 'nonce_replayed'],
  ['idempotency_pkey', 'idempotency_taken'],
  ['consumed_tokens_pkey', 'token_consumed'],
  ['expired', 'expired'],
  ['authority_changed', 'authority_changed'],
  ['autonomy_changed', 'autonomy_changed'],
  ['turn_ended', 'turn_ended'],
  ['bookings_no_overlap', 'double_booking'],
  ['tickets_one_open_per_conversation', 'conversation_has_ticket'],
  ['messages_inbound_once', 'duplicate_inbound'],
  ['version_conflict', 'version_conflict'],
  // Two commits wrote the same next version, or opened the same one-at-a-time thing: read and decide again.
  ['effects_pkey', 'version_conflict'],
  ['effects_state_key', 'version_conflict'],
  ['conversations_one_open_per_contact', 'version_conflict'],
  ['visits_one_live_per_ticket', 'version_conflict'],
  ['approvals_one_pending_per_ticket', 'version_conflict'],
  ['invoices_one_live_per_ticket', 'version_conflict'],
  ['turns_one_live_per_conversation', 'version_conflict'],
  // Chosen, agreed or offered in the same moment: the next look sees it.
  ['consumed_choices_pkey', 'version_conflict'],
  ['choices_link_key', 'version_conflict'],
  ['schedule_options_one_agreed', 'version_conflict'],
  ['schedule_options_numbered', 'version_conflict'],
  ['suggestions_one_open', 'version_conflict'],
  ['consents_once_per_role', 'version_conflict'],
  ['publications_pkey', 'version_conflict'],
  // Two acts that ask for the same code: the one that came later looks again, and finds it taken.
  ['contact_codes_slug_key', 'version_conflict'],
]);

const DEADLOCK = '40P01';
const SERIALIZATION = '40001';
/** Classes in which the statement reached the rules and was refused by one: data, integrity, rights, ours. */
const RULE_CLASSES: ReadonlySet<string> = new Set(['22', '23', '42', '44', 'DL', 'P0']);

/**
 * Names the outcome of a failed commit. Total: whatever is not recognised is `unavailable`, and nothing was
 * committed in any case.
 */
export function mapCommitError(error: unknown): CommitError {
  const { code, constraint } = fields(error);
  if (constraint !== undefined) {
    const kind = BY_CONSTRAINT.get(constraint);
    if (kind !== undefined) return { kind, detail: constraint };
  }
  if (code === DEADLOCK || code === SERIALIZATION) return { kind: 'version_conflict', detail: code };
  if (code !== undefined && RULE_CLASSES.has(code.slice(0, 2))) {
    return { kind: 'guarantee', detail: constraint ?? code };
  }
  return { kind: 'unavailable', detail: code ?? 'no connection' };
}

function fields(error: unknown): { code: string | undefined; constraint: string | undefined } {
  if (typeof error !== 'object' || error === null) return { code: undefined, constraint: undefined };
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return {
    code: typeof code === 'string' ? code : undefined,
    constraint: typeof constraint === 'string' ? constraint : undefined,
  };
}
