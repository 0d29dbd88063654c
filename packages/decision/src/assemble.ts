import { ALL_EDGES, type Edge, type ObjectKind } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Accepted, Answer, Changes, Effect, OutboxDraft } from './changes.ts';
import type { Facts } from './facts.ts';
import type { TicketRow } from './rows.ts';
import type { Outcome, RuleContext } from './rule.ts';

interface VersionedRow {
  readonly id: string;
  readonly version: number;
  readonly state: string;
}

const EDGES: ReadonlyMap<string, Edge> = new Map(ALL_EDGES.map((e) => [edgeKey(e), e]));

function edgeKey(e: { object: string; command: string; from: string; to: string }): string {
  return `${e.object}|${e.command}|${e.from}|${e.to}`;
}

/**
 * Turns a rule's outcome into the decision: effects, outbox and answer follow from the changes, so no rule can
 * forget one.
 * @throws DispatchError `unavailable` when a change is not an edge of the table, skips a version, or resumes
 *   anywhere but where it paused: a rule that disagrees with the table is a defect, and defects refuse
 * @invariant every versioned row in `changes` has exactly one effect
 * @source A.3d, F.1
 */
export function assemble(context: RuleContext, outcome: Outcome, policyIds: readonly string[]): Accepted {
  const changes = withoutOldOptions(outcome.changes);
  const { entry, facts, tools } = context;
  const effects = effectsOf(entry.name, changes, facts);
  const ticket = changes.ticket ?? outcome.answersTicket ?? facts.ticket;
  return {
    kind: 'accepted',
    changes,
    event: {
      effects,
      resource: resourceOf(context, ticket),
      details: outcome.details ?? {},
      policy_ids: policyIds,
      policy_bundle: tools.policy.bundleHash,
    },
    outbox: outboxOf(changes),
    answer: { ticket: ticket === null ? null : ticketAnswer(ticket), result: outcome.result ?? {} },
  };
}

/** A ticket that needs a time again, or none any more, has none agreed: no rule has to remember that. */
function withoutOldOptions(changes: Changes): Changes {
  const { ticket } = changes;
  const needsNone = ticket?.state === 'READY_TO_SCHEDULE' || ticket?.state === 'CANCELLED';
  return needsNone ? { ...changes, end_options_of: ticket.id } : changes;
}

/** What every caller may see of a ticket. */
export function ticketAnswer(ticket: TicketRow): NonNullable<Answer['ticket']> {
  return {
    id: ticket.id,
    reference: ticket.reference,
    state: ticket.state,
    version: ticket.version,
    priority: ticket.priority,
    nte_cents: ticket.nte_cents,
  };
}

function effectsOf(command: string, changes: Changes, facts: Facts): readonly Effect[] {
  const effects: Effect[] = [];
  const add = (
    object: ObjectKind,
    after: VersionedRow | undefined,
    befores: readonly (VersionedRow | null)[],
  ) => {
    if (after === undefined) return null;
    const before = befores.find((row) => row !== null && row.id === after.id) ?? null;
    effects.push(effectOf(object, command, before, after));
    return before;
  };
  const before = add('ticket', changes.ticket, [facts.ticket]) as TicketRow | null;
  if (changes.ticket !== undefined && before !== null) requireResume(command, before, changes.ticket);
  add('visit', changes.cancelled_visit, [facts.visit]);
  add('visit', changes.visit, [facts.visit]);
  add('approval', changes.approval, [facts.approval, ...facts.approvals]);
  add('invoice', changes.invoice, [facts.invoice]);
  add('evidence', changes.evidence, [facts.evidence_item]);
  add('suggestion', changes.suggestion, [facts.suggestion]);
  const { directory } = facts;
  add('account', changes.account, [directory?.account ?? null]);
  add('site', changes.site, [directory?.site ?? null]);
  add('asset', changes.asset, [directory?.asset ?? null]);
  add('contact', changes.contact, [directory?.contact ?? null]);
  for (const contact of changes.contacts ?? []) add('contact', contact, []);
  for (const membership of changes.memberships ?? [])
    add('membership', membership, directory?.memberships ?? []);
  add('technician', changes.technician, [directory?.technician ?? null]);
  add('act', changes.act, [directory?.act ?? null]);
  add('conversation', changes.conversation, [facts.conversation, facts.inbound?.conversation ?? null]);
  return effects;
}

function effectOf(
  object: ObjectKind,
  command: string,
  before: VersionedRow | null,
  after: VersionedRow,
): Effect {
  const from = before?.state ?? '-';
  if (!EDGES.has(edgeKey({ object, command, from, to: after.state }))) {
    defect(`${command}: ${object} ${from} -> ${after.state} is not an edge`);
  }
  if (after.version !== (before?.version ?? 0) + 1) defect(`${command}: ${object} skips a version`);
  return { object, id: after.id, version: after.version, before_state: from, after_state: after.state };
}

/** Who pauses remembers exactly where; who resumes goes exactly there, or for another trip. */
function requireResume(command: string, before: TicketRow, after: TicketRow): void {
  const edge = EDGES.get(edgeKey({ object: 'ticket', command, from: before.state, to: after.state }));
  if (edge?.mode === 'pause' && after.resume_state !== before.state) {
    defect(`${command}: does not remember ${before.state}`);
  }
  if (edge?.mode === 'resume') {
    const isAllowed = after.state === before.resume_state || after.state === 'READY_TO_SCHEDULE';
    if (!isAllowed) defect(`${command}: resumes to ${after.state} from ${before.resume_state}`);
  }
}

function outboxOf(changes: Changes): readonly OutboxDraft[] {
  const deliveries = (changes.messages ?? []).map(
    (message): OutboxDraft => ({
      kind: 'message.deliver',
      ref_id: message.id,
      order_key: message.conversation_id ?? message.contact_id ?? defect('a message for nobody'),
    }),
  );
  if (changes.turn === undefined) return deliveries;
  const wake: OutboxDraft = {
    kind: 'agent.wake',
    ref_id: changes.turn.id,
    order_key: changes.turn.conversation_id,
  };
  return [...deliveries, wake];
}

function resourceOf(
  context: RuleContext,
  ticket: TicketRow | null,
): { readonly kind: string; readonly id: string } | null {
  if (context.entry.target !== 'none' && context.targetId !== null) {
    return { kind: context.entry.target, id: context.targetId };
  }
  return ticket === null ? null : { kind: 'ticket', id: ticket.id };
}

function defect(detail: string): never {
  return refuse('unavailable', { detail: `defect: ${detail}` });
}
