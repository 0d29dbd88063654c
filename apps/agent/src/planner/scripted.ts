import {
  ANSWERS,
  type Answer,
  askedQuestions,
  INCIDENT_TYPES,
  type IncidentType,
  type IncidentTypeDefinition,
  incidentType,
  type Phrase,
  QUESTION_IDS,
  type QuestionId,
} from '@deadlatch/catalogue';
import { arrangeTime } from './arrange-time.ts';
import { call, FINISH, type Planner, type Step, say, type TicketSummary, type TurnView } from './planner.ts';
import { type MessageFacts, readMessage, readReply } from './read-message.ts';

/** A question that was put this often and never understood goes to a person. */
const TIMES_ASKED = 2;

/**
 * The standard operating procedure: deterministic, the default without a model, and what the system falls back to.
 * Each step is chosen from the view alone, so a turn that was cut off goes on where it stood.
 * @source T1.4, T1.5, T1.8
 */
export const scriptedPlanner: Planner = {
  async next(view) {
    // One reply ends a turn, and a turn that was refused anything leaves the rest to a person.
    if (view.done.has('conversation.reply')) return FINISH;
    const step = view.isRefused ? say('a_person_will_look') : choose(view);
    // What this turn may not do is not tried: the list is the one the gate uses.
    return step.kind === 'call' && !view.tools.has(step.tool) ? endQuietly(view) : step;
  },
};

function choose(view: TurnView): Step {
  const { ticket, message } = view;
  // Nobody has read it: what it says is unknown, and so is what to do.
  if (message === null) return say('a_person_will_look');
  const facts = readMessage(message);
  if (ticket === null) return facts.type === null ? describeAgain(view) : call('ticket.create', {});
  switch (ticket.state) {
    case 'NEW':
      return triage(view, ticket, facts);
    case 'NEEDS_INFO':
      return provide(view, ticket, message, facts);
    case 'TRIAGED':
      return afterTriage(view, ticket, facts);
    case 'READY_TO_SCHEDULE':
    case 'SCHEDULE_PROPOSED':
    case 'SCHEDULED':
    case 'DISPATCHED':
      return arrangeTime(view, ticket);
    default:
      return say('thanks_noted');
  }
}

function triage(view: TurnView, ticket: TicketSummary, facts: MessageFacts): Step {
  const known = [...view.earlier].reverse().map(readMessage);
  const type = typeOf(ticket, [facts, ...known]);
  if (type === null) return describeAgain(view);
  return call('ticket.triage', { type, answers: collectAnswers(type, ticket, [facts, ...known]) });
}

/** What it was found to be stays, unless somebody now speaks of something that is a danger. */
function typeOf(ticket: TicketSummary, newestFirst: readonly MessageFacts[]): IncidentType | null {
  const [newest] = newestFirst;
  const onFile = INCIDENT_TYPES.find((type) => type === ticket.type) ?? null;
  const isDanger = newest?.type != null && definitionFor(ticket, newest.type)?.safety === true;
  if (onFile !== null && !isDanger) return onFile;
  return newestFirst.find((f) => f.type !== null)?.type ?? onFile;
}

/** Newest word first; only what this type asks; nothing is invented for what nobody said. */
function collectAnswers(
  type: IncidentType,
  ticket: TicketSummary,
  newestFirst: readonly MessageFacts[],
): { question: QuestionId; answer: Answer }[] {
  const asked = definitionFor(ticket, type)?.ask ?? [];
  return asked.flatMap(({ question }) => {
    const heard = newestFirst.map((f) => f.answers.get(question)).find((a) => a !== undefined);
    const answer = heard ?? answerOnFile(ticket, question);
    return answer === undefined ? [] : [{ question, answer }];
  });
}

/** What the ticket was triaged by, which another version in force does not change. */
function definitionOf({ type, typeVersion }: TicketSummary): IncidentTypeDefinition | undefined {
  return type === null || typeVersion === null ? undefined : incidentType(type, typeVersion);
}

/** What the ticket would be triaged by: its own version, or for a type that is new to it the one in force. */
function definitionFor(ticket: TicketSummary, type: IncidentType): IncidentTypeDefinition | undefined {
  if (type === ticket.type) return definitionOf(ticket);
  const version = ticket.inForce.get(type);
  return version === undefined ? undefined : incidentType(type, version);
}

function answerOnFile({ answers }: TicketSummary, question: QuestionId): Answer | undefined {
  return Object.hasOwn(answers, question) ? ANSWERS.find((a) => a === answers[question]) : undefined;
}

function provide(view: TurnView, ticket: TicketSummary, message: string, facts: MessageFacts): Step {
  // The command itself has asked already: its confirmation lists the questions.
  if (view.done.has('ticket.request_info')) return FINISH;
  const wanted = questionsOf(ticket.missing);
  if (wanted.length === 0) return triage(view, ticket, facts);
  const answers = [...readReply(message, wanted)].map(([question, answer]) => ({ question, answer }));
  return answers.length > 0 ? call('ticket.provide_info', { answers }) : askAgain(view, wanted);
}

/** An emergency is on its way to a person already; anything else first asks what is still unknown. */
function afterTriage(view: TurnView, ticket: TicketSummary, facts: MessageFacts): Step {
  const definition = definitionOf(ticket);
  const open = (definition === undefined ? [] : askedQuestions(definition, ticket.answers))
    .filter((a) => a.required && answerOnFile(ticket, a.question) === undefined)
    .map((a) => a.question);
  const isOurs = view.done.has('ticket.triage');
  if (ticket.priority === 'EMERGENCY') {
    if (!isOurs) return say('thanks_noted');
    const unheard = open.filter((question) => !facts.answers.has(question));
    return unheard.length > 0 ? askAgain(view, unheard) : say('safety_keep_people_away');
  }
  if (open.length > 0) return call('ticket.request_info', { missing: open });
  return isOurs ? call('ticket.ready', {}) : say('thanks_noted');
}

function askAgain(view: TurnView, questions: readonly QuestionId[]): Step {
  return isTiring(view, 'ask_intake_questions')
    ? say('a_person_will_look')
    : say('ask_intake_questions', questions);
}

function describeAgain(view: TurnView): Step {
  return isTiring(view, 'ask_to_describe_problem')
    ? say('a_person_will_look')
    : say('ask_to_describe_problem');
}

function isTiring(view: TurnView, phrase: Phrase): boolean {
  return view.said.slice(-TIMES_ASKED).filter((said) => said === phrase).length >= TIMES_ASKED;
}

function questionsOf(names: readonly string[]): QuestionId[] {
  return QUESTION_IDS.filter((question) => names.includes(question));
}

function endQuietly(view: TurnView): Step {
  return view.tools.has('conversation.reply') ? say('a_person_will_look') : FINISH;
}
