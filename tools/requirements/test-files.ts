import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Citation, type Cites, citationsIn } from './citations.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Its own test cites what does not exist. */
const OWN_TEST = 'tools/requirements/citations.test.ts';

/** Every test file of the repository, by its path from the root, in order. */
export function testFiles(): string[] {
  return ['packages', 'apps', 'tools', 'test']
    .flatMap((folder) => globSync(`${folder}/**/*.test.{ts,tsx}`, { cwd: ROOT }))
    .filter((file) => !/(^|\/)(node_modules|fixtures)\//.test(file) && file !== OWN_TEST)
    .sort();
}

/** What all of them cite. */
export function citationsOf(files: readonly string[], cites: Cites): Citation[] {
  return files.flatMap((file) => citationsIn(file, readFileSync(join(ROOT, file), 'utf8'), cites));
}
