import {
  type IncidentTypeDefinition,
  PRIORITIES,
  type Priority,
  type QuestionId,
} from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';

export type Answers = Readonly<Record<string, string>>;

/** The higher of two priorities. */
export function higher(a: Priority, b: Priority): Priority {
  return PRIORITIES.indexOf(a) >= PRIORITIES.indexOf(b) ? a : b;
}

/**
 * Priority from facts, never from an opinion. Anything but a plain `no` to a safety question counts as yes:
 * `unknown`, words instead of an answer, and no answer at all.
 */
export function priorityByRule(definition: IncidentTypeDefinition, answers: Answers): Priority {
  const isNo = (question: QuestionId) => Object.hasOwn(answers, question) && answers[question] === 'no';
  const { mitigated } = definition;
  const isMitigated = mitigated !== null && mitigated.whenAllNo.length > 0 && mitigated.whenAllNo.every(isNo);
  const start = isMitigated ? mitigated.to : definition.defaultPriority;
  return definition.raises.reduce((found, rule) => (isNo(rule.when) ? found : higher(found, rule.to)), start);
}

/**
 * Answers on file joined with new ones.
 * @param isSticky keep a `yes` that is on file: an agent may report danger and never take it back
 * @throws DispatchError `schema_mismatch` when one question is answered twice
 */
export function mergeAnswers(
  onFile: Answers,
  given: readonly { readonly question: string; readonly answer: string }[],
  isSticky: boolean,
): Answers {
  const questions = given.map((g) => g.question);
  if (new Set(questions).size !== questions.length) {
    refuse('schema_mismatch', { extra: { fields: ['/answers'] } });
  }
  const merged = new Map(Object.entries(onFile));
  for (const { question, answer } of given) {
    if (isSticky && merged.get(question) === 'yes') continue;
    merged.set(question, answer);
  }
  return Object.fromEntries(merged);
}

/** Questions that the type needs and nobody has answered; `unknown` is an answer. */
export function unansweredQuestions(definition: IncidentTypeDefinition, answers: Answers): string[] {
  return definition.ask
    .filter((ask) => ask.required && !Object.hasOwn(answers, ask.question))
    .map((ask) => ask.question);
}
