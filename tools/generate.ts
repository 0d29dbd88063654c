/**
 * `npm run generate`: writes every file that follows from a table in code. With `--check` it writes nothing
 * and fails when a file differs from what would be written.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OUTPUTS } from './generate/outputs.ts';

const ROOT = join(import.meta.dirname, '..');

const checkOnly = process.argv.includes('--check');
let stale = 0;
for (const [path, render] of OUTPUTS) {
  const wanted = render();
  const file = join(ROOT, path);
  const present = existsSync(file) ? await readFile(file, 'utf8') : null;
  if (present === wanted) continue;
  if (checkOnly) {
    stale += 1;
    console.error(`${path} differs from its source: run \`npm run generate\``);
    continue;
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, wanted);
  console.log(`wrote ${path}`);
}
if (stale > 0) process.exitCode = 1;
