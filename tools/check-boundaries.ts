/** Imports flow one way: prints every import that does not, and fails if there is one. */
import { join } from 'node:path';
import { checkBoundaries } from './boundaries/check.ts';

/** Fewer would mean that the checker does not see the code: a checker that finds no file finds no fault. */
const LEAST_MODULES = 50;

const { modules, violations } = checkBoundaries(join(import.meta.dirname, '..'));
for (const { rule, file, detail } of violations) console.error(`${file}: ${rule}: ${detail}`);
if (modules <= LEAST_MODULES) {
  console.error(`only ${modules} modules seen, more than ${LEAST_MODULES} expected`);
  process.exitCode = 1;
}
if (violations.length > 0) process.exitCode = 1;
console.log(`${modules} modules, ${violations.length} violations`);
