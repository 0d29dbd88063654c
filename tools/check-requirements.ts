/**
 * The coverage gate of the threat model and of the mistakes of comparable systems: fails on a requirement that is
 * due and cited by no test, on an unknown id, on one that is postponed although a test proves it, and on a mistake
 * that no test guards against. With `--report` it only tells.
 */
import { MISTAKES } from '../test/mistakes.ts';
import { REQUIREMENTS } from '../test/requirements.ts';
import { coverageProblems, unguarded } from './requirements/citations.ts';
import { citationsOf, testFiles } from './requirements/test-files.ts';

const files = testFiles();
const citations = citationsOf(files, 'verifies');
const guards = citationsOf(files, 'guardsAgainst');
const problems = [...coverageProblems(REQUIREMENTS, citations), ...unguarded(MISTAKES, guards)];
for (const problem of problems) console.error(problem);

const cited = new Set(citations.map((citation) => citation.id));
const due = REQUIREMENTS.filter((requirement) => requirement.due === 'now');
const dueCited = due.filter((requirement) => cited.has(requirement.id)).length;
const partly = due.filter((requirement) => requirement.open !== null).length;
console.log(
  `${REQUIREMENTS.length} requirements: ${due.length} due (${dueCited} cited, ${partly} with a part still open), ` +
    `${REQUIREMENTS.length - due.length} postponed; ${citations.length} citations in ${files.length} test files`,
);
console.log(`${MISTAKES.length} mistakes, guarded against by ${guards.length} citations`);
if (problems.length > 0 && !process.argv.includes('--report')) process.exitCode = 1;
