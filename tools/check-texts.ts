/** Reads every file of the repository (tracked, or new and not ignored) for what must not stand in one. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { textProblems } from './texts/text-rules.ts';

const ROOT = join(import.meta.dirname, '..');

const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
const files = listed.split('\0').filter((file) => file !== '' && existsSync(join(ROOT, file)));
let problems = 0;
let read = 0;
for (const file of files) {
  const bytes = readFileSync(join(ROOT, file));
  // A file with a zero byte is a picture or the like.
  if (bytes.includes(0)) continue;
  read += 1;
  for (const problem of textProblems(file, bytes.toString('utf8'))) {
    problems += 1;
    console.error(problem);
  }
}
if (read === 0 || problems > 0) process.exitCode = 1;
console.log(`${read} files read, ${problems} problems`);
