import { parseSync, Visitor } from 'oxc-parser';
import type { Mistake } from '../../test/mistakes.ts';
import type { Requirement } from '../../test/requirements.ts';

export interface Citation {
  readonly file: string;
  /** null: an argument that is not a literal, which nobody can check without running the test. */
  readonly id: string | null;
}

/** How a test says what it proves: `verifies('T4.3')`, `guardsAgainst(11)`. */
export type Cites = 'verifies' | 'guardsAgainst';

/** Every literal argument of the calls of one function in one test file, as text, read from the syntax tree. */
export function citationsIn(file: string, source: string, cites: Cites = 'verifies'): Citation[] {
  const parsed = parseSync(file, source);
  const problem = parsed.errors[0];
  if (problem) throw new Error(`${file}: ${problem.message}`);
  const kind = cites === 'verifies' ? 'string' : 'number';
  const found: Citation[] = [];
  new Visitor({
    CallExpression(node) {
      if (node.callee.type !== 'Identifier' || node.callee.name !== cites) return;
      for (const argument of node.arguments) {
        const isId = argument.type === 'Literal' && typeof argument.value === kind;
        found.push({ file, id: isId ? String(argument.value) : null });
      }
      if (node.arguments.length === 0) found.push({ file, id: null });
    },
  }).visit(parsed.program);
  return found;
}

/** What is wrong between the list of requirements and what the tests cite; empty when nothing is. */
export function coverageProblems(
  requirements: readonly Requirement[],
  citations: readonly Citation[],
): string[] {
  const byId = new Map(requirements.map((requirement) => [requirement.id, requirement]));
  const cited = new Set(citations.map((citation) => citation.id));
  const problems: string[] = [];
  for (const { file, id } of citations) {
    if (id === null) problems.push(`${file}: verifies() takes literal ids`);
    else if (!byId.has(id)) problems.push(`${file}: no such requirement: ${id}`);
    else if (byId.get(id)?.due === 'later')
      problems.push(`${file}: ${id} is postponed but proven: make it due`);
  }
  for (const requirement of requirements) {
    if (requirement.due === 'now' && !cited.has(requirement.id)) {
      problems.push(`${requirement.id} is due and no test cites it: ${requirement.text}`);
    }
  }
  return [...new Set(problems)];
}

/** What is wrong between the list of mistakes and the tests that guard against them; empty when nothing is. */
export function unguarded(mistakes: readonly Mistake[], citations: readonly Citation[]): string[] {
  const known = new Set(mistakes.map(({ number }) => String(number)));
  const cited = new Set(citations.map(({ id }) => id));
  const problems = citations.flatMap(({ file, id }) => {
    if (id === null) return [`${file}: guardsAgainst() takes literal numbers`];
    return known.has(id) ? [] : [`${file}: no such mistake: ${id}`];
  });
  for (const { number, text } of mistakes) {
    if (!cited.has(String(number))) problems.push(`no test guards against mistake ${number}: ${text}`);
  }
  return [...new Set(problems)];
}
