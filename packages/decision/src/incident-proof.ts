import {
  ANSWERS,
  askedQuestions,
  type Condition,
  holds,
  type IncidentTypeDefinition,
  isNotNo,
  type KnownFacts,
  OUTCOMES,
  PRIORITIES,
  type Priority,
  type QuestionId,
} from '@deadlatch/catalogue';
import { type Answers, priorityByRule, unansweredQuestions } from './intake.ts';

/**
 * Everything in a definition that could leave somebody with a demand they cannot see, or a danger that lowers a
 * priority. Looks at every combination of answers, unanswered and unknown among them, and of the recorded results that
 * the definition's conditions read.
 * @returns one sentence for each fault, each once; a definition may be published when there is none
 * @source I.3, C.0
 */
export function contradictionsOf(definition: IncidentTypeDefinition): string[] {
  const misnamed = namesUnknown(definition);
  // What is not there cannot be enumerated.
  if (misnamed.length > 0) return misnamed;
  const faults = new Set<string>();
  const seen = new Set<string>();
  const everyAnswers = combinations(definition.ask.map((ask) => ask.question));
  for (const answers of everyAnswers) {
    judgeAnswers(definition, answers, faults, seen);
    for (const known of everyRecord(definition, answers)) judgeRecord(definition, known, faults, seen);
  }
  return [...faults, ...neverSeen(definition, seen)];
}

/** Conditions read only what the type has; a question is hidden only by questions before it. */
function namesUnknown({ ask, raises, mitigated, evidence, tests }: IncidentTypeDefinition): string[] {
  const faults: string[] = [];
  const questions = ask.map((rule) => rule.question);
  const dangers = ask.filter((rule) => rule.safety).map((rule) => rule.question);
  for (const [place, rule] of ask.entries()) {
    const earlier = questions.slice(0, place);
    if (!rule.unlessNo.every((name) => earlier.includes(name)))
      faults.push(`${rule.question}: hidden by a later question`);
  }
  for (const [place, { unlessNo }] of raises.entries()) {
    if (unlessNo.length === 0) faults.push(`raise ${place}: reads nothing`);
    if (!unlessNo.every((name) => dangers.includes(name)))
      faults.push(`raise ${place}: reads no safety question`);
  }
  if (mitigated?.whenAllNo.every((name) => dangers.includes(name)) === false) {
    faults.push('mitigated: reads no safety question');
  }
  const testKeys = tests.map((rule) => rule.key);
  const conditions = [
    ...evidence.flatMap((rule) => [
      [rule.key, rule.requiredWhen] as const,
      [`${rule.key}: visible`, rule.visibleWhen] as const,
    ]),
    ...tests.map((rule) => [rule.key, rule.mustPassWhen] as const),
  ];
  for (const [name, condition] of conditions) {
    for (const leaf of leavesOf(condition)) {
      if ('notNo' in leaf && !questions.includes(leaf.notNo))
        faults.push(`${name}: reads a question nobody asks`);
      if ('failed' in leaf && !testKeys.includes(leaf.failed))
        faults.push(`${name}: reads a test that there is not`);
      if (!('notNo' in leaf) && name.endsWith(': visible')) faults.push(`${name}: by more than answers`);
    }
  }
  return faults;
}

type Leaf = Exclude<Condition, string | { readonly anyOf: unknown }>;

function leavesOf(condition: Condition): Leaf[] {
  if (typeof condition === 'string') return [];
  return 'anyOf' in condition ? condition.anyOf.flatMap(leavesOf) : [condition];
}

/** Each question unanswered, or with each answer. */
function combinations(questions: readonly QuestionId[]): Answers[] {
  return questions.reduce<Answers[]>(
    (all, question) =>
      all.flatMap((answers) => [answers, ...ANSWERS.map((answer) => ({ ...answers, [question]: answer }))]),
    [{}],
  );
}

