import {
  type Condition,
  DEFAULT_WORK,
  type EvidenceRule,
  INCIDENT_DEFINITIONS,
  type IncidentTypeDefinition,
  newestVersions,
  type QuestionRule,
  type TestRule,
  type WorkRule,
} from '@deadlatch/catalogue';
import { code, page, table } from './markdown.ts';

/** `docs/reference/incident-types.md`: every released version of every type. */
export function incidentTypesPage(): string {
  return page('Incident types', '`packages/catalogue/src/incident-types/`, one file for each version', [
    'A ticket is triaged by the version of its type that is [in force](../operate/publishing.md) and keeps that version: ' +
      'its questions, its evidence list and its tests do not change when another one is published.',
    'Only a plain *no* says that there is no danger: no answer, *unknown* and words count as *yes* wherever a rule reads ' +
      'a question marked as safety. *Unless no* means: unless the question is answered with a plain no.',
    ...INCIDENT_DEFINITIONS.flatMap(definitionParts),
  ]);
}

function definitionParts(definition: IncidentTypeDefinition): string[] {
  const { type, version } = definition;
  const isNewest = newestVersions().some((one) => one.name === type && one.version === version);
  return [
    `## ${type}, version ${version}`,
    [
      isNewest ? 'In force in a new tenant.' : 'In force where it is published.',
      definition.safety ? 'A safety type: its triage pages a dispatcher.' : 'Not a safety type.',
      priorityWords(definition),
      workWords(definition.work ?? DEFAULT_WORK),
    ].join(' '),
    table(['question', 'needed', 'safety', 'asked'], definition.ask.map(questionRow)),
    table(
      ['evidence', 'at least', 'required', 'shown', 'may be waived by', 'customer sees it'],
      definition.evidence.map(evidenceRow),
    ),
    table(['test', 'passes with', 'must pass'], definition.tests.map(testRow)),
  ];
}

function workWords({ certifications, minutes, skills }: WorkRule): string {
  const needs = [
    ...skills.map((one) => `skill ${code(one)}`),
    ...certifications.map((one) => `certificate ${code(one)}`),
  ];
  return `A visit is planned for ${minutes} minutes${needs.length === 0 ? '' : ` and needs ${needs.join(', ')}`}.`;
}

function priorityWords({ defaultPriority, raises, mitigated }: IncidentTypeDefinition): string {
  const names = (questions: readonly string[], join: string) => questions.map(code).join(join);
  const parts = [
    `Priority ${defaultPriority}`,
    ...raises.map(({ unlessNo, to }) => `${to} unless no to ${names(unlessNo, ' or ')}`),
    ...(mitigated === null ? [] : [`${mitigated.to} with no to ${names(mitigated.whenAllNo, ' and ')}`]),
  ];
  return `${parts.join('; ')}.`;
}

function questionRow({ question, required, safety, unlessNo }: QuestionRule): string[] {
  return [
    code(question),
    required ? 'yes' : '-',
    safety ? 'yes' : '-',
    unlessNo.length === 0 ? 'always' : `unless no to ${unlessNo.map(code).join(' or ')}`,
  ];
}

function evidenceRow(rule: EvidenceRule): string[] {
  return [
    code(rule.key),
    String(rule.minimum),
    conditionWords(rule.requiredWhen),
    conditionWords(rule.visibleWhen),
    rule.waivableBy ?? 'nobody',
    rule.shownToCustomer ? 'yes' : '-',
  ];
}

function testRow({ key, unit, pass, mustPassWhen }: TestRule): string[] {
  const bounds = pass && (pass.min === pass.max ? `${pass.min}` : `${pass.min} to ${pass.max}`);
  return [
    code(key),
    bounds === null ? 'passed' : `${bounds} ${unit === 'count' ? 'times' : unit}`,
    conditionWords(mustPassWhen),
  ];
}

function conditionWords(condition: Condition): string {
  if (typeof condition === 'string') return condition;
  if ('notNo' in condition) return `unless no to ${code(condition.notNo)}`;
  if ('failed' in condition) return `when ${code(condition.failed)} failed`;
  if ('outcome' in condition) return `when handed in as ${condition.outcome.join(', ')}`;
  return condition.anyOf.map(conditionWords).join(', or ');
}
