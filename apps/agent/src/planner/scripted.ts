import { type Answer, type IncidentType, incidentType, type QuestionId } from '@deadlatch/catalogue';
import { call, FINISH, type Planner, type Step, say, type TicketSummary, type TurnView } from './planner.ts';
import { KEEP_AWAY } from './procedures.ts';
import { type MessageFacts, NO_FACTS, readMessage } from './read-message.ts';

/**
 * The standard operating procedure: deterministic, the default without a model, and what the system falls back to.
 * Each step is chosen from the view alone, so a turn that was cut off goes on where it stood.
 */
export const scriptedPlanner: Planner = {
  async next(view) {
    const step = choose(view);
    // What this turn may not do is not tried: the list is the one the gate uses.
    return step.kind === 'call' && !view.tools.has(step.tool) ? endQuietly(view) : step;
  },
};

function choose(view: TurnView): Step {
  if (view.done.includes('conversation.reply')) return FINISH;
  const facts = view.message === null ? NO_FACTS : readMessage(view.message);
  if (view.ticket === null) return openTicket(view, facts);
  switch (view.ticket.state) {
    case 'NEW':
      return triage(view, view.ticket, facts);
    case 'NEEDS_INFO':
      // The command itself has asked already: its confirmation lists the questions.
      if (view.done.includes('ticket.request_info')) return FINISH;
      return facts.answers.size > 0
        ? provide(view.ticket, facts)
        : say('ask_intake_questions', view.ticket.missing);
    case 'TRIAGED':
      return afterTriage(view, view.ticket, facts);
    default:
      return say('thanks_noted');
  }
}

function openTicket(view: TurnView, facts: MessageFacts): Step {
  if (view.message === null) return say('a_person_will_look');
  if (facts.type === null) return say('ask_to_describe_problem');
  return call('ticket.create', {});
}

function triage(view: TurnView, ticket: TicketSummary, facts: MessageFacts): Step {
  const known = [...view.earlier].reverse().map(readMessage);
  const type = facts.type ?? known.find((f) => f.type !== null)?.type ?? null;
  if (type === null) return say('ask_to_describe_problem');
  const answers = collectAnswers(type, ticket, [facts, ...known]);
  return call('ticket.triage', { type, answers });
}

/** Newest word first; only what this type asks; nothing is invented for what nobody said. */
function collectAnswers(
  type: IncidentType,
  ticket: TicketSummary,
  newestFirst: readonly MessageFacts[],
): { question: QuestionId; answer: Answer }[] {
  const asked = incidentType(type)?.ask ?? [];
  return asked.flatMap(({ question }) => {
    const heard = newestFirst.map((f) => f.answers.get(question)).find((a) => a !== undefined);
    const answer = heard ?? (ticket.answers[question] as Answer | undefined);
    return answer === undefined ? [] : [{ question, answer }];
  });
}

function provide(ticket: TicketSummary, facts: MessageFacts): Step {
  const wanted = new Set(ticket.missing);
  const answers = [...facts.answers]
    .filter(([q]) => wanted.has(q))
    .map(([question, answer]) => ({ question, answer }));
  return answers.length > 0
    ? call('ticket.provide_info', { answers })
    : say('ask_intake_questions', ticket.missing);
}

/** An emergency is on its way to a person already; anything else first asks what is still unknown. */
function afterTriage(view: TurnView, ticket: TicketSummary, facts: MessageFacts): Step {
  const definition = incidentType(ticket.type ?? '');
  const type = ticket.type as IncidentType;
  const open = (definition?.ask ?? [])
    .filter((a) => a.required && !(a.question in ticket.answers) && !facts.answers.has(a.question))
    .map((a) => a.question);
  if (ticket.priority === 'EMERGENCY') {
    if (!view.done.includes('ticket.triage')) return say('thanks_noted');
    return open.length > 0 ? say('ask_intake_questions', open) : say('safety_keep_people_away');
  }
  if (open.length > 0) return call('ticket.request_info', { missing: open });
  if (KEEP_AWAY.has(type) && view.done.includes('ticket.ready')) return say('safety_keep_people_away');
  return view.done.includes('ticket.triage') ? call('ticket.ready', {}) : say('thanks_noted');
}

function endQuietly(view: TurnView): Step {
  return view.tools.has('conversation.reply') && !view.done.includes('conversation.reply')
    ? say('a_person_will_look')
    : FINISH;
}
