import type { AuditEvent } from '@deadlatch/audit-log';
import type { ErrorCode } from '@deadlatch/kernel';

/** What the gate wanted, and what would have passed it. Closed, so that a new code cannot be without an answer. */
const EXPLAINED: Readonly<Record<ErrorCode, readonly [wanted: string, needed: string]>> = {
  unauthenticated: [
    'a signature, certificate and token that prove who asks, each within its time and used once',
    'sign in again, or send the request anew; a key that is over needs rotation',
  ],
  unknown_command: [
    'a command of the catalogue under its own path',
    'a command that exists; see the reference',
  ],
  above_ceiling: [
    'something that this service may ever send, for this kind of subject, at this assurance',
    'nothing at run time: ceilings are compiled in; it must come through another service',
  ],
  not_granted: [
    'a role of the subject, or a listed agent pair, that holds this command',
    'the role, given by an administrator',
  ],
  malformed_body: [
    'one strict JSON value in the body',
    'a body without duplicate keys, bad UTF-8 or deep nesting',
  ],
  schema_mismatch: [
    'exactly the fields of this command',
    'the fields as the reference lists them, no others',
  ],
  unsupported_media_type: ['the content type of this route', 'application/json, or what the route says'],
  payload_too_large: ['a body within the limit of this route', 'a smaller body'],
  missing_idempotency_key: ['an idempotency key', 'a UUID in Idempotency-Key'],
  not_found: [
    'an object of the own tenant and account that the subject may see',
    'an id that exists there; a foreign one answers the same',
  ],
  turn_ended: ["the agent's turn to be alive", 'a new message, which opens a new turn'],
  invalid_state: [
    'the object in a state from which this command leads on',
    'one of the states in allowed_from',
  ],
  version_conflict: ['nobody else to change the object at the same moment', 'try again'],
  policy_denied: ['a policy that permits and none that forbids', 'what the named policies ask for'],
  autonomy_denied: [
    'an autonomy level at which an agent may do this by itself',
    'a person to do it, or a higher level for the account',
  ],
  agent_paused: ['agents not to be paused here', 'somebody to resume them; people are not held back'],
  human_in_charge: ['no person to have taken the conversation over', 'the person to hand it back'],
  separation_of_duty: ['somebody other than whoever asked, did or checked it', 'another person'],
  nte_exceeded: ['the cost within the limit that was approved', 'an approval of a higher limit'],
  limit_exceeded: ['an amount within what this person may approve', 'an approver with a higher limit'],
  not_eligible: ['a person or thing that qualifies for this', 'one that does'],
  double_booking: ['the technician free at that time', 'another time or technician'],
  cooling_off: [
    'a contact that was not changed a moment ago',
    'the cooling-off to pass, or another approver',
  ],
  after_hours: ['a time within the hours of the contract', 'desk hours, or an emergency'],
  not_due: ['the time to have come', 'waiting'],
  superseded: ['nothing newer about the same thing', 'the newer one'],
  evidence_missing: ['every piece of evidence of the incident type', 'the pieces in missing'],
  evidence_unusable: [
    'a file that is one whole, still picture of the announced type',
    'a photo as the camera made it; reason says what is wrong with this one',
  ],
  upload_conflict: ['the next bytes of the upload', 'going on from expected_offset'],
  too_many_uploads: [
    'fewer announced and unfinished uploads of the ticket',
    'finishing some of them; those of yesterday no longer count',
  ],
  evidence_mismatch: [
    'evidence that is what was announced',
    'an upload with the announced size, type and hash',
  ],
  assurance_required: ['a proof of who it is at the required level', 'a step-up to the level in required'],
  digest_mismatch: ['the proof to be for exactly this action', 'a proof for what is asked now'],
  code_rejected: ['the code that was sent, in the browser that asked for it', 'a new code'],
  idempotency_key_reused: ['another key for another request', 'a fresh key'],
  rate_limited: ['fewer requests', 'waiting'],
  unavailable: [
    'everything that a decision needs to answer in time',
    'the outage to end; nothing was changed',
  ],
};

/** The answer to "why was this refused?", from the event alone. */
export interface Explanation {
  readonly event_id: string;
  readonly request_id: string | null;
  readonly time: string;
  readonly command: string;
  readonly by: AuditEvent['actor'];
  readonly decision: AuditEvent['decision'];
  readonly code: string | null;
  readonly dimension: string | null;
  readonly detail: string | null;
  readonly wanted: string | null;
  readonly needed: string | null;
  readonly policy_ids: readonly string[];
  readonly policy_bundle: string;
  /** What the gate looked at: states, keys of evidence, levels, amounts. */
  readonly facts: AuditEvent['details'];
}

/** @source A.5, F.6 */
export function explain(event: AuditEvent): Explanation {
  const { code } = event;
  const [wanted, needed] = code !== null && Object.hasOwn(EXPLAINED, code) ? EXPLAINED[code] : [null, null];
  return {
    event_id: event.id,
    request_id: event.request_id ?? null,
    time: event.time,
    command: event.command,
    by: event.actor,
    decision: event.decision,
    code,
    dimension: event.dimension,
    detail: event.detail,
    wanted,
    needed,
    policy_ids: event.policy_ids,
    policy_bundle: event.policy_bundle,
    facts: event.details,
  };
}

export function describeExplanation(answer: Explanation): string {
  const facts = Object.entries(answer.facts).map(
    ([name, value]) => `${name} ${Array.isArray(value) ? value.join(', ') || 'none' : value}`,
  );
  const { by } = answer;
  const who = `${by.agent_role ? `${by.agent_role} for ` : ''}${by.kind} ${by.id ?? '-'} at ${by.assurance}`;
  const lines = [
    `${answer.command} was refused: ${answer.code}, at the gate of ${answer.dimension}`,
    `  when      ${answer.time}, by ${who}`,
    `  wanted    ${answer.wanted ?? '-'}`,
    ...(answer.detail === null ? [] : [`  found     ${answer.detail}`]),
    ...(facts.length === 0 ? [] : [`  facts     ${facts.join('; ')}`]),
    `  policies  ${answer.policy_ids.join(', ') || 'none decided: the gate did'}`,
    `  needed    ${answer.needed ?? '-'}`,
    `  ids       event ${answer.event_id}${answer.request_id ? `, request ${answer.request_id}` : ''}`,
  ];
  return `${lines.join('\n')}\n`;
}
