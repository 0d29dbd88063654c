/**
 * The coverage gate of the threat model: fails on a requirement that is due and cited by no test, on an
 * unknown id, and on one that is postponed although a test proves it. With `--report` it only tells.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REQUIREMENTS } from '../test/requirements.ts';
import { citationsIn, coverageProblems } from './requirements/citations.ts';

const ROOT = join(import.meta.dirname, '..');
/** Its own test calls `verifies` with ids that do not exist. */
const OWN_TEST = 'tools/requirements/citations.test.ts';

const files = ['packages', 'apps', 'tools', 'test']
  .flatMap((folder) => globSync(`${folder}/**/*.test.{ts,tsx}`, { cwd: ROOT }))
  .filter((file) => !/(^|\/)(node_modules|fixtures)\//.test(file) && file !== OWN_TEST)
  .sort();
const citations = files.flatMap((file) => citationsIn(file, readFileSync(join(ROOT, file), 'utf8')));
const problems = coverageProblems(REQUIREMENTS, citations);
for (const problem of problems) console.error(problem);

const cited = new Set(citations.map((citation) => citation.id));
const due = REQUIREMENTS.filter((requirement) => requirement.due === 'now');
const dueCited = due.filter((requirement) => cited.has(requirement.id)).length;
const partly = due.filter((requirement) => requirement.open !== null).length;
console.log(
  `${REQUIREMENTS.length} requirements: ${due.length} due (${dueCited} cited, ${partly} with a part still open), ` +
    `${REQUIREMENTS.length - due.length} postponed; ${citations.length} citations in ${files.length} test files`,
);
if (problems.length > 0 && !process.argv.includes('--report')) process.exitCode = 1;
