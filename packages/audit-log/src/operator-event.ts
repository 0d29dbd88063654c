import { sign, verify } from 'node:crypto';
import { RESTORE } from '@deadlatch/catalogue';
import type { ServiceKeyPair } from '@deadlatch/signing';
import { type AuditEffect, type AuditEvent, encodeEvent } from './event.ts';
import { checkAcceptances } from './restore-acceptance.ts';
import type { ReadTrust } from './trail-trust.ts';

export interface OperatorAct {
  readonly environment: string;
  readonly tenant: string;
  readonly id: string;
  readonly correlationId: string;
  /** RFC 3339 with milliseconds. */
  readonly time: string;
  readonly command: string;
  /** Ids, closed words and counts only. */
  readonly details: AuditEvent['details'];
  /** Entries of every row of authority that this act writes or removes. */
  readonly directory: readonly string[];
  /** What it does to objects; only accepting a restored backup does anything. */
  readonly effects?: readonly AuditEffect[];
}

/**
 * The stored bytes of an event of the operator, signed with the operator's own key: no service holds it, so what the
 * database's superuser adds to the trail in the operator's name is found.
 * @source F.1; design 03
 */
export function signOperatorEvent(act: OperatorAct, key: ServiceKeyPair): string {
  const { directory } = act;
  const unsigned: AuditEvent = {
    v: 1,
    origin: 'operator',
    environment: act.environment,
    id: act.id,
    time: act.time,
    tenant: act.tenant,
    // Holding the key is all that was shown; a person is not known.
    actor: { kind: 'operator', id: null, assurance: 'L0', agent_role: null, turn_id: null },
    workload: [],
    command: act.command,
    resource: null,
    decision: 'accepted',
    code: null,
    dimension: null,
    detail: null,
    policy_ids: [],
    policy_bundle: '',
    effects: act.effects ?? [],
    details: directory.length === 0 ? act.details : { ...act.details, directory },
    correlation_id: act.correlationId,
    trace_id: null,
    request_id: null,
    input_digest: '',
    request: { idempotency_key: null, key_id: key.keyId, signature_base: '', signature: '', token_id: null },
  };
  const signature = sign(null, Buffer.from(encodeEvent(unsigned)), key.privateKey).toString('base64');
  return encodeEvent({ ...unsigned, request: { ...unsigned.request, signature } });
}

/**
 * Why this is not an act of the operator, or undefined when it is.
 * @param trust nothing in the event chooses how it is verified
 */
export function checkOperatorEvent(event: AuditEvent, { operators }: ReadTrust): string | undefined {
  const { request } = event;
  const key = operators.get(request.key_id);
  if (!key) return 'an act of the operator that no pinned operator signed';
  const timeMs = Date.parse(event.time);
  if (!(key.notBefore <= timeMs && timeMs < key.notAfter)) return 'signed by an operator outside their time';
  const isPossible =
    event.decision === 'accepted' && (event.effects.length === 0 || event.command === RESTORE);
  if (!isPossible) return 'not an act that the operator can do';
  if (event.command === RESTORE) {
    const problem = checkRestore(event, operators);
    if (problem !== undefined) return problem;
  }
  const unsigned = Buffer.from(encodeEvent({ ...event, request: { ...request, signature: '' } }));
  const signature = Buffer.from(request.signature, 'base64');
  const isGenuine =
    signature.toString('base64') === request.signature && verify(null, unsigned, key.publicKey, signature);
  return isGenuine ? undefined : "the operator's signature does not verify";
}

/** Enough people said yes to exactly this backup, each within the time of their key. */
function checkRestore(
  { environment, time, details, request }: AuditEvent,
  operators: ReadTrust['operators'],
): string | undefined {
  const { origin, restored_size, log_size, root, accepted_by } = details;
  const isWhole =
    typeof origin === 'string' &&
    typeof restored_size === 'number' &&
    typeof log_size === 'number' &&
    typeof root === 'string' &&
    Array.isArray(accepted_by);
  if (!isWhole) return 'a restore that does not say which backup';
  const timeMs = Date.parse(time);
  const findPerson = (keyId: string) => {
    const key = operators.get(keyId);
    return key && key.notBefore <= timeMs && timeMs < key.notAfter ? key : undefined;
  };
  const backup = { environment, origin, restored_size, log_size, root };
  return checkAcceptances(backup, accepted_by, findPerson, request.key_id);
}