/** Each result and outcome that a condition of the type reads, with these answers. */
function everyRecord({ evidence, tests }: IncidentTypeDefinition, answers: Answers): KnownFacts[] {
  const leaves = [
    ...evidence.flatMap((rule) => leavesOf(rule.requiredWhen)),
    ...tests.flatMap((rule) => leavesOf(rule.mustPassWhen)),
  ];
  const read = [...new Set(leaves.flatMap((leaf) => ('failed' in leaf ? [leaf.failed] : [])))];
  const failures = read.reduce<string[][]>(
    (all, test) => all.flatMap((some) => [some, [...some, test]]),
    [[]],
  );
  const outcomes = leaves.some((leaf) => 'outcome' in leaf) ? [null, ...OUTCOMES] : [null];
  return failures.flatMap((failedTests) => outcomes.map((outcome) => ({ answers, failedTests, outcome })));
}

const rank = (priority: Priority) => PRIORITIES.indexOf(priority);

function judgeAnswers(
  definition: IncidentTypeDefinition,
  answers: Answers,
  faults: Set<string>,
  seen: Set<string>,
): void {
  const priority = priorityByRule(definition, answers);
  const asked = askedQuestions(definition, answers).map((ask) => ask.question);
  for (const question of unansweredQuestions(definition, answers)) {
    if (!asked.some((name) => name === question)) faults.add(`${question}: required while hidden`);
  }
  for (const { question, safety } of definition.ask) {
    if (asked.includes(question)) seen.add(`${question}: asked`);
    else seen.add(`${question}: hidden`);
    const safe = { ...answers, [question]: 'no' };
    const atLeast = rank(priorityByRule(definition, safe));
    if (safety && rank(priority) < atLeast) faults.add(`${question}: danger lowers the priority`);
    const isSilent = !asked.includes(question) && !Object.hasOwn(answers, question);
    if (isSilent && rank(priority) !== atLeast)
      faults.add(`${question}: silence raises what nobody was asked`);
  }
  for (const [place, rule] of definition.raises.entries()) {
    if (rule.unlessNo.every((question) => isNotNo(question, answers)) && priority === rule.to) {
      seen.add(`raise ${place}`);
    }
  }
  if (priority === definition.mitigated?.to) seen.add('mitigated');
  if (priority === definition.defaultPriority) seen.add('default');
}

function judgeRecord(
  definition: IncidentTypeDefinition,
  known: KnownFacts,
  faults: Set<string>,
  seen: Set<string>,
): void {
  const asked = askedQuestions(definition, known.answers).map((ask) => ask.question);
  for (const { key, requiredWhen, visibleWhen } of definition.evidence) {
    const isRequired = holds(requiredWhen, known);
    if (isRequired && !holds(visibleWhen, known)) faults.add(`${key}: required while hidden`);
    seen.add(`${key}: ${isRequired}`);
    const silent = leavesOf(requiredWhen).flatMap((leaf) => ('notNo' in leaf ? [leaf.notNo] : []));
    for (const question of silent) {
      if (asked.includes(question) || Object.hasOwn(known.answers, question)) continue;
      const safe = { ...known, answers: { ...known.answers, [question]: 'no' } };
      if (isRequired !== holds(requiredWhen, safe))
        faults.add(`${key}: required by silence nobody was asked about`);
    }
  }
  for (const { key, mustPassWhen } of definition.tests) seen.add(`${key}: ${holds(mustPassWhen, known)}`);
}

/** Rules that no combination brings about: they say something that is never so. */
function neverSeen(definition: IncidentTypeDefinition, seen: ReadonlySet<string>): string[] {
  const conditions = [
    ...definition.evidence.map((rule) => [rule.key, rule.requiredWhen] as const),
    ...definition.tests.map((rule) => [rule.key, rule.mustPassWhen] as const),
  ];
  const wanted = [
    'default',
    ...definition.raises.map((_, place) => `raise ${place}`),
    ...(definition.mitigated === null ? [] : ['mitigated']),
    ...definition.ask.map(({ question }) => `${question}: asked`),
    ...definition.ask.filter((ask) => ask.unlessNo.length > 0).map(({ question }) => `${question}: hidden`),
    ...conditions.flatMap(([key, condition]) => [
      ...(condition === 'never' ? [] : [`${key}: true`]),
      ...(condition === 'always' ? [] : [`${key}: false`]),
    ]),
  ];
  return wanted.filter((rule) => !seen.has(rule)).map((rule) => `${rule}: never so`);
}
