import {
  type FreeTextRef,
  type IncidentTypeDefinition,
  incidentType,
  type Priority,
} from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { confirm } from '../draft-message.ts';
import { typeOf } from '../evidence-list.ts';
import { higher, mergeAnswers, priorityByRule, stillMissing, unansweredQuestions } from '../intake.ts';
import { changedTicket, contractOf, need, ticketOf } from '../need.ts';
import { agentFor, openTurn } from '../open-turn.ts';
import { versionInForce } from '../publications.ts';
import type { TicketRow, TurnRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';

interface GivenAnswer {
  readonly question: string;
  readonly answer: string;
}

export const REQUEST_INFO = rule<{ readonly missing: readonly string[] }>('ticket.request_info', {
  run: (context) => {
    const missing = [...new Set(context.input.missing)];
    const ticket = changedTicket(context, { state: 'NEEDS_INFO', missing });
    return {
      changes: { ticket, ...confirm(context, ticket, 'M02', { questions: missing }) },
      details: { missing },
    };
  },
});

export const PROVIDE_INFO = rule<{ readonly answers: readonly GivenAnswer[] }>('ticket.provide_info', {
  run: (context) => {
    const before = ticketOf(context);
    const answers = mergeAnswers(before.answers, context.input.answers, context.acting.kind === 'agent');
    const definition = before.incident_type === null ? null : typeOf(before);
    const missing = stillMissing(definition, before.missing, answers);
    const ticket = changedTicket(context, { state: 'NEW', answers, missing });
    return { changes: { ticket }, details: { answered: context.input.answers.map((a) => a.question) } };
  },
});

interface TriageInput {
  readonly type: string;
  readonly answers: readonly GivenAnswer[];
  readonly priority?: Priority;
  readonly reason?: FreeTextRef;
}

/** Facts in; the priority follows by rule and the money from the contract. There is no field for an amount. */
export const TRIAGE = rule<TriageInput>('ticket.triage', {
  run: (context) => {
    const { input } = context;
    const before = ticketOf(context);
    const { definition, byRule, answers } = classify(context);
    const floor = before.priority === null ? byRule : higher(byRule, before.priority);
    const priority = chosenPriority(context, floor);
    const nte = baseNte(context, priority);
    const ticket = changedTicket(context, {
      ...classified(before, definition, answers),
      state: 'TRIAGED',
      priority,
      base_nte_cents: nte,
      nte_cents: nte,
    });
    return {
      changes: {
        ticket,
        ...(definition.safety ? { tasks: [{ kind: 'safety_triage', ticket_id: ticket.id }] } : {}),
        ...confirm(context, ticket, 'M04', { priority }),
      },
      details: {
        type: definition.type,
        priority,
        priority_by_rule: byRule,
        nte_cents: nte,
        ...(priority === floor ? {} : { reason_text_id: input.reason?.text_id ?? null }),
      },
    };
  },
});

/** What facts make of a ticket: its type, every answer that is known now, and the priority that follows by rule. */
export function classify(context: RuleContext<Pick<TriageInput, 'type' | 'answers'>>): {
  readonly definition: IncidentTypeDefinition;
  readonly answers: TicketRow['answers'];
  readonly byRule: Priority;
} {
  const before = ticketOf(context);
  const definition = definitionFor(context, before, context.input.type);
  const answers = mergeAnswers(before.answers, context.input.answers, context.acting.kind === 'agent');
  return { definition, answers, byRule: priorityByRule(definition, answers) };
}

/** The columns of a ticket that follow from its type and answers. */
export function classified(
  before: TicketRow,
  definition: IncidentTypeDefinition,
  answers: TicketRow['answers'],
): Pick<TicketRow, 'incident_type' | 'incident_version' | 'safety' | 'answers' | 'missing'> {
  return {
    incident_type: definition.type,
    incident_version: definition.version,
    safety: definition.safety,
    answers,
    missing: stillMissing(definition, before.missing, answers),
  };
}

/** The contract's limit for this priority; zero for a recall, which an approver alone can raise. */
export function baseNte(context: RuleContext, priority: Priority): number {
  if (ticketOf(context).recall_of !== null) return 0;
  const nte = contractOf(context).nte_cents[priority];
  if (!Number.isSafeInteger(nte) || nte <= 0) refuse('unavailable', { detail: 'contract without an NTE' });
  return nte;
}

/**
 * The version that the ticket was triaged by stays its version; a type that is new to it comes in the one in force.
 * @throws DispatchError `unavailable` when none is in force, or one that this release does not know
 */
function definitionFor(context: RuleContext, before: TicketRow, type: string): IncidentTypeDefinition {
  if (before.incident_type === type) return typeOf(before);
  const version = versionInForce(context, 'incident_type', type);
  return incidentType(type, version) ?? refuse('unavailable', { detail: 'a version of another release' });
}

/** A dispatcher raises freely and lowers with a reason; nobody else chooses at all. */
function chosenPriority(context: RuleContext<TriageInput>, floor: Priority): Priority {
  const { acting, input } = context;
  if (input.priority === undefined || acting.kind !== 'person') return floor;
  const isLower = higher(floor, input.priority) !== input.priority;
  if (isLower && input.reason === undefined) {
    refuse('policy_denied', { detail: 'lowering a priority needs a reason' });
  }
  return input.priority;
}

/** @throws DispatchError `evidence_missing` with the questions that are asked of this type and not answered */
export function requireCompleteIntake(
  definition: IncidentTypeDefinition,
  asked: readonly string[],
  answers: TicketRow['answers'],
): void {
  const open = [...stillMissing(definition, asked, answers), ...unansweredQuestions(definition, answers)];
  const missing = [...new Set(open)].sort();
  if (missing.length > 0) refuse('evidence_missing', { extra: { missing } });
}

export const READY = rule<Record<string, never>>('ticket.ready', {
  run: (context) => {
    const before = ticketOf(context);
    const { facts } = context;
    const definition = typeOf(before);
    requireCompleteIntake(definition, before.missing, before.answers);
    if (facts.approvals.some((a) => a.state === 'PENDING')) {
      refuse('invalid_state', { extra: { from_state: 'PENDING', allowed_from: [] } });
    }
    if (contractOf(context).quote_first !== false && !facts.approvals.some((a) => a.state === 'CONSUMED')) {
      refuse('policy_denied', { detail: 'the account wants a quote first' });
    }
    const ticket = changedTicket(context, { state: 'READY_TO_SCHEDULE' });
    const turn = turnForTimes(context, ticket);
    return {
      changes: { ticket, ...(turn === null ? {} : { turn }) },
      details: { turn_id: turn?.id ?? null },
    };
  },
});

/**
 * What an agent made ready is scheduled by an agent, in a turn of the system that ends the one of intake: so a calm and
 * complete text ends in an offer of times. A person who makes a ticket ready goes on themselves.
 */
function turnForTimes(context: RuleContext, ticket: TicketRow): TurnRow | null {
  const { acting, facts } = context;
  if (acting.kind !== 'agent') return null;
  return openTurn(context, {
    contactId: null,
    conversation: need(facts.conversation, 'conversation'),
    messageId: need(facts.turn, 'turn').message_id,
    ticketId: ticket.id,
    role: agentFor(ticket.state),
  });
}
