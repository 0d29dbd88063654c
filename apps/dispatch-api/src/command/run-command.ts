import { leafHash } from '@deadlatch/audit-log';
import { type CommandEntry, findCommand } from '@deadlatch/catalogue';
import type {
  Accepted,
  Caller,
  CommandRequest,
  Decision,
  EvidenceRow,
  Facts,
  ObservedObject,
  Replayed,
  Suggested,
} from '@deadlatch/decision';
import { DispatchError, type ErrorCode, toInstant } from '@deadlatch/kernel';
import type { LogWatch } from '@deadlatch/log-watch';
import { type CommandPath, type CommitErrorKind, mapCommitError } from '@deadlatch/postgres';
import { toBase64url } from '@deadlatch/signing';
import type { Tracing } from '@deadlatch/telemetry';
import { acceptedEvent, type EventInput, type EventSource } from './audit-event.ts';
import { type CommandCall, nonceOf } from './call.ts';
import type { Proven } from './caller.ts';
import { correlate } from './correlate.ts';
import { type CommitSecrets, commitDecisionPayload, factsQuery } from './payloads.ts';
import type { AnsweredEvent } from './receipts.ts';
import { REPLAYS, type Refusal, type Refusals } from './refusals.ts';

/** A row that changed under us is read and decided again, this often. */
const ATTEMPTS = 4;

/** Another transaction got there first; a fresh read decides anew. */
const READ_AGAIN: ReadonlySet<CommitErrorKind> = new Set<CommitErrorKind>([
  'version_conflict',
  'authority_changed',
  'autonomy_changed',
  'conversation_has_ticket',
  'duplicate_inbound',
  'idempotency_taken',
  // Somebody else took that time: an offer finds another, and whoever was named is looked at again.
  'double_booking',
]);

/** What the database alone can refuse; nothing was committed, so the refusal burns the nonce and leaves its event. */
const AUDITED: Partial<Record<CommitErrorKind, ErrorCode>> = {
  double_booking: 'double_booking',
  turn_ended: 'turn_ended',
  token_consumed: 'unauthenticated',
  guarantee: 'unavailable',
};

