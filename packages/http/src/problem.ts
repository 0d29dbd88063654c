import { DispatchError, dimensionOf, type ErrorCode, type RefusalDimension } from '@deadlatch/kernel';
import { statusOf } from './statuses.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** A problem document. Extra members are the public `extra` of the error. @source RFC 9457 */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly dimension: RefusalDimension;
  readonly request_id: string;
  readonly [extra: string]: unknown;
}

export interface Problem {
  readonly status: number;
  readonly body: ProblemBody;
}

/**
 * What a peer is told of an error: the code and the public members, never its text, detail or cause.
 * Whatever is not a DispatchError is `unavailable`: we do not know what happened, so we refused.
 * @invariant equal codes give equal documents, but for `request_id` and `extra`
 */
export function problemFor(error: unknown, requestId: string): Problem {
  const refusal = asRefusal(error);
  const { code } = refusal;
  const status = statusOf(code);
  return {
    status,
    body: {
      // First, so that no extra member can replace one of ours.
      ...refusal.extra,
      type: `urn:deadlatch:problem:${code}`,
      title: code.replaceAll('_', ' '),
      status,
      code,
      dimension: dimensionOf(code),
      // The name under which the audit event of the refusal is found, whoever passes the refusal on.
      request_id: refusal.requestId ?? requestId,
    },
  };
}

/** Fastify's own refusals that are the sender's fault; every other foreign error is an outage. */
const OF_FASTIFY: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['FST_ERR_BAD_URL', 'malformed_body'],
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'payload_too_large'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'malformed_body'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupported_media_type'],
  ['FST_ERR_MAX_PARAM_LENGTH', 'not_found'],
  ['FST_ERR_NOT_FOUND', 'not_found'],
  ['FST_ERR_ROUTE_METHOD_NOT_SUPPORTED', 'not_found'],
]);

/** The DispatchError that an error is or stands for. */
export function asRefusal(error: unknown): DispatchError {
  if (error instanceof DispatchError) return error;
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  const known = typeof code === 'string' ? OF_FASTIFY.get(code) : undefined;
  return new DispatchError(known ?? 'unavailable', { cause: error });
}
