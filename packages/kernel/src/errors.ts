/**
 * Every way the system says no. The union is closed: a code that is not listed here cannot be sent,
 * and each code belongs to exactly one gate dimension, so a refusal always says which gate refused.
 *
 * HTTP status lives in `packages/http`, not here.
 */
export const REFUSAL_DIMENSIONS = [
  'authentication',
  'tool',
  'schema',
  'membership',
  'state',
  'policy',
  'evidence',
  'assurance',
  'idempotency',
  'rate',
  'outage',
] as const;

export type RefusalDimension = (typeof REFUSAL_DIMENSIONS)[number];

const CODES = {
  unauthenticated: 'authentication',
  unknown_command: 'tool',
  above_ceiling: 'tool',
  not_granted: 'tool',
  malformed_body: 'schema',
  schema_mismatch: 'schema',
  unsupported_media_type: 'schema',
  payload_too_large: 'schema',
  missing_idempotency_key: 'schema',
  not_found: 'membership',
  turn_ended: 'membership',
  invalid_state: 'state',
  version_conflict: 'state',
  upload_conflict: 'state',
  policy_denied: 'policy',
  autonomy_denied: 'policy',
  agent_paused: 'policy',
  human_in_charge: 'policy',
  separation_of_duty: 'policy',
  nte_exceeded: 'policy',
  limit_exceeded: 'policy',
  not_eligible: 'policy',
  double_booking: 'policy',
  cooling_off: 'policy',
  after_hours: 'policy',
  not_due: 'policy',
  superseded: 'policy',
  too_many_uploads: 'policy',
  evidence_missing: 'evidence',
  evidence_mismatch: 'evidence',
  evidence_unusable: 'evidence',
  assurance_required: 'assurance',
  digest_mismatch: 'assurance',
  code_rejected: 'assurance',
  idempotency_key_reused: 'idempotency',
  rate_limited: 'rate',
  unavailable: 'outage',
} as const satisfies Record<string, RefusalDimension>;

export type ErrorCode = keyof typeof CODES;

export const ERROR_CODES: readonly ErrorCode[] = Object.keys(CODES) as ErrorCode[];

/** The gate dimension a code belongs to. Total over the closed union. */
export function dimensionOf(code: ErrorCode): RefusalDimension {
  return CODES[code];
}

export interface DispatchErrorOptions {
  /** For logs and audit only; never sent to a peer. Must hold no personal data. */
  readonly detail?: string;
  /** Public extra members of the problem document, e.g. `allowed_from`, `missing`. No free text. */
  readonly extra?: Readonly<Record<string, string | number | readonly string[] | null>>;
  /** Ids of the policies that decided, when policies did. */
  readonly policyIds?: readonly string[];
  /** The request that another service refused, by the name which that service and its audit event give it. */
  readonly requestId?: string;
  readonly cause?: unknown;
}

/**
 * The one error of the system. `code` and `extra` are public; `detail` and `cause` are private.
 * @source RFC 9457 for the wire form (rendered in `packages/http`).
 */
export class DispatchError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly extra: Readonly<Record<string, string | number | readonly string[] | null>>;
  readonly policyIds: readonly string[];
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, options: DispatchErrorOptions = {}) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DispatchError';
    this.code = code;
    this.detail = options.detail;
    this.extra = options.extra ?? {};
    this.policyIds = options.policyIds ?? [];
    this.requestId = options.requestId;
  }

  get dimension(): RefusalDimension {
    return dimensionOf(this.code);
  }
}

/** Shorthand for `throw new DispatchError(…)` in expression position. */
export function refuse(code: ErrorCode, options?: DispatchErrorOptions): never {
  throw new DispatchError(code, options);
}
