import {
  askedQuestions,
  type IncidentTypeDefinition,
  isNotNo,
  PRIORITIES,
  type Priority,
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
  const isDanger = (question: string) => isNotNo(question, answers);
  const { mitigated } = definition;
  const isMitigated =
    mitigated !== null && mitigated.whenAllNo.length > 0 && !mitigated.whenAllNo.some(isDanger);
  const start = isMitigated ? mitigated.to : definition.defaultPriority;
  const fired = definition.raises.filter((rule) => rule.unlessNo.every(isDanger));
  return fired.reduce((found, rule) => higher(found, rule.to), start);
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

/** Questions that the type needs and nobody has answered; `unknown` is an answer, and what is hidden is not needed. */
export function unansweredQuestions(definition: IncidentTypeDefinition, answers: Answers): string[] {
  return askedQuestions(definition, answers)
    .filter((ask) => ask.required && !Object.hasOwn(answers, ask.question))
    .map((ask) => ask.question);
}

/**
 * What is still open of the questions that somebody asked for. One that an answer has hidden meanwhile is not; one that
 * the type does not know of was asked by a person, and stays.
 * @param definition null while there is no type
 */
export function stillMissing(
  definition: IncidentTypeDefinition | null,
  missing: readonly string[],
  answers: Answers,
): string[] {
  const asked = definition === null ? [] : askedQuestions(definition, answers).map((ask) => ask.question);
  const isHidden = (question: string) =>
    definition?.ask.some((ask) => ask.question === question) === true &&
    !asked.some((name) => name === question);
  return missing.filter((question) => !Object.hasOwn(answers, question) && !isHidden(question));
}
