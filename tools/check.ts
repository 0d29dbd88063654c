/**
 * `npm run check`: every check that needs no running system, one line each. It goes on after a failure, so one
 * run shows everything that is wrong, and fails at the end if anything was.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

interface Check {
  readonly name: string;
  /** A script for this Node, and its arguments. */
  readonly run: readonly string[];
  /** The check exists only where this file does. */
  readonly onlyWith?: string;
}

const CHECKS: readonly Check[] = [
  {
    name: 'format and lint',
    run: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '--max-diagnostics=50', '.'],
  },
  { name: 'types', run: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'] },
  {
    name: 'types of the web client',
    run: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'apps/web/client'],
    onlyWith: 'apps/web/client/tsconfig.json',
  },
  { name: 'import boundaries', run: ['tools/check-boundaries.ts'] },
  { name: 'generated files', run: ['tools/generate.ts', '--check'] },
  { name: 'unused code', run: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'] },
  { name: 'requirements', run: ['tools/check-requirements.ts'] },
  { name: 'repository texts', run: ['tools/check-texts.ts'] },
  // Needs a database, which it starts by itself; last, because it is the slowest.
  { name: 'database schema', run: ['tools/dump-schema.ts', '--check'], onlyWith: 'tools/dump-schema.ts' },
];

/** Runs one check; its output is shown only when it fails. */
function perform(check: Check): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, check.run, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString('utf8') }));
  });
}

let failed = 0;
for (const check of CHECKS) {
  if (check.onlyWith && !existsSync(join(ROOT, check.onlyWith))) continue;
  const started = performance.now();
  const { ok, output } = await perform(check);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${check.name} (${seconds} s)`);
  if (!ok) {
    failed += 1;
    console.log(output.trimEnd().replace(/^/gm, '     '));
  }
}
console.log(failed === 0 ? 'All checks passed.' : `${failed} checks failed.`);
if (failed > 0) process.exitCode = 1;
