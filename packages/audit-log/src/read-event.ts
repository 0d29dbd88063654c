import { DispatchError, isInstant, isUuid, type JsonValue, parseStrictJson } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';
import type { AuditEvent } from './event.ts';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isTextOrNull: Check = (value) => value === null || typeof value === 'string';
const isTextList: Check = (value) => Array.isArray(value) && value.every(isText);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const has =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(members).every(([name, check]) => check(value[name]));
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

const isDetail: Check = (value) =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value) || isTextList(value);
const isEffect = has({
  object: isText,
  id: isText,
  version: (value) => Number.isSafeInteger(value),
  before_state: isText,
  after_state: isText,
});

/** Every member that a check looks at has its type: whoever forged an event must be named, not crash the verifier. */
const MEMBERS = {
  v: (value) => value === 1,
  origin: isText,
  environment: isText,
  id: (value) => typeof value === 'string' && isUuid(value),
  time: (value) => typeof value === 'string' && isInstant(value),
  tenant: isText,
  actor: has({
    kind: isText,
    id: isTextOrNull,
    assurance: isText,
    agent_role: isTextOrNull,
    turn_id: isTextOrNull,
  }),
  workload: isTextList,
  command: isText,
  resource: orNull(has({ kind: isText, id: isText })),
  decision: (value) => value === 'accepted' || value === 'refused',
  code: isTextOrNull,
  dimension: isTextOrNull,
  detail: isTextOrNull,
  policy_ids: isTextList,
  policy_bundle: isText,
  effects: (value) => Array.isArray(value) && value.every(isEffect),
  details: (value) => isRecord(value) && Object.values(value).every(isDetail),
  correlation_id: isText,
  trace_id: isTextOrNull,
  // Events of before it was written down have none.
  request_id: (value) => value === undefined || isTextOrNull(value),
  input_digest: isText,
  request: has({
    idempotency_key: isTextOrNull,
    key_id: isText,
    signature_base: isText,
    signature: isText,
    token_id: isTextOrNull,
  }),
} as const satisfies Readonly<Record<keyof AuditEvent, Check>>;
const isEvent = has(MEMBERS);

/** The event that these bytes are, or the reason why they are none: strict, canonical JSON of a known version. */
export function readEvent(body: Uint8Array): AuditEvent | string {
  let value: JsonValue;
  try {
    value = parseStrictJson(body);
  } catch (error) {
    if (error instanceof DispatchError) return `not strict JSON: ${error.detail ?? error.code}`;
    throw error;
  }
  if (canonicalJson(value) !== new TextDecoder().decode(body)) return 'not in canonical form';
  return isEvent(value) ? (value as unknown as AuditEvent) : 'not an audit event of a known version';
}
