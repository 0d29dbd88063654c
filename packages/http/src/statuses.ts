import type { ErrorCode } from '@deadlatch/kernel';

/** The one place where a code of ours meets HTTP. @source RFC 9110 section 15 */
const STATUSES: Readonly<Record<ErrorCode, number>> = {
  unauthenticated: 401,
  unknown_command: 404,
  above_ceiling: 403,
  not_granted: 403,
  malformed_body: 400,
  schema_mismatch: 400,
  unsupported_media_type: 415,
  payload_too_large: 413,
  missing_idempotency_key: 400,
  not_found: 404,
  turn_ended: 403,
  invalid_state: 409,
  version_conflict: 409,
  upload_conflict: 409,
  policy_denied: 403,
  autonomy_denied: 403,
  agent_paused: 403,
  human_in_charge: 403,
  separation_of_duty: 403,
  nte_exceeded: 422,
  limit_exceeded: 403,
  not_eligible: 422,
  double_booking: 409,
  cooling_off: 403,
  after_hours: 403,
  not_due: 403,
  superseded: 409,
  too_many_uploads: 409,
  evidence_missing: 422,
  evidence_mismatch: 422,
  evidence_unusable: 422,
  assurance_required: 403,
  digest_mismatch: 403,
  code_rejected: 403,
  idempotency_key_reused: 422,
  rate_limited: 429,
  unavailable: 503,
};

/** The HTTP status of a code. Total over the closed union. */
export function statusOf(code: ErrorCode): number {
  return STATUSES[code];
}
