import type { ErrorCode, RefusalDimension } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';

/**
 * One line of the trail. Ids, closed words, amounts and keyed digests only: no personal data, no free text.
 * The stored bytes are the canonical JSON of exactly this object (RFC 8785), and nothing re-serialises them.
 */
export interface AuditEvent {
  readonly v: 1;
  /** Whose record it is: the service or role that may write such events. */
  readonly origin: 'dispatch' | 'identity' | 'vault' | 'operator';
  readonly environment: string;
  readonly id: string;
  /** Database time of the facts that decided, RFC 3339 with milliseconds. */
  readonly time: string;
  readonly tenant: string;
  readonly actor: AuditActor;
  /** SPIFFE ids from the signer to the authority. */
  readonly workload: readonly string[];
  readonly command: string;
  readonly resource: { readonly kind: string; readonly id: string } | null;
  readonly decision: 'accepted' | 'refused';
  readonly code: ErrorCode | null;
  readonly dimension: RefusalDimension | null;
  readonly detail: string | null;
  readonly policy_ids: readonly string[];
  readonly policy_bundle: string;
  readonly effects: readonly AuditEffect[];
  readonly details: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
  readonly correlation_id: string;
  readonly trace_id: string | null;
  /** What the answer, and a problem document, named the request by; null for what nobody asked for over HTTP. */
  readonly request_id: string | null;
  /** HMAC of the request body's Content-Digest. */
  readonly input_digest: string;
  /** What the signer signed, so that a verifier finds commands that nobody signed. */
  readonly request: AuditRequest;
}

export interface AuditActor {
  readonly kind: string;
  readonly id: string | null;
  readonly assurance: string;
  readonly agent_role: string | null;
  readonly turn_id: string | null;
}

export interface AuditEffect {
  readonly object: string;
  readonly id: string;
  readonly version: number;
  readonly before_state: string;
  readonly after_state: string;
}

export interface AuditRequest {
  readonly idempotency_key: string | null;
  readonly key_id: string;
  /** The RFC 9421 signature base, in full. */
  readonly signature_base: string;
  readonly signature: string;
  /** `txn` of the user token; null for calls without one. */
  readonly token_id: string | null;
}

/** The bytes that are stored, hashed and verified. */
export function encodeEvent(event: AuditEvent): string {
  return canonicalJson(event);
}
