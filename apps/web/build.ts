import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const HERE = import.meta.dirname;
const REPOSITORY = join(HERE, '../..');
const STAMP = join(HERE, 'dist/build-hash.txt');
/** What the output depends on: the client, the build's settings, our packages it imports, and every dependency. */
const INPUTS = [
  join(HERE, 'client'),
  join(HERE, 'vite.config.ts'),
  join(REPOSITORY, 'packages/kernel/src'),
  join(REPOSITORY, 'package-lock.json'),
];

function filesOf(path: string): string[] {
  if (path.endsWith('.ts') || path.endsWith('.json')) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths.flatMap(filesOf)) {
    hash
      .update(`${relative(REPOSITORY, path)}\0`)
      .update(readFileSync(path))
      .update('\0');
  }
  return hash.digest('hex');
}

// Run as `npm run build -w @deadlatch/web`. Builds only when an input differs from the last build; no network.
const hash = hashOf(INPUTS);
const last = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : '';
if (last !== hash) {
  // Loading it takes longer than finding out that it is not needed.
  const { build } = await import('vite');
  await build({ configFile: join(HERE, 'vite.config.ts'), logLevel: 'warn' });
  writeFileSync(STAMP, hash);
}
