import type { Caller } from '@deadlatch/decision';
import type { JsonValue } from '@deadlatch/kernel';
import type { Proven } from './caller.ts';

/** One command as it arrived, before anything was decided. */
export interface CommandCall {
  readonly command: string;
  readonly targetId: string | null;
  readonly input: JsonValue;
  /** Keyed digest of the raw body. */
  readonly fingerprint: string;
  /** The path as it was signed: part of the idempotency scope, so a key never reaches over to another ticket. */
  readonly concretePath: string;
}

/** The nonce to burn; `created` and `expires` in seconds since the epoch. */
export function nonceOf(proven: Proven) {
  const { keyId, nonce, created, expires } = proven.request;
  return { keyid: keyId, nonce, created, expires };
}

/** `staff:<id>`, or the service itself where there is no person; with the agent's role when one acts. */
export function actorName(caller: Caller): string {
  if (caller.scope === 'link') return 'link';
  const who =
    caller.subject.id === null ? `service:${caller.service}` : `${caller.subject.kind}:${caller.subject.id}`;
  return caller.agent ? `${caller.agent.role} for ${who}` : who;
}
