import { TERMINAL_VISIT_STATES } from '@deadlatch/catalogue';
import type { Caller } from '../caller.ts';
import type { Accepted, Changes, Decision } from '../changes.ts';
import { decide } from '../decide.ts';
import type { Facts, SubjectFacts } from '../facts.ts';
import type { ApprovalRow, EvidenceRow, MessageDraft } from '../rows.ts';
import type { DecisionTools } from '../tools.ts';
import { request } from './callers.ts';
import { emptyFacts, placeFacts } from './facts.ts';
import { personOf } from './ids.ts';
import { publicationsFor } from './publication-facts.ts';
import { observedObject } from './rows.ts';

/**
 * A store in memory that applies decisions the way the commit does, so that a whole story can be told to the pure
 * core. Time stands still unless a test moves it.
 */
export interface World {
  facts: Facts;
  readonly messages: MessageDraft[];
  readonly presigned: Map<string, EvidenceRow>;
  run(who: Person, command: string, target: string | null, input: unknown, patch?: Partial<Facts>): Decision;
  /** As `run`, for a command that must be accepted. */
  must(who: Person, command: string, target: string | null, input: unknown, patch?: Partial<Facts>): Accepted;
  /** Writes what a decision changed, as the commit does. */
  apply(changes: Changes): void;
  advance(ms: number): void;
}

export interface Person {
  readonly caller: Caller;
  readonly subject: SubjectFacts | null;
}

export function createWorld(tools: DecisionTools): World {
  const world: World = {
    facts: { ...emptyFacts(placeFacts()), open_uploads: 0 },
    messages: [],
    presigned: new Map(),
    run: (who, command, target, input, patch = {}) => {
      const publications = publicationsFor(input);
      const facts = { ...world.facts, subject: who.subject, publications, ...patch };
      const decision = decide(request(command, target, input), who.caller, facts, tools);
      if (decision.kind === 'accepted') apply(world, decision.changes);
      return decision;
    },
    must: (who, command, target, input, patch = {}) => {
      const decision = world.run(who, command, target, input, patch);
      if (decision.kind !== 'accepted') {
        throw new Error(`${command}: ${JSON.stringify(decision)}`);
      }
      return decision;
    },
    apply: (changes) => apply(world, changes),
    advance: (ms) => {
      world.facts = { ...world.facts, now: new Date(Date.parse(world.facts.now) + ms).toISOString() };
    },
  };
  return world;
}

function apply(world: World, changes: Changes): void {
  const before = world.facts;
  const visit = changes.visit ?? before.visit;
  const isOver = visit !== null && (TERMINAL_VISIT_STATES as readonly string[]).includes(visit.state);
  const made = changes.turn_ticket;
  const turn = changes.turn ?? before.turn;
  const ticket = changes.ticket ?? before.ticket;
  world.messages.push(...(changes.messages ?? []));
  if (changes.evidence !== undefined) world.presigned.set(changes.evidence.id, changes.evidence);
  world.facts = {
    ...before,
    ticket,
    requester_person_id: ticket?.requester_id ? personOf(ticket.requester_id) : null,
    visit: isOver ? null : visit,
    turn: turn !== null && made?.turn_id === turn.id ? { ...turn, ticket_id: made.ticket_id } : turn,
    conversation: changes.conversation ?? before.conversation,
    open_ticket_of_conversation: made === undefined ? before.open_ticket_of_conversation : ticket,
    approvals: withApproval(before.approvals, changes.approval),
    approval: changes.approval ?? before.approval,
    evidence:
      changes.evidence?.state === 'FINALIZED' ? [...before.evidence, changes.evidence] : before.evidence,
    tests:
      changes.test === undefined
        ? before.tests
        : [...before.tests, { ...changes.test, recorded_at: before.now }],
    costs: {
      parts: changes.part === undefined ? before.costs.parts : [...before.costs.parts, changes.part],
      minutes: before.costs.minutes + (changes.minutes ?? 0),
    },
    completion:
      changes.completion === undefined
        ? before.completion
        : {
            id: changes.completion.id,
            submitted_by: changes.completion.submitted_by,
            open_remedies: before.completion?.open_remedies ?? [],
          },
    invoice: changes.invoice ?? before.invoice,
    suggestion: changes.suggestion ?? before.suggestion,
    consents: changes.consent === undefined ? before.consents : [...before.consents, changes.consent],
  };
  applyVerification(world, changes);
}

function applyVerification(world: World, changes: Changes): void {
  const { completion } = world.facts;
  if (completion === null) return;
  const wanted = (changes.verification?.wanting ?? []).map((key) => ({ key, since: world.facts.now }));
  const answered = [...wanted, ...(changes.remedies ?? [])].map((r) => r.key);
  const open = [...completion.open_remedies.filter((r) => !answered.includes(r.key)), ...wanted];
  world.facts = { ...world.facts, completion: { ...completion, open_remedies: open } };
}

function withApproval(
  approvals: readonly ApprovalRow[],
  changed: ApprovalRow | undefined,
): readonly ApprovalRow[] {
  if (changed === undefined) return approvals;
  return [...approvals.filter((a) => a.id !== changed.id), changed];
}

/** Uploads and finalizes one photo. */
export function addPhoto(world: World, who: Person, key: string): string {
  const ticketId = world.facts.ticket?.id ?? '';
  const sha256 = 'b'.repeat(64);
  const announced = world.must(who, 'evidence.presign', ticketId, {
    key,
    content_type: 'image/jpeg',
    size_bytes: 1_234,
    sha256,
  });
  const id = String(announced.answer.result.evidence_id);
  world.must(
    who,
    'evidence.finalize',
    ticketId,
    { evidence_id: id },
    {
      evidence_item: world.presigned.get(id) ?? null,
      observed_object: observedObject({ sha256, size_bytes: 1_234 }),
    },
  );
  return id;
}