export interface RunCommandParts extends EventSource {
  readonly path: CommandPath;
  readonly watch: Pick<LogWatch, 'seenSize' | 'assertCurrent' | 'isTimely'>;
  readonly refusals: Pick<Refusals, 'refuse'>;
  readonly decide: (request: CommandRequest, caller: Caller, facts: Facts) => Decision;
  /** What stands in the way of a command before its body is known. */
  readonly whyNot: (
    entry: CommandEntry,
    caller: Caller,
    facts: Facts,
    targetId: string | null,
  ) => ErrorCode | null;
  /** What is stored under an upload's name now. */
  readonly observe: (announced: EvidenceRow) => Promise<ObservedObject | null>;
  readonly discardUpload: (tenantId: string, evidenceId: string) => Promise<void>;
  readonly secrets: CommitSecrets;
  readonly tracing: Pick<Tracing, 'traceId' | 'traceparent'>;
  readonly newId: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface CommandOutcome {
  readonly answer: Readonly<Record<string, unknown>>;
  /** What it stands on; for a replayed answer the event of the first one. */
  readonly event: AnsweredEvent;
  readonly replayed: boolean;
}

/** The road of every command. */
export interface CommandRunner {
  /**
   * Read, decide, commit.
   * @throws DispatchError with the refusal's code; `version_conflict` after too many changes under us; `unavailable`
   * @invariant an answer other than an error means that effect, event, nonce and stored answer are one commit
   */
  run(proven: Proven, call: CommandCall): Promise<CommandOutcome>;
  /** Refuses a call of a known caller before anything could be decided; leaves the event, then throws. */
  refuse(proven: Proven, call: CommandCall, refusal: DispatchError): Promise<never>;
}

/** Every refusal of a known caller goes through `refusals`. */
export function createCommandRunner(parts: RunCommandParts): CommandRunner {
  return {
    async run(sender, call) {
      const entry = findCommand(call.command);
      for (let attempt = 1; ; attempt += 1) {
        const facts = await readFacts(parts, entry, sender, call);
        const proven = correlate(sender, facts);
        const decision = parts.decide(request(call), proven.caller, facts);
        const event = eventInput(parts, facts.now, facts.ticket?.id ?? null, proven, call);
        if (decision.kind === 'refused') return parts.refusals.refuse(event, decision);
        try {
          return await commit(parts, proven, call, facts, decision, event);
        } catch (error) {
          const { kind, detail } = mapCommitError(error);
          if (READ_AGAIN.has(kind) && attempt < ATTEMPTS) continue;
          const code = AUDITED[kind] ?? (READ_AGAIN.has(kind) ? 'version_conflict' : undefined);
          if (code !== undefined) return parts.refusals.refuse(event, lost(code, `${kind} ${detail}`));
          throw new DispatchError(REPLAYS[kind] ?? 'unavailable', {
            detail: `${kind} ${detail}`,
            cause: error,
          });
        }
      }
    },
    async refuse(proven, call, refusal) {
      const event = eventInput(parts, toInstant(parts.now()), null, proven, call);
      return parts.refusals.refuse(event, lost(refusal.code, refusal.detail ?? ''));
    },
  };
}

async function commit(
  parts: RunCommandParts,
  proven: Proven,
  call: CommandCall,
  facts: Facts,
  decision: Accepted | Suggested | Replayed,
  event: EventInput,
): Promise<CommandOutcome> {
  if (decision.kind === 'replayed') {
    await parts.path.commitReplay({ tenant_id: proven.caller.tenantId, nonce: nonceOf(proven) });
    const { answer, eventId, eventTime, leafHash } = decision;
    return { answer, event: { id: eventId, time: eventTime, leafHash }, replayed: true };
  }
  const eventBody = acceptedEvent(parts, event, decision);
  const traceparent = parts.tracing.traceparent();
  const decided = { proven, call, facts, decision, eventId: event.id, eventBody, traceparent };
  await parts.path.commitDecision(commitDecisionPayload(decided, parts.secrets));
  const evidence = decision.changes.evidence;
  if (evidence?.state === 'FINALIZED') await parts.discardUpload(evidence.tenant_id, evidence.id);
  const hash = leafHash(Buffer.from(eventBody));
  const answered = { id: event.id, time: event.time, leafHash: toBase64url(hash) };
  return { answer: { ...decision.answer }, event: answered, replayed: false };
}

async function readFacts(
  parts: RunCommandParts,
  entry: CommandEntry | undefined,
  proven: Proven,
  call: CommandCall,
): Promise<Facts> {
  const { watch } = parts;
  // Before the read: the log grows while it is under way.
  const seenSize = watch.seenSize();
  let facts: Facts;
  try {
    const found = await parts.path.readFacts(factsQuery(entry, proven, call));
    facts = { ...found, witness: watch.isTimely() ? 'timely' : 'late' };
  } catch (cause) {
    // A tenant that is not on file has no trail to write a refusal into, and waiting would not help.
    const isNobody = mapCommitError(cause).detail === 'unknown_tenant';
    throw new DispatchError(isNobody ? 'unauthenticated' : 'unavailable', { detail: 'facts', cause });
  }
  watch.assertCurrent(facts.log_size, seenSize);
  const item = entry?.needs.includes('evidence_item') ? facts.evidence_item : null;
  // What is final is not looked at again, whatever was uploaded under its name since.
  if (item?.state !== 'PRESIGNED' || item.tenant_id !== proven.caller.tenantId)
    return { ...facts, observed_object: null };
  // Hashing megabytes is for whoever could finalize now.
  const isRefused = entry === undefined || parts.whyNot(entry, proven.caller, facts, call.targetId) !== null;
  const observed = isRefused ? null : await parts.observe(item);
  return { ...facts, observed_object: observed };
}

function lost(code: ErrorCode, detail: string): Refusal {
  return { code, detail, extra: {}, policyIds: [] };
}

function request(call: CommandCall): CommandRequest {
  return { command: call.command, targetId: call.targetId, input: call.input, fingerprint: call.fingerprint };
}

function eventInput(
  { newId, tracing }: Pick<RunCommandParts, 'newId' | 'tracing'>,
  time: string,
  ticketId: string | null,
  proven: Proven,
  call: CommandCall,
): EventInput {
  const entry = findCommand(call.command);
  const { targetId } = call;
  const resource =
    entry && entry.target !== 'none' && targetId !== null ? { kind: entry.target, id: targetId } : null;
  // A foreign or unknown ticket has no id here: no timeline shows that somebody knocked.
  return {
    id: newId(),
    time,
    command: call.command,
    proven,
    inputDigest: call.fingerprint,
    resource,
    ticketId,
    traceId: tracing.traceId(),
  };
}
