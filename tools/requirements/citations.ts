import { parseSync, Visitor } from 'oxc-parser';
import type { Requirement } from '../../test/requirements.ts';

export interface Citation {
  readonly file: string;
  /** null: an argument that is not a literal, which nobody can check without running the test. */
  readonly id: string | null;
}

/** Every id in the `verifies('…')` calls of one test file, read from the syntax tree. */
export function citationsIn(file: string, source: string): Citation[] {
  const parsed = parseSync(file, source);
  const problem = parsed.errors[0];
  if (problem) throw new Error(`${file}: ${problem.message}`);
  const found: Citation[] = [];
  new Visitor({
    CallExpression(node) {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'verifies') return;
      for (const argument of node.arguments) {
        const isText = argument.type === 'Literal' && typeof argument.value === 'string';
        found.push({ file, id: isText ? (argument.value as string) : null });
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
