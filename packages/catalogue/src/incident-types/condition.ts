import type { Condition, IncidentTypeDefinition, QuestionRule } from './shape.ts';

/** All that a condition may read. */
export interface KnownFacts {
  /** Intake answers by question id; a question that is not here was not answered. */
  readonly answers: Readonly<Record<string, string>>;
  /** Tests of this trip whose latest record did not pass. */
  readonly failedTests: readonly string[];
  /** Null until the work is handed in. */
  readonly outcome: string | null;
}

/** Whether nobody has plainly said no. Silence, doubt and words count as yes. */
export function isNotNo(question: string, answers: KnownFacts['answers']): boolean {
  return !(Object.hasOwn(answers, question) && answers[question] === 'no');
}

/** Whether the condition holds for what is known. */
export function holds(condition: Condition, known: KnownFacts): boolean {
  if (condition === 'always') return true;
  if (condition === 'never') return false;
  if ('notNo' in condition) return isNotNo(condition.notNo, known.answers);
  if ('failed' in condition) return known.failedTests.includes(condition.failed);
  if ('outcome' in condition) return condition.outcome.some((outcome) => outcome === known.outcome);
  return condition.anyOf.some((one) => holds(one, known));
}

/** The questions that are asked, given what was answered: a hidden one is neither asked nor missed. */
export function askedQuestions(
  definition: IncidentTypeDefinition,
  answers: KnownFacts['answers'],
): readonly QuestionRule[] {
  return definition.ask.filter((rule) => rule.unlessNo.every((question) => isNotNo(question, answers)));
}
